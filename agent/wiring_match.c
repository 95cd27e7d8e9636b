/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring_match: links to a port that mean more of it than their vNIC's MAC. Two
 * of them overlap if there could be a frame that both mean: if no member of the
 * one excludes the other. Then it would depend on the order who gets it, and
 * there is none; so the second is refused and told of the first.
 */
#include "agent/router.h"

#include "lib/base.h"

#include <stdio.h>

enum { UDP = 17, GRE = 47, VXLAN_PORT = 4789 };

static const struct model_end *
port_of(const struct model_wiring *w)
{
	if (w->kind != MODEL_LINK)
		return NULL;
	for (unsigned i = 0; i < w->n_ends; i++)
		if (!w->end[i].router[0])
			return &w->end[i];
	return NULL;
}

/* --- overlap ------------------------------------------------------------------------ */

static unsigned
family_of(const struct model_match *m)
{
	return m->src.family ? m->src.family : m->dst.family;
}

static unsigned
protocol_of(const struct model_match *m)
{
	if (m->has_vni)
		return UDP;
	return m->has_gre_key ? GRE : m->protocol;
}

static unsigned
dst_port_of(const struct model_match *m)
{
	return m->has_vni ? VXLAN_PORT : m->dst_port;
}

/* 0 is any */
static bool
exclude(unsigned a, unsigned b)
{
	return a && b && a != b;
}

static bool
prefixes_exclude(const struct model_prefix *a, const struct model_prefix *b)
{
	unsigned bits = MIN((unsigned)a->length, (unsigned)b->length);

	if (!a->family || !b->family)
		return false;
	for (unsigned i = 0; 8 * i < bits; i++) {
		unsigned k = MIN(bits - 8 * i, 8u);

		if ((a->bytes[i] ^ b->bytes[i]) & (0xff00 >> k) & 0xff)
			return true;
	}
	return false;
}

static bool
overlap(const struct model_match *a, const struct model_match *b)
{
	if (a->has_mac && b->has_mac && memcmp(a->mac, b->mac, 6) != 0)
		return false;
	if (exclude(family_of(a), family_of(b)) ||
	    exclude(protocol_of(a), protocol_of(b)) ||
	    exclude(a->src_port, b->src_port) ||
	    exclude(dst_port_of(a), dst_port_of(b)))
		return false;
	if (prefixes_exclude(&a->src, &b->src) ||
	    prefixes_exclude(&a->dst, &b->dst))
		return false;
	return !(a->has_vni && b->has_vni && a->tunnel_key != b->tunnel_key) &&
	       !(a->has_gre_key && b->has_gre_key &&
		   a->tunnel_key != b->tunnel_key);
}

static bool
share_a_vlan(const struct model_wiring *w, bool trunk, uint16_t vlan)
{
	return w->trunk || trunk || w->match.vlan == vlan;
}

/* --- what is refused ----------------------------------------------------------------- */

static int
refuse(struct problem *p, const char *what)
{
	problem_set(p, 409, "rule-overlap",
	    "narrow the match until no frame can meet both", "%s", what);
	snprintf(
	    p->error[0].pointer, sizeof(p->error[0].pointer), "/spec/match");
	snprintf(p->error[0].detail, sizeof(p->error[0].detail), "%s", what);
	p->n_errors = 1;
	return -EEXIST;
}

/* Its own MAC, or one that it lists and that is not meant for it anyhow. */
static bool
may_be(const struct model_vnic *v, const char *router,
    const struct model_wiring *w)
{
	if (memcmp(v->mac, w->match.mac, 6) == 0)
		return true;
	for (unsigned i = 0; i < w->n_ends; i++)
		if (strcmp(w->end[i].router, router) == 0)
			return false;
	return model_vnic_lists(v, w->match.mac);
}

