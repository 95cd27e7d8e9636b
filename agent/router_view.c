/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_view: a router as clients see it. Counters are read from the host
 * region, which only the data plane writes; what the router itself claims
 * stands apart.
 */
#include "agent/router.h"

#include "lib/base.h"
#include "lib/vnic_ring.h"

#include <stdio.h>

static const char *const done_names[VNIC_N_DONE] = {
	[VNIC_DONE_UNUSED] = "unused",
	[VNIC_DONE_DELIVERED] = "delivered",
	[VNIC_DONE_TTL] = "ttl",
	[VNIC_DONE_NO_ROUTE] = "no_route",
	[VNIC_DONE_BAD_HEADER] = "bad_header",
	[VNIC_DONE_FILTERED] = "filtered",
	[VNIC_DONE_NO_SLOT] = "no_slot",
	[VNIC_DONE_OTHER] = "other",
};

static const char *const fault_names[VNIC_N_FAULT] = {
	[VNIC_FAULT_BAD_SLOT] = "bad_slot",
	[VNIC_FAULT_NOT_HELD] = "not_held",
	[VNIC_FAULT_BAD_LEN] = "bad_len",
	[VNIC_FAULT_BAD_KIND] = "bad_kind",
};

/* Reasons without a name are not in use in this version. */
static const char *const drop_names[VNIC_N_DROP] = {
	[VNIC_DROP_NO_SLOT] = "no_slot",
	[VNIC_DROP_ROUTER_DOWN] = "router_down",
	[VNIC_DROP_NOT_RUNNING] = "not_running",
	[VNIC_DROP_PAUSED] = "paused",
	[VNIC_DROP_VNIC_DOWN] = "vnic_down",
	[VNIC_DROP_OVERSIZE] = "oversize",
	[VNIC_DROP_RUNT] = "runt",
	[VNIC_DROP_SPOOFED] = "spoofed",
	[VNIC_DROP_PORT_TX_FULL] = "port_tx_full",
	[VNIC_DROP_LINK_DOWN] = "link_down",
	[VNIC_DROP_QUARANTINED] = "quarantined",
	[VNIC_DROP_QUOTA_PPS] = "quota_pps",
	[VNIC_DROP_QUOTA_BPS] = "quota_bps",
	[VNIC_DROP_BROADCAST] = "broadcast_budget",
	[VNIC_DROP_ACL_DENY] = "acl_deny",
	[VNIC_DROP_WORKER_FULL] = "worker_full",
	[VNIC_DROP_IMPAIR_LOSS] = "impair_loss",
	[VNIC_DROP_IMPAIR_QUEUE] = "impair_queue",
	[VNIC_DROP_NO_MATCH] = "no_match",
};

/* Plain sums of one vNIC over its queues. */
struct sums {
	uint64_t offered, filled, filled_bytes, back, in_doubt, sent,
	    sent_bytes, originated;
	uint64_t done[VNIC_N_DONE];
	uint64_t fault[VNIC_N_FAULT];
	uint64_t rx_drop[VNIC_N_DROP];
	uint64_t tx_drop[VNIC_N_DROP];
};

static void
add_queue(struct sums *s, struct vnic_counters *c)
{
	s->offered += vnic_count(&c->offered);
	s->back += vnic_count(&c->back); /* before filled: held is never < 0 */
	s->in_doubt += vnic_count(&c->in_doubt);
	s->filled += vnic_count(&c->filled);
	s->filled_bytes += vnic_count(&c->filled_bytes);
	s->sent += vnic_count(&c->sent);
	s->sent_bytes += vnic_count(&c->sent_bytes);
	s->originated += vnic_count(&c->originated);
	for (unsigned i = 0; i < VNIC_N_DONE; i++)
		s->done[i] += vnic_count(&c->done[i]);
	for (unsigned i = 0; i < VNIC_N_FAULT; i++)
		s->fault[i] += vnic_count(&c->fault[i]);
	for (unsigned i = 0; i < VNIC_N_DROP; i++) {
		s->rx_drop[i] += vnic_count(&c->rx_drop[i]);
		s->tx_drop[i] += vnic_count(&c->tx_drop[i]);
	}
}

static json_t *
named_counts(const char *const *names, const uint64_t *v, unsigned n)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < n; i++)
		if (names[i])
			json_object_set_new(
			    o, names[i], json_integer((json_int_t)v[i]));
	return o;
}

