/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: see metrics.h.
 *
 * All samples of a family stand together, so the counters are read once, as
 * JSON, and then looked through for each family. Every reason of a drop is
 * there from the start, with 0: a first drop is an increase then. What stands
 * in labels is a name, a reason or our version, none of which needs escaping.
 * What a router claims of itself is not here.
 */
#include "agent/metrics.h"

#include "agent/router.h"
#include "lib/base.h"

#include <stdio.h>

static const char media_type[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct scrape {
	FILE *f;
	struct node *n;
	json_t *routers; /* [{"labels", "vnics"}] */
};

static void
family(const struct scrape *s, const char *name, const char *type,
    const char *help)
{
	static const char *const units[] = { "bytes", "packets", "slots" };
	size_t n = strlen(name);

	fprintf(s->f, "# TYPE %s %s\n", name, type);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n_unit = strlen(units[i]);

		if (n > n_unit && name[n - n_unit - 1] == '_' &&
		    strcmp(name + n - n_unit, units[i]) == 0)
			fprintf(s->f, "# UNIT %s %s\n", name, units[i]);
	}
	fprintf(s->f, "# HELP %s %s\n", name, help);
}

static void
gauge(const struct scrape *s, const char *name, const char *help, uint64_t v)
{
	family(s, name, "gauge", help);
	fprintf(s->f, "%s %llu\n", name, (unsigned long long)v);
}

/* --- the node ---------------------------------------------------------------- */

static void
put_states(const struct scrape *s)
{
	unsigned count[ROUTER_DELETING + 1] = { 0 };

	for (const struct router *r = s->n->routers; r; r = r->next)
		count[r->state]++;
	family(s, "europa_routers", "gauge", "Routers, by state.");
	for (int i = 0; i <= ROUTER_DELETING; i++)
		fprintf(s->f, "europa_routers{state=\"%s\"} %u\n",
		    router_state_text((enum router_state)i), count[i]);
}

static void
put_node(const struct scrape *s)
{
	struct check_reserved sum = check_reserved(s->n, NULL);

	family(s, "europa_build", "info", "Version of europad.");
	fprintf(s->f, "europa_build_info{version=\"%s\"} 1\n", EUROPA_VERSION);
	gauge(s, "europa_dataplane_up",
	    "1 while the process that moves packets is there.",
	    plane_is_up(s->n->plane));
	gauge(s, "europa_node_memory_bytes", "Memory that routers may reserve.",
	    s->n->mem_bytes);
	gauge(s, "europa_node_reserved_memory_bytes",
	    "Memory that routers have reserved, with their packet pools.",
	    sum.mem_bytes + sum.pool_bytes);
	put_states(s);
}

/* --- routers ------------------------------------------------------------------ */

static uint64_t
up(const struct router *r)
{
	return r->state == ROUTER_RUNNING;
}

static uint64_t
wanted(const struct router *r)
{
	return r->spec.power == MODEL_RUNNING && !r->deleting;
}

static uint64_t
pool_slots(const struct router *r)
{
	return r->spec.quota.pool_slots;
}

static uint64_t
process_starts(const struct router *r)
{
	return r->process_starts;
}

static uint64_t
resets(const struct router *r)
{
	return router_epochs_ended(r, false);
}

static uint64_t
quarantines(const struct router *r)
{
	return router_epochs_ended(r, true);
}

static const struct {
	const char *name;
	bool is_counter;
	const char *help;
	uint64_t (*value)(const struct router *r);
} of_router[] = {
	{ "europa_router_up", false, "1 while it runs as it should.", up },
	{ "europa_router_wanted", false, "1 if it is to run.", wanted },
	{ "europa_router_pool_slots", false,
	    "Packets that it may hold: its quota.", pool_slots },
	{ "europa_router_process_starts", true,
	    "Starts of its data plane's process.", process_starts },
	{ "europa_router_resets", true,
	    "Epochs of its shared memory that have ended.", resets },
	{ "europa_router_quarantines", true,
	    "Epochs that faults in its shared memory have ended.",
	    quarantines },
};

static void
labels_of(const struct router *r, char *buf, size_t size)
{
	snprintf(buf, size, "project=\"%s\",router=\"%s\"",
	    r->project->spec.name, r->spec.name);
}

