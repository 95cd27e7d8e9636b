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

#define OBJECT_COLUMNS "NAME=name STATE=status.state "
#define LINK_COLUMNS                       \
	OBJECT_COLUMNS                     \
	"ENDS=spec.ends MATCH=spec.match " \
	"FORWARD=spec.impair.forward REVERSE=spec.impair.reverse"
#define SEGMENT_COLUMNS OBJECT_COLUMNS "MEMBERS=spec.members"
#define PROJECT_COLUMNS                                        \
	"NAME=name ROUTERS=status.routers PORTS=status.ports " \
	"DESCRIPTION=spec.description"
#define NODE_COLUMNS                                                         \
	"NAME=name VERSION=status.version DATAPLANE=status.dataplane.state " \
	"CPUS=status.cpus.online MEMORY=status.memory.total_bytes "          \
	"LEFT=status.memory.left_bytes RUNNING=status.routers.running"
#define TEMPLATE_COLUMNS                                             \
	"NAME=name AVAILABLE=available MISSING=missing TWINS=twins " \
	"ROUTERS=routers DESCRIPTION=description"
#define TOKEN_COLUMNS                                 \
	"NAME=name PROJECT=project ROLES=spec.roles " \
	"EXPIRES=spec.expires LAST_USED=status.last_used"

#define SERVER_COLUMNS                                               \
	"NAME=name CURRENT=current URL=url FINGERPRINT=fingerprint " \
	"TOKEN=token"

static const char vnic_meta[] = "NAME,port=P,address=A/N,...";