static json_t *
count(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *
vnic_stats(const struct router *r, unsigned index)
{
	struct sums s = { 0 };

	for (unsigned q = 0; q < r->layout.g.n_queues; q++)
		add_queue(&s, vnic_counters(&r->layout, r->host, q, index));
	return json_pack(
	    "{s:s, s:{s:o, s:o, s:o, s:o}, s:{s:o, s:o, s:o, s:o}, s:o, s:o,"
	    " s:o, s:o, s:o}",
	    "name", r->vnic[index].wire.name, "rx", "offered", count(s.offered),
	    "filled", count(s.filled), "filled_bytes", count(s.filled_bytes),
	    "drops", named_counts(drop_names, s.rx_drop, VNIC_N_DROP), "tx",
	    "sent", count(s.sent), "sent_bytes", count(s.sent_bytes),
	    "originated", count(s.originated), "drops",
	    named_counts(drop_names, s.tx_drop, VNIC_N_DROP), "done",
	    named_counts(done_names, s.done, VNIC_N_DONE), "faults",
	    named_counts(fault_names, s.fault, VNIC_N_FAULT), "back",
	    count(s.back), "in_doubt", count(s.in_doubt), "held",
	    count(s.filled - s.back - s.in_doubt));
}

static json_t *
claims(const struct router *r)
{
	json_t *counters;

	if (!r->stats)
		return json_null();
	counters = json_object();
	for (uint32_t i = 0; i < r->stats->u.stats.n; i++)
		json_object_set_new(counters, r->stats->u.stats.counter[i].name,
		    count(r->stats->u.stats.counter[i].value));
	return json_pack("{s:o, s:o}", "generation",
	    count(r->stats->u.stats.generation), "counters", counters);
}

uint64_t
router_epochs_ended(const struct router *r, bool by_faults)
{
	uint64_t sum = 0;

	for (unsigned q = 0; r->has_memory && q < r->layout.g.n_queues; q++) {
		struct vnic_beat_line *b =
		    vnic_host_beat(&r->layout, r->host, q);

		sum += vnic_count(by_faults ? &b->quarantines : &b->resets);
	}
	return sum;
}

json_t *
router_vnic_stats_json(const struct router *r)
{
	json_t *vnics = json_array();

	for (unsigned i = 0; i < r->spec.n_vnics; i++) {
		int index = router_vnic_index(r, r->spec.vnic[i].name);

		if (index >= 0)
			json_array_append_new(
			    vnics, vnic_stats(r, (unsigned)index));
	}
	return vnics;
}

/* Those of the host, of vNICs that have gone as well; zeros are left out. */
static void
add_host_drops(json_t *list, const struct router *r)
{
	struct sums s = { 0 };

	for (unsigned q = 0; r->has_memory && q < r->layout.g.n_queues; q++)
		for (unsigned v = 0; v < r->layout.g.max_vnics; v++)
			add_queue(&s, vnic_counters(&r->layout, r->host, q, v));
	for (unsigned way = 0; way < 2; way++)
		for (unsigned i = 0; i < VNIC_N_DROP; i++) {
			uint64_t n = way == 0 ? s.rx_drop[i] : s.tx_drop[i];

			if (n > 0 && drop_names[i])
				json_array_append_new(list,
				    json_pack("{s:s, s:s, s:s, s:o}", "by",
					"host", "module",
					way == 0 ? "rx" : "tx", "reason",
					drop_names[i], "packets", count(n)));
		}
}

json_t *
router_stats_json(struct router *r)
{
	json_t *drops = json_array();

	add_host_drops(drops, r);
	if (r->drops)
		json_array_extend(drops, r->drops);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "vnics",
	    router_vnic_stats_json(r), "resets",
	    count(router_epochs_ended(r, false)), "quarantines",
	    count(router_epochs_ended(r, true)), "router", claims(r), "rates",
	    router_rates_json(r), "drops", drops, "drops_complete",
	    r->drops != NULL);
}

static void
link_text(const struct model_vnic *v, char *buf, size_t size)
{
	if (v->attach == MODEL_ATTACH_PORT && v->vlan != 0)
		snprintf(
		    buf, size, "port:%s vlan %u", v->port, (unsigned)v->vlan);
	else if (v->attach == MODEL_ATTACH_PORT)
		snprintf(buf, size, "port:%s", v->port);
	else if (v->attach == MODEL_ATTACH_VNIC)
		snprintf(buf, size, "%s:%s", v->router, v->peer);
	else if (v->attach == MODEL_ATTACH_SEGMENT)
		snprintf(buf, size, "segment:%s", v->port);
	else
		buf[0] = '\0';
}