static void
put_routers(const struct scrape *s)
{
	char labels[256];

	for (size_t i = 0; i < ARRAY_SIZE(of_router); i++) {
		bool is_counter = of_router[i].is_counter;

		family(s, of_router[i].name, is_counter ? "counter" : "gauge",
		    of_router[i].help);
		for (const struct router *r = s->n->routers; r; r = r->next) {
			labels_of(r, labels, sizeof(labels));
			fprintf(s->f, "%s%s{%s} %llu\n", of_router[i].name,
			    is_counter ? "_total" : "", labels,
			    (unsigned long long)of_router[i].value(r));
		}
	}
}

/* --- vNICs -------------------------------------------------------------------- */

/* Where it is in what router_vnic_stats_json() says: side.member, or member. */
static const struct {
	const char *name, *type, *help, *side, *member;
} of_vnic[] = {
	{ "europa_vnic_receive_packets", "counter",
	    "Packets that the host has given to the router.", "rx", "filled" },
	{ "europa_vnic_receive_bytes", "counter",
	    "Bytes that the host has given to the router.", "rx",
	    "filled_bytes" },
	{ "europa_vnic_offered_packets", "counter",
	    "Packets for the router, with those that were dropped.", "rx",
	    "offered" },
	{ "europa_vnic_transmit_packets", "counter",
	    "Packets that the host has taken from the router.", "tx", "sent" },
	{ "europa_vnic_transmit_bytes", "counter",
	    "Bytes that the host has taken from the router.", "tx",
	    "sent_bytes" },
	{ "europa_vnic_held_packets", "gauge",
	    "Packets that the router holds now.", NULL, "held" },
};

/* Calls fn with each vNIC, and with the labels of its router. */
static void
each_vnic(const struct scrape *s, const void *arg,
    void (*fn)(const struct scrape *s, const void *arg, const char *labels,
	const json_t *vnic))
{
	const json_t *r, *v;
	size_t k, m;

	json_array_foreach(s->routers, k, r)
	{
		const char *labels =
		    json_string_value(json_object_get(r, "labels"));

		json_array_foreach(json_object_get(r, "vnics"), m, v)
		{
			fn(s, arg, labels, v);
		}
	}
}

static void
put_one(const struct scrape *s, const void *arg, const char *labels,
    const json_t *vnic)
{
	size_t i = *(const size_t *)arg;
	const json_t *side =
	    of_vnic[i].side ? json_object_get(vnic, of_vnic[i].side) : vnic;

	fprintf(s->f, "%s%s{%s,vnic=\"%s\"} %lld\n", of_vnic[i].name,
	    strcmp(of_vnic[i].type, "counter") == 0 ? "_total" : "", labels,
	    json_string_value(json_object_get(vnic, "name")),
	    (long long)json_integer_value(
		json_object_get(side, of_vnic[i].member)));
}

/* A sample for each member of reasons. */
static void
put_reasons(const struct scrape *s, const char *what, const char *labels,
    const json_t *reasons)
{
	const char *reason;
	json_t *v;

	/* iteration takes no const; nothing is changed */
	json_object_foreach((json_t *)(uintptr_t)reasons, reason, v) {
		fprintf(s->f, "%s{%s,reason=\"%s\"} %lld\n", what, labels,
		    reason, (long long)json_integer_value(v));
	}
}

/* Where the reasons of a family stand: side.member, or member. */
struct reasons {
	const char *what, *side, *member, *label;
};

static void
put_reasons_of(const struct scrape *s, const void *arg, const char *labels,
    const json_t *vnic)
{
	const struct reasons *x = arg;
	const json_t *from = x->side ? json_object_get(vnic, x->side) : vnic;
	char all[384];

	snprintf(all, sizeof(all), "%s,vnic=\"%s\"%s", labels,
	    json_string_value(json_object_get(vnic, "name")), x->label);
	put_reasons(s, x->what, all, json_object_get(from, x->member));
}