/* clang-format off */
static const struct option router_options[] = {
	{ "-f", OPTION_BODY, NULL, "FILE", .help = "the whole object as JSON; - is standard input" },
	{ "--vnic", OPTION_ITEM, "/spec/vnics", vnic_meta, "a vNIC; also router=R,vnic=V, vlan=N, trunk, mac, allow_mac, mtu, rx_pps ...", &item_vnic },
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
static const struct option list_options[] = {
	{ "--label", OPTION_QUERY, "label", "KEY=VALUE", .help = "those that have this label; several: all of them" },
	{ "--limit", OPTION_QUERY, "limit", "N", .help = "so many at most" },
	{ 0 },
};
static const struct option label_options[] = {
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label; KEY- takes it away" },
	{ 0 },
};
static const struct option link_options[] = {
	{ "-f", OPTION_BODY, NULL, "FILE", .help = "the whole object as JSON; - is standard input" },
	{ "END", OPTION_TEXT, "/spec/ends/-", NULL, .help = "ROUTER:VNIC, or port:PORT for one of them" },
	{ "--match", OPTION_PAIRS, "/spec/match", "KEY=VALUE,...", .help = "which frames of the port, such as vlan=42" },
	{ "--forward", OPTION_PAIRS, "/spec/impair/forward", "KEY=N,...", .help = "to the second end, such as delay_ms=20,loss_pct=0.5" },
	{ "--reverse", OPTION_PAIRS, "/spec/impair/reverse", "KEY=N,...", .help = "back" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label" },
	{ "--set", OPTION_SET, NULL, "MEMBER=VALUE", .help = "any member; spec.impair=null is a plain wire" },
	{ 0 },
};
static const struct option segment_options[] = {
	{ "-f", OPTION_BODY, NULL, "FILE", .help = "the whole object as JSON; - is standard input" },
	{ "MEMBER", OPTION_TEXT, "/spec/members/-", NULL, .help = "ROUTER:VNIC" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label" },
	{ "--set", OPTION_SET, NULL, "MEMBER=VALUE", .help = "any member, such as spec.members=[]" },
	{ 0 },
};
static const struct option project_options[] = {
	{ "--quota", OPTION_PAIRS, "/spec/quota", "LIMIT=N,...", .help = "what its routers may have in sum" },
	{ "--description", OPTION_TEXT, "/spec/description", "TEXT", .help = "what it is for" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label; KEY- takes it away" },
	{ 0 },
};
static const struct option token_options[] = {
	{ "--role", OPTION_LABELS, "/spec/roles", "PROJECT=ROLE", .help = "viewer, operator or admin; of all projects: *" },
	{ "--expires", OPTION_TEXT, "/spec/expires", "TIME", .help = "such as 2027-01-31T12:00:00Z" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label" },
	{ 0 },
};
static const struct option token_change[] = {
	{ "--role", OPTION_LABELS, "/spec/roles", "PROJECT=ROLE", .help = "another role; PROJECT- takes it away" },
	{ "--expires", OPTION_TEXT, "/spec/expires", "TIME", .help = "such as 2027-01-31T12:00:00Z" },
	{ "--label", OPTION_LABELS, "/labels", "KEY=VALUE", .help = "a label; KEY- takes it away" },
	{ "--set", OPTION_SET, NULL, "MEMBER=VALUE", .help = "any member; spec.expires=null is never" },
	{ 0 },
};
static const struct option audit_options[] = {
	{ "--limit", OPTION_QUERY, "limit", "N", .help = "so many at most, the newest" },
	{ 0 },
};
static const struct option event_options[] = {
	{ "--follow", OPTION_QUERY, "follow", "true|false", .help = "false: those that are kept, and no more" },
	{ 0 },
};
static const struct option exec_options[] = {
	{ "--stdin", OPTION_OWN, NULL, NULL, .help = "give it what comes on standard input" },
	{ "--for", OPTION_OWN, NULL, "SECONDS", .help = "how long it may run; 60 by default" },
	{ 0 },
};
static const struct option log_options[] = {
	{ "-f", OPTION_QUERY, "follow", NULL, .help = "and what it writes from now on" },
	{ 0 },
};
static const struct option file_options[] = {
	{ "PATH", OPTION_QUERY, "path", NULL, .help = "in the container: /var, /run or /tmp" },
	{ "FILE", OPTION_RAW, NULL, NULL, .help = "a file of this host; - is standard input" },
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
static const struct option restore_options[] = {
	{ "--prune", OPTION_OWN, NULL, NULL, .help = "remove what the backup does not have" },
	{ "--yes", OPTION_OWN, NULL, NULL, .help = "do not ask before that" },
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
	    .columns = ROUTER_COLUMNS, .rows = "items", .options = list_options },
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

	{ "route", "list", "ROUTER", "the routes of its spec; --source api: those of run time", "GET", ROUTER "/routes",
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
	    .columns = PORT_COLUMNS, .rows = "items", .options = list_options },
	{ "port", "get", "PORT", "one port", "GET", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS, .format = FORMAT_YAML },
	{ "port", "create", "NAME [DEVARGS]", "make a device a port of the node", "POST", "/v1/ports",
	    .columns = PORT_COLUMNS, .options = port_options },
	{ "port", "put", "PORT [DEVARGS]", "create or replace a port", "PUT", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS, .options = port_options },
	{ "port", "set", "PORT", "change its labels", "PATCH", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS, .options = label_options },
	{ "port", "delete", "PORT", "remove a port", "DELETE", "/v1/ports/{PORT}",
	    .columns = PORT_COLUMNS },

	{ "link", "list", "", "all links", "GET", "/v1/links",
	    .columns = LINK_COLUMNS, .rows = "items", .options = list_options },
	{ "link", "get", "LINK", "one link", "GET", "/v1/links/{LINK}",
	    .columns = LINK_COLUMNS, .format = FORMAT_YAML },
	{ "link", "create", "NAME [END...]", "join two vNICs, or a vNIC and a port", "POST", "/v1/links",
	    .columns = LINK_COLUMNS, .options = link_options },
	{ "link", "set", "LINK [END...]", "change a link while packets pass", "PATCH", "/v1/links/{LINK}",
	    .columns = LINK_COLUMNS, .options = link_options },
	{ "link", "delete", "LINK", "remove a link", "DELETE", "/v1/links/{LINK}",
	    .columns = LINK_COLUMNS },
	{ "segment", "list", "", "all segments", "GET", "/v1/segments",
	    .columns = SEGMENT_COLUMNS, .rows = "items", .options = list_options },
	{ "segment", "get", "SEGMENT", "one segment", "GET", "/v1/segments/{SEGMENT}",
	    .columns = SEGMENT_COLUMNS, .format = FORMAT_YAML },
	{ "segment", "create", "NAME [MEMBER...]", "join vNICs as a switch does", "POST", "/v1/segments",
	    .body = "{\"spec\": {}}", .columns = SEGMENT_COLUMNS, .options = segment_options },
	{ "segment", "set", "SEGMENT [MEMBER...]", "these are on it from now on", "PATCH", "/v1/segments/{SEGMENT}",
	    .columns = SEGMENT_COLUMNS, .options = segment_options },
	{ "segment", "delete", "SEGMENT", "remove a segment", "DELETE", "/v1/segments/{SEGMENT}",
	    .columns = SEGMENT_COLUMNS },

	{ "template", "list", "", "what routers can be made from", "GET", "/v1/templates",
	    .columns = TEMPLATE_COLUMNS, .rows = "items" },
	{ "template", "show", "TEMPLATE", "one template: its programs, and what it lacks here", "GET", "/v1/templates/{TEMPLATE}",
	    .columns = TEMPLATE_COLUMNS, .format = FORMAT_YAML },

	{ "project", "list", "", "the projects", "GET", "/v1/projects",
	    .columns = PROJECT_COLUMNS, .rows = "items", .options = list_options },
	{ "project", "get", "PROJECT", "one project", "GET", "/v1/projects/{PROJECT}",
	    .columns = PROJECT_COLUMNS, .format = FORMAT_YAML },
	{ "project", "create", "NAME", "make a tenant", "POST", "/v1/projects",
	    .columns = PROJECT_COLUMNS, .options = project_options },
	{ "project", "set", "PROJECT", "change members of a project", "PATCH", "/v1/projects/{PROJECT}",
	    .columns = PROJECT_COLUMNS, .options = project_options },
	{ "project", "delete", "PROJECT", "remove a project that has nothing", "DELETE", "/v1/projects/{PROJECT}",
	    .columns = PROJECT_COLUMNS },
	{ "project", "quota", "PROJECT", "its limits, and what is promised", "GET", "/v1/projects/{PROJECT}/quota",
	    .columns = "PROJECT=project LIMIT=limit USAGE=usage", .format = FORMAT_YAML },
	{ "project", "limit", "PROJECT LIMIT...", "change its limits", "PATCH", "/v1/projects/{PROJECT}/quota",
	    .columns = "PROJECT=project LIMIT=limit USAGE=usage", .format = FORMAT_YAML, .options = limit_words },
	{ "project", "usage", "PROJECT", "what its routers have used, ever", "GET", "/v1/projects/{PROJECT}/usage",
	    .columns = "PROJECT=project SINCE=since RX_PACKETS=rx_packets TX_PACKETS=tx_packets "
		"RX_BYTES=rx_bytes TX_BYTES=tx_bytes CPU_MS=cpu_ms" },
	{ "token", "list", "", "the tokens of a project", "GET", "/v1/tokens",
	    .columns = TOKEN_COLUMNS, .rows = "items", .options = list_options },
	{ "token", "get", "TOKEN", "one token", "GET", "/v1/tokens/{TOKEN}",
	    .columns = TOKEN_COLUMNS, .format = FORMAT_YAML },
	{ "token", "create", "NAME", "make one; its secret is shown now and never again", "POST", "/v1/tokens",
	    .columns = "NAME=name ROLES=spec.roles EXPIRES=spec.expires SECRET=secret", .options = token_options },
	{ "token", "set", "TOKEN", "change what it may do, and until when", "PATCH", "/v1/tokens/{TOKEN}",
	    .columns = TOKEN_COLUMNS, .options = token_change },
	{ "token", "delete", "TOKEN", "it is good for nothing from then on", "DELETE", "/v1/tokens/{TOKEN}",
	    .columns = TOKEN_COLUMNS },
	{ "audit", NULL, "", "who changed what, the newest first", "GET", "/v1/audit",
	    .columns = "TIME=time PROJECT=project WHO=who METHOD=method PATH=path STATUS=status",
	    .rows = "items", .options = audit_options },

	{ "exec", NULL, "ROUTER COMMAND...", "run a command in its container; -- before options of its own",
	    .run = run_exec, .options = exec_options, .path = ROUTER "/exec" },
	{ "console", NULL, "ROUTER", "a terminal in its container; Ctrl-] ends it",
	    .run = run_console, .path = ROUTER "/console" },
	{ "logs", NULL, "ROUTER", "what its container wrote", "GET", ROUTER "/logs",
	    .columns = "NAME=name", .options = log_options, .flags = COMMAND_TEXT | COMMAND_STREAM },
	{ "files", "get", "ROUTER PATH", "a file of its disk", "GET", ROUTER "/files",
	    .columns = "NAME=name", .options = file_options, .flags = COMMAND_TEXT },
	{ "files", "put", "ROUTER PATH FILE", "make or replace a file of its disk", "PUT", ROUTER "/files",
	    .type = "application/octet-stream", .columns = "NAME=name", .options = file_options },
	{ "events", NULL, "", "what happens, a JSON object a line", "GET", "/v1/events",
	    .accept = "application/x-ndjson", .columns = "TYPE=type", .options = event_options, .flags = COMMAND_STREAM },

	{ "stats", NULL, "ROUTER", "the counters of a router, by vNIC", "GET", ROUTER "/stats",
	    .columns = "VNIC=name RX_OFFERED=rx.offered RX_FILLED=rx.filled RX_DROPS=rx.drops+ "
		"TX_SENT=tx.sent TX_DROPS=tx.drops+ FAULTS=faults+ HELD=held", .rows = "vnics" },
	{ "node", NULL, "", "version, limits and load of the node", "GET", "/v1",
	    .columns = "NAME=name VERSION=version DATAPLANE=dataplane.connected ROUTERS=counts.routers PORTS=counts.ports",
	    .format = FORMAT_YAML },
	{ "node", "list", "", "what the nodes have, and what is left", "GET", "/v1/nodes",
	    .columns = NODE_COLUMNS, .rows = "items" },
	{ "node", "show", "NODE", "cores, memory, huge pages and templates, and which router may run where", "GET",
	    "/v1/nodes/{NODE}", .columns = NODE_COLUMNS, .format = FORMAT_YAML },
	{ "node", "stop", "", "stop all routers of this host, then its daemons; what is wanted of them stays",
	    .run = run_node_stop, .flags = COMMAND_LOCAL, .options = wait_options },
	{ "top", NULL, "", "rates of all routers, refreshed", .run = run_top, .options = top_options },
	{ "api", NULL, "METHOD PATH [BODY]", "any request; a BODY of - is standard input, @FILE a file",
	    .run = run_api, .options = api_options },

	{ "config", "list", "", "the servers that are known", .run = run_config_list, .flags = COMMAND_LOCAL,
	    .columns = SERVER_COLUMNS, .rows = "items" },
	{ "config", "add", "SERVER_NAME URL", "know a server; --fingerprint, --token-file and --project are kept",
	    .run = run_config_add, .flags = COMMAND_LOCAL, .options = config_options },
	{ "config", "use", "SERVER_NAME", "speak to it from now on", .run = run_config_use, .flags = COMMAND_LOCAL },
	{ "config", "remove", "SERVER_NAME", "forget it", .run = run_config_remove, .flags = COMMAND_LOCAL },
	{ "remote", "list", "", "the same as config list", .run = run_config_list, .flags = COMMAND_LOCAL,
	    .columns = SERVER_COLUMNS, .rows = "items" },
	{ "remote", "add", "SERVER_NAME URL", "the same as config add",
	    .run = run_config_add, .flags = COMMAND_LOCAL, .options = config_options },
	{ "remote", "use", "SERVER_NAME", "the same as config use", .run = run_config_use, .flags = COMMAND_LOCAL },
	{ "remote", "remove", "SERVER_NAME", "the same as config remove", .run = run_config_remove, .flags = COMMAND_LOCAL },

	{ "wait-ready", NULL, "", "wait until the node can do its work", .run = run_wait_ready, .options = wait_options },
	{ "doctor", NULL, "", "what this host lacks, and the command that cures it", .run = run_doctor,
	    .flags = COMMAND_LOCAL, .options = doctor_options, .rows = "checks",
	    .columns = "STATE=state CHECK=name SEEN=seen CURE=cure" },
	{ "backup", NULL, "[FILE]", "the whole node, or one project with --project, as one file", .run = run_backup },
	{ "restore", NULL, "FILE", "make the node what a backup says; repeated, it changes nothing", .run = run_restore,
	    .options = restore_options, .rows = "items", .columns = "KIND=kind NAME=name RESULT=result DETAIL=detail PROJECT=project" },
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
	{ "LINK", "/v1/links", "name" },
	{ "SEGMENT", "/v1/segments", "name" },
	{ "PROJECT", "/v1/projects", "name" },
	{ "TOKEN", "/v1/tokens", "name" },
	{ "TEMPLATE", "/v1/templates", "name" },
	{ "NODE", "/v1/nodes", "name" },
};
const size_t n_names_of = ARRAY_SIZE(names_of);
/* clang-format on */
