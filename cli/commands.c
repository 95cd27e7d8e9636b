/* SPDX-License-Identifier: Apache-2.0 */
/* commands: the rows, see command.h; a new resource of the API is new rows. */
#include "cli/command.h"

#include "cli/body.h"
#include "cli/run.h"
#include "lib/base.h"

#define ROUTERS "/v1/routers"
#define ROUTER ROUTERS "/{ROUTER}"

#define ROUTER_COLUMNS                                          \
	"NAME=name STATE=status.state TEMPLATE=spec.template "  \
	"VNICS=spec.vnics# ADDRESSES=spec.vnics[].addresses[] " \
	"SINCE=status.since"
#define VNIC_COLUMNS                                  \
	"NAME=name ATTACHED=status.attached "         \
	"LINK=status.link MAC=spec.mac MTU=spec.mtu " \
	"ADDRESSES=spec.addresses"
#define PORT_COLUMNS                                                     \
	"NAME=name STATE=status.state DEVICE=spec.devargs MTU=spec.mtu " \
	"DRIVER=status.driver MAC=status.mac"
#define QUOTA_COLUMNS                                                     \
	"ROUTER=router CPU=limit.cpu_millis MEMORY=limit.mem_bytes "      \
	"SLOTS=limit.pool_slots RX_PPS=limit.rx_pps TX_PPS=limit.tx_pps " \
	"RX_BPS=limit.rx_bps TX_BPS=limit.tx_bps"
#define REVISION_COLUMNS                                   \
	"REVISION=revision STATE=state PREVIOUS=previous " \
	"AUTHOR=author TIME=time REPORT=report"
#define ROUTE_COLUMNS \
	"PREFIX=prefix VIA=via VNIC=vnic SOURCE=source ACTIVE=active"
#define COUNT_COLUMNS                                \
	"ROUTES=routes ADDED=added CHANGED=changed " \
	"DELETED=deleted MISSING=missing APPLIED=applied"

static const char vnic_meta[] = "NAME,port=P,address=A/N,...";