static int
check_macs(struct node *n, const struct project *project,
    const struct model_wiring *spec, const char *port, struct problem *p)
{
	struct model_vnic buf;
	char why[256];

	for (const struct router *r = n->routers; r; r = r->next)
		for (unsigned i = 0; i < r->spec.n_vnics; i++) {
			const struct model_vnic *v = wiring_attach(n,
			    r->project, r->spec.name, &r->spec.vnic[i], &buf);

			if (r->project != project ||
			    v->attach != MODEL_ATTACH_PORT || r->deleting ||
			    strcmp(v->port, port) != 0 ||
			    !may_be(v, r->spec.name, spec) ||
			    !share_a_vlan(spec, v->trunk, v->vlan))
				continue;
			snprintf(why, sizeof(why),
			    "frames to that MAC are those of %s:%s",
			    r->spec.name, v->name);
			return refuse(p, why);
		}
	return 0;
}

const struct wiring *
wiring_by_mac(const struct node *n, const struct project *project,
    const char *router, const struct model_vnic *v, const uint8_t mac[6])
{
	for (const struct wiring *w = n->wiring; w; w = w->next) {
		const struct model_end *port = port_of(&w->spec);

		if (port && w->project == project && w->spec.match.has_mac &&
		    v->attach == MODEL_ATTACH_PORT &&
		    strcmp(port->port, v->port) == 0 &&
		    memcmp(w->spec.match.mac, mac, 6) == 0 &&
		    share_a_vlan(&w->spec, v->trunk, v->vlan) &&
		    strcmp(w->spec.end[0].router, router) != 0 &&
		    strcmp(w->spec.end[1].router, router) != 0)
			return w;
	}
	return NULL;
}

int
wiring_check_match(struct node *n, const struct project *project,
    const struct model_wiring *spec, const struct wiring *old,
    struct problem *p)
{
	const struct model_end *port = port_of(spec), *other;
	char why[256];

	if (!port || !model_match_is_rule(&spec->match))
		return 0;
	for (const struct wiring *w = n->wiring; w; w = w->next) {
		other = port_of(&w->spec);
		if (w == old || !other || w->project != project ||
		    !model_match_is_rule(&w->spec.match) ||
		    strcmp(other->port, port->port) != 0 ||
		    !share_a_vlan(spec, w->spec.trunk, w->spec.match.vlan) ||
		    !overlap(&spec->match, &w->spec.match))
			continue;
		snprintf(why, sizeof(why),
		    "the match overlaps that of link %s on port %s",
		    w->spec.name, port->port);
		return refuse(p, why);
	}
	return spec->match.has_mac ? check_macs(n, project, spec, port->port, p)
				   : 0;
}

/* --- for the data plane --------------------------------------------------------------- */

static uint32_t
fields_of(const struct model_match *m)
{
	return (m->has_mac ? WIRE_MATCH_MAC : 0u) |
	       (m->src.family ? WIRE_MATCH_SRC : 0u) |
	       (m->dst.family ? WIRE_MATCH_DST : 0u) |
	       (m->protocol ? WIRE_MATCH_PROTOCOL : 0u) |
	       (m->src_port ? WIRE_MATCH_SRC_PORT : 0u) |
	       (m->dst_port ? WIRE_MATCH_DST_PORT : 0u) |
	       (m->has_vni ? WIRE_MATCH_VNI : 0u) |
	       (m->has_gre_key ? WIRE_MATCH_GRE_KEY : 0u);
}

void
wiring_match(const struct node *n, const struct project *p, const char *router,
    const char *vnic, struct wire_match *out)
{
	const struct model_match *m;
	const struct wiring *w;
	unsigned end;

	/* field by field into zeros: what was said is compared as memory */
	memset(out, 0, sizeof(*out));
	w = wiring_of(n, p, router, vnic, &end);
	if (!w || !port_of(&w->spec))
		return;
	m = &w->spec.match;
	out->fields = fields_of(m);
	memcpy(out->mac, m->mac, sizeof(out->mac));
	out->family = (uint8_t)family_of(m);
	out->src_bits = m->src.length;
	out->dst_bits = m->dst.length;
	memcpy(out->src, m->src.bytes, sizeof(out->src));
	memcpy(out->dst, m->dst.bytes, sizeof(out->dst));
	out->protocol = m->protocol;
	out->src_port = m->src_port;
	out->dst_port = m->dst_port;
	out->tunnel_key = m->tunnel_key;
}