static void
put_vnics(const struct scrape *s)
{
	static const char dropped[] = "europa_vnic_dropped_packets_total";
	static const struct reasons rx = { dropped, "rx", "drops",
		",direction=\"receive\"" };
	static const struct reasons tx = { dropped, "tx", "drops",
		",direction=\"transmit\"" };
	static const struct reasons faults = { "europa_vnic_faults_total", NULL,
		"faults", "" };

	for (size_t i = 0; i < ARRAY_SIZE(of_vnic); i++) {
		family(s, of_vnic[i].name, of_vnic[i].type, of_vnic[i].help);
		each_vnic(s, &i, put_one);
	}
	family(s, "europa_vnic_dropped_packets", "counter",
	    "Packets that the host has dropped, by direction and reason.");
	each_vnic(s, &rx, put_reasons_of);
	each_vnic(s, &tx, put_reasons_of);
	family(s, "europa_vnic_faults", "counter",
	    "Violations of the contract of the shared memory, by kind.");
	each_vnic(s, &faults, put_reasons_of);
}

/* --- ports -------------------------------------------------------------------- */

static const struct {
	const char *name, *help;
	unsigned counter;
} of_port[] = {
	{ "europa_port_receive_packets", "Frames that came in.", WIRE_PORT_RX },
	{ "europa_port_receive_bytes", "Bytes that came in.",
	    WIRE_PORT_RX_BYTES },
	{ "europa_port_transmit_packets", "Frames that went out.",
	    WIRE_PORT_TX },
	{ "europa_port_transmit_bytes", "Bytes that went out.",
	    WIRE_PORT_TX_BYTES },
};

static const struct {
	const char *reason;
	unsigned counter;
} port_drops[] = {
	{ "no_match", WIRE_PORT_NO_MATCH },
	{ "runt", WIRE_PORT_RUNT },
	{ "port_rx_missed", WIRE_PORT_RX_MISSED },
};

static void
put_ports(const struct scrape *s)
{
	family(s, "europa_port_up", "gauge", "1 while it is open.");
	for (const struct port *p = s->n->ports; p; p = p->next)
		fprintf(s->f, "europa_port_up{project=\"%s\",port=\"%s\"} %d\n",
		    p->project->spec.name, p->spec.name, p->state == PORT_UP);
	for (size_t i = 0; i < ARRAY_SIZE(of_port); i++) {
		family(s, of_port[i].name, "counter", of_port[i].help);
		for (const struct port *p = s->n->ports; p; p = p->next)
			fprintf(s->f,
			    "%s_total{project=\"%s\",port=\"%s\"} %llu\n",
			    of_port[i].name, p->project->spec.name,
			    p->spec.name,
			    (unsigned long long)p->count[of_port[i].counter]);
	}
	family(s, "europa_port_dropped_packets", "counter",
	    "Frames that came in for nobody, by reason.");
	for (const struct port *p = s->n->ports; p; p = p->next)
		for (size_t i = 0; i < ARRAY_SIZE(port_drops); i++)
			fprintf(s->f,
			    "europa_port_dropped_packets_total{project=\"%s\","
			    "port=\"%s\",reason=\"%s\"} %llu\n",
			    p->project->spec.name, p->spec.name,
			    port_drops[i].reason,
			    (unsigned long long)
				p->count[port_drops[i].counter]);
}

/* -------------------------------------------------------------------------------- */

static json_t *
read_routers(struct node *n)
{
	json_t *list = json_array();
	char labels[256];

	for (const struct router *r = n->routers; r; r = r->next) {
		labels_of(r, labels, sizeof(labels));
		json_array_append_new(
		    list, json_pack("{s:s, s:o}", "labels", labels, "vnics",
			      router_vnic_stats_json(r)));
	}
	return list;
}

void
metrics_answer(struct node *n, struct api_request *rq)
{
	scoped_free char *text = NULL;
	size_t size = 0;
	struct scrape s = { .f = open_memstream(&text, &size), .n = n };
	bool ok = s.f != NULL;
	struct problem p;

	if (ok) {
		s.routers = read_routers(n);
		put_node(&s);
		put_routers(&s);
		put_vnics(&s);
		put_ports(&s);
		fputs("# EOF\n", s.f);
		ok = !ferror(s.f);
		ok = fclose(s.f) == 0 && ok;
		json_decref(s.routers);
	}
	if (ok) {
		api_reply_media(rq, media_type, text, size);
		return;
	}
	problem_init(&p);
	problem_set(&p, 503, "busy", "try again in a second", "no memory");
	api_reply_problem(rq, &p);
}
