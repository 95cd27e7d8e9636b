/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring_view: links and segments as clients see them. What a link has done to
 * packets is read where it is counted, on its vNICs.
 */
#include "agent/router.h"

#include "lib/base.h"
#include "lib/vnic_ring.h"

#include <stdio.h>

void
wiring_etag(const struct wiring *w, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%llu", w->uid_text,
	    (unsigned long long)w->generation);
}

/* Why end i does not work, or "". */
static const char *
end_detail(struct node *n, const struct wiring *w, unsigned i)
{
	const struct model_end *e = &w->spec.end[i];
	const struct model_vnic *v;
	const struct router *r;
	const struct port *port;
	struct model_vnic buf;

	if (!e->router[0]) {
		port = node_port(n, w->project, e->port);
		return !port                    ? "there is no such port"
		       : port->state != PORT_UP ? "the port is not up"
						: "";
	}
	r = node_router(n, w->project, e->router);
	if (!r || r->deleting)
		return "there is no such router";
	v = router_find_vnic(r, e->vnic);
	if (!v)
		return "the router has no such vNIC";
	if (!plane_is_up(n->plane))
		return "the node's data plane is away";
	v = wiring_attach(n, w->project, e->router, v, &buf);
	if (!router_vnic_is_attached(r, v, router_vnic_index(r, v->name)))
		return "it is not attached: the other end is not there, or "
		       "the router has not been started";
	return "";
}

struct passed {
	uint64_t packets, impair_loss, impair_queue, duplicated;
};

static void
add_counters(struct passed *p, struct vnic_counters *c, enum wire_way way)
{
	_Atomic(uint64_t) *drop = way == WIRE_TX ? c->tx_drop : c->rx_drop;

	p->packets += vnic_count(way == WIRE_TX ? &c->sent : &c->filled);
	p->impair_loss += vnic_count(&drop[VNIC_DROP_IMPAIR_LOSS]);
	p->impair_queue += vnic_count(&drop[VNIC_DROP_IMPAIR_QUEUE]);
	if (way == WIRE_TX)
		p->duplicated += vnic_count(&c->duplicated);
}

/* What passed from end i to the other, as its vNIC, or the other's, counts. */
static json_t *
passed_json(struct node *n, const struct wiring *w, unsigned i)
{
	const struct model_end *from = &w->spec.end[i];
	enum wire_way way = from->router[0] ? WIRE_TX : WIRE_RX;
	const struct model_end *e = way == WIRE_TX ? from : &w->spec.end[!i];
	const struct router *r = node_router(n, w->project, e->router);
	int index = r ? router_vnic_index(r, e->vnic) : -1;
	struct passed p = { 0 };
	json_t *o;

	for (unsigned q = 0; index >= 0 && q < r->layout.g.n_queues; q++)
		add_counters(&p,
		    vnic_counters(&r->layout, r->host, q, (unsigned)index),
		    way);
	o = json_pack("{s:I, s:I, s:I}", "packets", (json_int_t)p.packets,
	    "impair_loss", (json_int_t)p.impair_loss, "impair_queue",
	    (json_int_t)p.impair_queue);
	if (way == WIRE_TX) /* copies of what a port sent are packets */
		json_object_set_new(
		    o, "duplicated", json_integer((json_int_t)p.duplicated));
	return o;
}

static json_t *
status_json(struct node *n, const struct wiring *w)
{
	json_t *ends = json_array(), *o;
	bool all_up = w->spec.n_ends > 0;
	char text[128];

	for (unsigned i = 0; i < w->spec.n_ends; i++) {
		const char *detail = end_detail(n, w, i);

		model_end_text(&w->spec.end[i], text, sizeof(text));
		json_array_append_new(
		    ends, json_pack("{s:s, s:s, s:s}", "end", text, "state",
			      *detail ? "down" : "up", "detail", detail));
		all_up &= !*detail;
	}
	o = json_pack(
	    "{s:s, s:o}", "state", all_up ? "up" : "down", "ends", ends);
	if (w->spec.kind == MODEL_LINK) {
		json_object_set_new(o, "forward", passed_json(n, w, 0));
		json_object_set_new(o, "reverse", passed_json(n, w, 1));
	}
	return o;
}

json_t *
wiring_json(struct node *n, const struct wiring *w)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:O, s:o, s:o}",
	    "kind", w->spec.kind == MODEL_LINK ? "Link" : "Segment", "name",
	    w->spec.name, "project", w->project->spec.name, "uid", w->uid_text,
	    "generation", (json_int_t)w->generation, "created", w->created,
	    "labels", w->spec.labels, "spec", model_wiring_spec(&w->spec),
	    "status", status_json(n, w));
}