/* clang-format off */
static const struct option router_options[] = {
	{ "-f", OPTION_BODY, NULL, "FILE", .help = "the whole object as JSON; - is standard input" },
	{ "--vnic", OPTION_ITEM, "/spec/vnics", vnic_meta, "a vNIC; also router=R,vnic=V, vlan=N, trunk, mac, mtu, rx_pps ...", &item_vnic },
	{ "--route", OPTION_ITEM, "/spec/routes", "PREFIX,via=A", "a route; also vnic=V", &item_route },
	{ "--quota", OPTION_PAIRS, "/spec/quota", "LIMIT=N,...", .help = "limits, such as cpu_millis=500,rx_pps=1M" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label; KEY- takes it away" },
	{ "--template", OPTION_TEXT, "/spec/template", "NAME", .help = "what the container is made from" },
	{ "--power", OPTION_TEXT, "/spec/power", "STATE", .help = "running, stopped or paused" },
	{ "--dataplane", OPTION_TEXT, "/spec/dataplane", "PROGRAM", .help = "another program as its data plane" },
	{ "--set", OPTION_SET, NULL, "MEMBER=VALUE", .help = "any member, such as spec.quota.pids=64" },
	{ 0 },
};
static const struct option restart_options[] = {
	{ "--scope", OPTION_TEXT, "/scope", "SCOPE", .help = "container (by default) or dataplane" },
	{ 0 },
};
static const struct option limit_words[] = {
	{ "LIMIT", OPTION_PAIRS, "/limit", NULL, .help = "such as rx_pps=100k; null is the default" },
	{ 0 },
};
static const struct option vnic_add_words[] = {
	{ "VNIC_SPEC", OPTION_ITEM, "", NULL, "as of router create --vnic", &item_vnic },
	{ 0 },
};
static const struct option vnic_set_words[] = {
	{ "CHANGE", OPTION_CHANGE, "/spec", NULL, "such as rx_pps=10k, mtu=1400, address=A/N", &item_vnic },
	{ "--set", OPTION_SET, NULL, "MEMBER=VALUE", .help = "any member, such as spec.quota=null" },
	{ 0 },
};
static const struct option source_options[] = {
	{ "--source", OPTION_QUERY, "source", "SOURCE", .help = "static (by default), api, linux or connected" },
	{ 0 },
};
static const struct option route_options[] = {
	{ "--via", OPTION_TEXT, "/via", "ADDRESS", .help = "the next hop" },
	{ "--vnic", OPTION_TEXT, "/vnic", "VNIC", .help = "the way out" },
	{ 0 },
};
static const struct option file_word[] = {
	{ "FILE", OPTION_RAW, NULL, NULL, .help = "a file; - is standard input" },
	{ 0 },
};
static const struct option revision_word[] = {
	{ "REVISION", OPTION_VALUE, "/revision", NULL, .help = "its number; 0 is what the template brings along" },
	{ 0 },
};
static const struct option port_options[] = {
	{ "-f", OPTION_BODY, NULL, "FILE", .help = "the whole object as JSON; - is standard input" },
	{ "DEVARGS", OPTION_TEXT, "/spec/devargs", NULL, .help = "the device, such as net_af_packet0,iface=eth1" },
	{ "--mtu", OPTION_VALUE, "/spec/mtu", "BYTES", .help = "68 to 9000" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label" },
	{ 0 },
};
static const struct option wait_options[] = {
	{ "--for", OPTION_OWN, NULL, "SECONDS", .help = "how long; 60 by default" },
	{ 0 },
};
static const struct option top_options[] = {
	{ "--interval", OPTION_OWN, NULL, "SECONDS", .help = "between two looks; 2 by default" },
	{ "--count", OPTION_OWN, NULL, "N", .help = "ends after so many; 0 goes on" },
	{ 0 },
};
static const struct option api_options[] = {
	{ "--type", OPTION_OWN, NULL, "TYPE", .help = "of the body; application/json by default" },
	{ 0 },
};
static const struct option config_options[] = {
	{ "--trust", OPTION_OWN, NULL, NULL, .help = "pin the certificate that is there now" },
	{ 0 },
};
static const struct option doctor_options[] = {
	{ "--local", OPTION_OWN, NULL, NULL, .help = "this host alone; no node is asked" },
	{ 0 },
};

const struct command commands[] = {
	{ "router", "list", "", "all routers", "GET", ROUTERS,
	    .columns = ROUTER_COLUMNS, .rows = "items" },
	{ "router", "get", "ROUTER", "one router", "GET", ROUTER,
	    .columns = ROUTER_COLUMNS, .format = FORMAT_YAML },
	{ "router", "create", "NAME", "make a router and start it", "POST", ROUTERS,
	    .columns = ROUTER_COLUMNS, .options = router_options },
	{ "router", "put", "ROUTER", "create or replace a router", "PUT", ROUTER,
	    .columns = ROUTER_COLUMNS, .options = router_options },
	{ "router", "set", "ROUTER", "change members of a router", "PATCH", ROUTER,
	    .columns = ROUTER_COLUMNS, .options = router_options },
	{ "router", "delete", "ROUTER", "end and remove a router", "DELETE", ROUTER,
	    .columns = ROUTER_COLUMNS },
	{ "router", "start", "ROUTER", "let it run", "PUT", ROUTER "/power",
	    .body = "{\"desired\": \"running\"}", .columns = ROUTER_COLUMNS },
	{ "router", "stop", "ROUTER", "end its container", "PUT", ROUTER "/power",
	    .body = "{\"desired\": \"stopped\"}", .columns = ROUTER_COLUMNS },
	{ "router", "pause", "ROUTER", "freeze it", "PUT", ROUTER "/power",
	    .body = "{\"desired\": \"paused\"}", .columns = ROUTER_COLUMNS },
	{ "router", "restart", "ROUTER", "start its container or data plane anew", "POST", ROUTER "/restart",
	    .body = "{\"scope\": \"container\"}", .columns = ROUTER_COLUMNS, .options = restart_options },

	{ "quota", "get", "ROUTER", "limits, what is in force, and their use", "GET", ROUTER "/quota",
	    .columns = QUOTA_COLUMNS, .format = FORMAT_YAML },
	{ "quota", "set", "ROUTER LIMIT...", "change limits while it runs", "PATCH", ROUTER "/quota",
	    .columns = QUOTA_COLUMNS, .options = limit_words },

	{ "vnic", "list", "ROUTER", "the vNICs of a router", "GET", ROUTER "/vnics",
	    .columns = VNIC_COLUMNS, .rows = "items" },
	{ "vnic", "get", "ROUTER VNIC", "one vNIC", "GET", ROUTER "/vnics/{VNIC}",
	    .columns = VNIC_COLUMNS, .format = FORMAT_YAML },
	{ "vnic", "add", "ROUTER VNIC_SPEC", "add a vNIC, also to a router that runs", "POST", ROUTER "/vnics",
	    .columns = ROUTER_COLUMNS, .options = vnic_add_words },
	{ "vnic", "set", "ROUTER VNIC [CHANGE...]", "change a vNIC, also of a router that runs", "PATCH", ROUTER "/vnics/{VNIC}",
	    .columns = VNIC_COLUMNS, .options = vnic_set_words },
	{ "vnic", "delete", "ROUTER VNIC", "remove a vNIC", "DELETE", ROUTER "/vnics/{VNIC}",
	    .columns = ROUTER_COLUMNS },

	{ "route", "list", "ROUTER", "the routes of a router, by where they come from", "GET", ROUTER "/routes",
	    .columns = ROUTE_COLUMNS, .rows = "routes", .options = source_options },
	{ "route", "add", "ROUTER PREFIX", "add a run-time route, or give it another way", "PATCH", ROUTER "/routes",
	    .body = "{\"op\": \"add\"}", .columns = COUNT_COLUMNS, .options = route_options },
	{ "route", "delete", "ROUTER PREFIX", "delete a run-time route", "PATCH", ROUTER "/routes",
	    .body = "{\"op\": \"delete\"}", .columns = COUNT_COLUMNS },
	{ "route", "put", "ROUTER FILE", "replace all run-time routes, a JSON object a line", "PUT", ROUTER "/routes",
	    .type = "application/x-ndjson", .columns = COUNT_COLUMNS, .options = file_word },
	{ "route", "change", "ROUTER FILE", "add and delete run-time routes, by lines", "PATCH", ROUTER "/routes",
	    .type = "application/x-ndjson", .columns = COUNT_COLUMNS, .options = file_word },
	{ "route", "static", "ROUTER FILE", "replace the routes of its spec: {\"routes\": [...]}", "PUT", ROUTER "/routes",
	    .type = "application/json", .columns = ROUTER_COLUMNS, .options = file_word },
	{ "neighbour", "list", "ROUTER", "the neighbours that it knows", "GET", ROUTER "/neighbours",
	    .columns = "ADDRESS=address VNIC=vnic MAC=mac STATE=state", .rows = "neighbours" },

	{ "pipeline", "get", "ROUTER", "the text of the pipeline that it runs", "GET", ROUTER "/pipeline",
	    .accept = "text/x-lua", .columns = REVISION_COLUMNS, .flags = COMMAND_TEXT },
	{ "pipeline", "put", "ROUTER FILE", "check a pipeline and swap it in", "PUT", ROUTER "/pipeline",
	    .type = "text/x-lua", .columns = REVISION_COLUMNS, .options = file_word },
	{ "pipeline", "revisions", "ROUTER", "the pipelines that it had", "GET", ROUTER "/pipeline/revisions",
	    .columns = REVISION_COLUMNS, .rows = "items" },
	{ "pipeline", "revision", "ROUTER REVISION", "the text of one of them", "GET", ROUTER "/pipeline/revisions/{REVISION}",
	    .accept = "text/x-lua", .columns = REVISION_COLUMNS, .flags = COMMAND_TEXT },
	{ "pipeline", "rollback", "ROUTER [REVISION]", "run an earlier one again", "POST", ROUTER "/pipeline/rollback",
	    .body = "{}", .columns = REVISION_COLUMNS, .options = revision_word },

	{ "port", "list", "", "all ports", "GET", "/v1/ports",
	    .columns = PORT_COLUMNS, .rows = "items" },
	{ "port", "get", "PORT", "one port", "GET", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS, .format = FORMAT_YAML },
	{ "port", "create", "NAME [DEVARGS]", "make a device a port of the node", "POST", "/v1/ports",
	    .columns = PORT_COLUMNS, .options = port_options },
	{ "port", "put", "PORT [DEVARGS]", "create or replace a port", "PUT", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS, .options = port_options },
	{ "port", "delete", "PORT", "remove a port", "DELETE", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS },

	{ "stats", NULL, "ROUTER", "the counters of a router, by vNIC", "GET", ROUTER "/stats",
	    .columns = "VNIC=name RX_OFFERED=rx.offered RX_FILLED=rx.filled RX_DROPS=rx.drops+ "
		"TX_SENT=tx.sent TX_DROPS=tx.drops+ FAULTS=faults+ HELD=held", .rows = "vnics" },
	{ "node", NULL, "", "version, limits and load of the node", "GET", "/v1",
	    .columns = "NAME=name VERSION=version DATAPLANE=dataplane.connected ROUTERS=counts.routers PORTS=counts.ports",
	    .format = FORMAT_YAML },
	{ "top", NULL, "", "rates of all routers, refreshed", .run = run_top, .options = top_options },
	{ "api", NULL, "METHOD PATH [BODY]", "any request; a BODY of - is standard input, @FILE a file",
	    .run = run_api, .options = api_options },

	{ "config", "list", "", "the servers that are known", .run = run_config_list, .flags = COMMAND_LOCAL,
	    .columns = "NAME=name CURRENT=current URL=url FINGERPRINT=fingerprint TOKEN=token", .rows = "items" },
	{ "config", "add", "SERVER_NAME URL", "know a server; --fingerprint, --token-file and --project are kept",
	    .run = run_config_add, .flags = COMMAND_LOCAL, .options = config_options },
	{ "config", "use", "SERVER_NAME", "speak to it from now on", .run = run_config_use, .flags = COMMAND_LOCAL },
	{ "config", "remove", "SERVER_NAME", "forget it", .run = run_config_remove, .flags = COMMAND_LOCAL },

	{ "wait-ready", NULL, "", "wait until the node can do its work", .run = run_wait_ready, .options = wait_options },
	{ "doctor", NULL, "", "what this host lacks, and the command that cures it", .run = run_doctor,
	    .flags = COMMAND_LOCAL, .options = doctor_options, .rows = "checks",
	    .columns = "STATE=state CHECK=name SEEN=seen CURE=cure" },
	{ "backup", NULL, "[FILE]", "the state of the whole node as one file", .run = run_backup },
	{ "restore", NULL, "FILE", "make the node what a backup says; repeated, it changes nothing", .run = run_restore,
	    .rows = "items", .columns = "KIND=kind NAME=name RESULT=result DETAIL=detail" },
	{ "completion", NULL, "SHELL", "a script for bash, zsh or fish", .run = run_completion, .flags = COMMAND_LOCAL },
	{ "help", NULL, "[NOUN]", "this, or the commands of a noun", .run = run_help, .flags = COMMAND_LOCAL },
	{ "__complete", NULL, "[WORD...]", "what could come next", .run = run_complete,
	    .flags = COMMAND_LOCAL | COMMAND_HIDDEN },
};
const size_t n_commands = ARRAY_SIZE(commands);

const struct names_of names_of[] = {
	{ "ROUTER", ROUTERS, "name" },
	{ "VNIC", ROUTER "/vnics", "name" },
	{ "REVISION", ROUTER "/pipeline/revisions", "revision" },
	{ "PORT", "/v1/ports", "name" },
};
const size_t n_names_of = ARRAY_SIZE(names_of);
/* clang-format on */