bool
router_vnic_is_attached(
    const struct router *r, const struct model_vnic *v, int index)
{
	const struct router_vnic *x;
	const struct port *port;

	if (index < 0 || !plane_is_up(r->node->plane))
		return false;
	x = &r->vnic[index];
	if (!x->sent || x->wire.attach == WIRE_ATTACH_NONE)
		return false;
	if (v->attach != MODEL_ATTACH_PORT)
		return true;
	port = node_port(r->node, r->project, v->port);
	return port && port->state == PORT_UP;
}

json_t *
router_vnic_json(const struct router *r, const struct model_vnic *spec)
{
	struct model_vnic buf;
	const struct model_vnic *v =
	    wiring_attach(r->node, r->project, r->spec.name, spec, &buf);
	int index = router_vnic_index(r, v->name);
	char mac[32], link[160];

	model_mac_text(v->mac, mac, sizeof(mac));
	link_text(v, link, sizeof(link));
	return json_pack("{s:s, s:o, s:s, s:i, s:b, s:s}", "name", v->name,
	    "index", index < 0 ? json_null() : json_integer(index), "mac", mac,
	    "mtu", (int)v->mtu, "attached",
	    router_vnic_is_attached(r, v, index), "link", link);
}

const struct model_vnic *
router_find_vnic(const struct router *r, const char *name)
{
	for (unsigned i = 0; i < r->spec.n_vnics; i++)
		if (strcmp(r->spec.vnic[i].name, name) == 0)
			return &r->spec.vnic[i];
	return NULL;
}

json_t *
router_vnic_object(const struct router *r, const struct model_vnic *v)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "kind", "Vnic", "name",
	    v->name, "router", r->spec.name, "spec", model_vnic_json(v),
	    "status", router_vnic_json(r, v));
}

json_t *
router_answer_json(struct router *r, const struct api_request *rq)
{
	const struct model_vnic *v;

	if (api_op(rq) == API_QUOTA_PATCH || api_op(rq) == API_QUOTA_GET)
		return router_quota_json(r);
	v = api_op(rq) == API_VNIC_PATCH ? router_find_vnic(r, api_subname(rq))
					 : NULL;
	return v ? router_vnic_object(r, v) : router_json(r);
}

static json_t *
limits_json(const struct container_limits *l)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "cpu_millis",
	    count(l->cpu_millis), "mem_bytes", count(l->mem_bytes), "pids",
	    count(l->pids), "disk_bytes", count(l->disk_bytes));
}

static json_t *
condition(const char *type, bool status, const char *detail)
{
	return json_pack("{s:s, s:b, s:s}", "type", type, "status", status,
	    "detail", detail);
}

static json_t *
conditions(const struct router *r)
{
	json_t *a = json_array();
	char why[512] = "no program in the container serves its vNICs";

	router_program_flaw(r, why, sizeof(why));
	json_array_append_new(a,
	    condition("data-plane", plane_is_up(r->node->plane),
		plane_is_up(r->node->plane) ? ""
					    : "the node's data plane is away"));
	json_array_append_new(a, condition("attached", router_is_attached(r),
				     router_is_attached(r) ? "" : why));
	if (r->stalled)
		json_array_append_new(
		    a, condition("stalled", true,
			   "it holds packets and gives no sign of life"));
	return a;
}

static json_t *
status_json(const struct router *r)
{
	json_t *vnics = json_array();
	json_t *o;

	for (unsigned i = 0; i < r->spec.n_vnics; i++)
		json_array_append_new(
		    vnics, router_vnic_json(r, &r->spec.vnic[i]));
	o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:i, s:o}, s:{s:b, s:o}}",
	    "state", router_state_text(r->state), "since", r->since,
	    "observed_generation", count(r->observed_generation), "vnics",
	    vnics, "conditions", conditions(r), "container", "init_pid",
	    (int)r->container.init_pid, "effective",
	    limits_json(&r->container.effective), "dataplane", "running",
	    r->process_running, "starts", count(r->process_starts));
	json_object_set_new(o, "faults", faults_json(&r->faults));
	json_object_set_new(o, "lease", router_lease_json(&r->lease));
	if (r->failed)
		json_object_set_new(o, "problem",
		    json_pack("{s:s, s:s, s:s}", "code", "start-failed",
			"detail", r->fail_detail, "remedy", r->fail_remedy));
	return o;
}

json_t *
router_json(const struct router *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:O, s:o, s:o}",
	    "kind", "Router", "name", r->spec.name, "project",
	    r->project->spec.name, "uid", r->uid_text, "generation",
	    count(r->generation), "created", r->created, "labels",
	    r->spec.labels, "spec",
	    spec_view_json(r->spec_view, &r->spec, r->generation), "status",
	    status_json(r));
}

void
router_etag(const struct router *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%llu", r->uid_text,
	    (unsigned long long)r->generation);
}
