/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables: how they are joined from a plan, the ports and the neighbours.
 */
#include "router/plan.h"

#include "lib/base.h"
#include "router/filter_rules.h"

static void
set_forward(struct hop *hop, const struct neighbour *nb, const struct port *out)
{
	hop->kind = out->up ? HOP_FORWARD : HOP_DOWN;
	hop->neigh = nb->index;
	memcpy(hop->eth, nb->mac, 6);
	memcpy(hop->eth + 6, out->mac, 6);
}

static struct hop
hop_towards(const struct port *ports, unsigned vnic, uint32_t ip)
{
	const struct port *out = &ports[vnic];
	struct hop hop = {
		.kind = ip ? HOP_UNRESOLVED : HOP_GLEAN,
		.vnic = (uint16_t)vnic,
		.mtu = (uint16_t)MIN(out->mtu, (uint32_t)UINT16_MAX),
		.ip = ip,
	};

	if (!out->up)
		hop.kind = HOP_DOWN;
	return hop;
}

static void
add_host(struct host *host, uint32_t mask, struct host e)
{
	uint32_t h = host_hash(e.ip, e.vnic);

	while (host[h & mask].ip)
		h++;
	host[h & mask] = e;
}

static const struct host *
find_host(const struct tables *t, uint32_t ip, uint16_t vnic)
{
	for (uint32_t h = host_hash(ip, vnic);; h++) {
		const struct host *e = &t->host[h & t->host_mask];

		if (e->ip == 0)
			return NULL;
		if (e->ip == ip && e->vnic == vnic)
			return e;
	}
}

static void
add_host6(struct host6 *host, uint32_t mask, struct host6 e)
{
	uint32_t h = ip6_hash(e.ip, e.vnic);

	while (host[h & mask].hop)
		h++;
	host[h & mask] = e;
}

static const struct host6 *
find_host6(const struct tables *t, struct ip6 ip, uint16_t vnic)
{
	for (uint32_t h = ip6_hash(ip, vnic);; h++) {
		const struct host6 *e = &t->host6[h & t->host6_mask];

		if (e->hop == 0)
			return NULL;
		if (e->vnic == vnic && ip6_is_equal(e->ip, ip))
			return e;
	}
}

/* What is being filled; the members of t are const. */
struct maker {
	struct tables *t;
	struct hop *hop;
	struct host *host;
	struct host6 *host6;
	struct ip6 *gateway6;
};

static void
fill_hosts(struct maker *m, const struct neighbour *nb, unsigned n)
{
	unsigned first = m->t->n_hops - n;

	for (unsigned i = 0; i < n; i++) {
		uint16_t at = (uint16_t)(first + i); /* < n_hops */
		const struct port *out = &m->t->vnic[nb[i].vnic];
		struct hop *hop = &m->hop[at];

		*hop = hop_towards(m->t->vnic, nb[i].vnic, nb[i].ip);
		set_forward(hop, &nb[i], out);
		if (nb[i].ip)
			add_host(m->host, m->t->host_mask,
			    (struct host){ nb[i].ip, nb[i].vnic, at });
		else
			add_host6(m->host6, m->t->host6_mask,
			    (struct host6){ nb[i].ip6, nb[i].vnic, at, 0 });
	}
}

static void
fill_gateways(struct maker *m, const struct plan *p)
{
	struct hop *hop = m->hop + HOP_I_GATEWAY;

	for (unsigned i = 0; i < p->n_gateways; i++) {
		const struct gateway *g = &p->gateway[i];
		const struct host *e = find_host(m->t, g->ip, g->vnic);

		*hop++ = e ? m->hop[e->hop]
			   : hop_towards(m->t->vnic, g->vnic, g->ip);
	}
	hop = m->hop + m->t->first6;
	for (unsigned i = 0; i < p->n_gateways6; i++, hop++) {
		const struct gateway6 *g = &p->gateway6[i];
		const struct host6 *e = find_host6(m->t, g->ip, g->vnic);

		m->gateway6[i] = g->ip;
		*hop = e ? m->hop[e->hop] : hop_towards(m->t->vnic, g->vnic, 0);
		if (hop->kind == HOP_GLEAN)
			hop->kind = HOP_UNRESOLVED;
	}
}

/* Hops of hosts come first resolved; gateways then copy theirs. */
static void
fill(struct maker *m, const struct plan *p, const struct neighbour *nb,
    unsigned n)
{
	m->hop[HOP_I_LOCAL].kind = HOP_LOCAL;
	m->hop[HOP_I_BROADCAST].kind = HOP_BROADCAST;
	m->hop[HOP_I_BLACKHOLE].kind = HOP_BLACKHOLE;
	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++)
		m->hop[HOP_I_GLEAN + v] = hop_towards(m->t->vnic, v, 0);
	fill_hosts(m, nb, n);
	fill_gateways(m, p);
}

/* Room for n hosts and the gateways of p, all zeros; false: no memory. */
static bool
make_room(struct maker *m, const struct plan *p, unsigned n, unsigned n6)
{
	struct tables *t = calloc(1, sizeof(*t));
	uint32_t places = 4, places6 = 4;

	while (places < 2 * (n - n6))
		places *= 2;
	while (places6 < 2 * n6)
		places6 *= 2;
	if (!t)
		return false;
	/* the gap, if there is one, is zeros that nobody touches */
	t->first6 = p->n_gateways6 ? (uint32_t)PLAN_FIRST6
				   : HOP_I_GATEWAY + p->n_gateways;
	t->n_gateways6 = p->n_gateways6;
	t->n_hops = t->first6 + p->n_gateways6 + n;
	t->host_mask = places - 1;
	t->host6_mask = places6 - 1;
	*m = (struct maker){ .t = t };
	t->hop = m->hop = calloc(t->n_hops, sizeof(*m->hop));
	t->host = m->host = calloc(places, sizeof(*m->host));
	t->host6 = m->host6 = calloc(places6, sizeof(*m->host6));
	t->gateway6 = m->gateway6 =
	    calloc(p->n_gateways6 + 1, sizeof(*m->gateway6));
	if (m->hop && m->host && m->host6 && m->gateway6)
		return true;
	tables_free(t);
	return false;
}

struct tables *
tables_make(const struct plan *p, const struct port *ports,
    const struct neighbour *nb, unsigned n, uint8_t *used)
{
	unsigned n6 = 0;
	struct maker m;

	for (unsigned i = 0; i < n; i++)
		n6 += nb[i].ip == 0;
	if (!make_room(&m, p, n, n6))
		return NULL;
	memcpy(m.t->vnic, ports, sizeof(m.t->vnic));
	m.t->used = used;
	m.t->twins = p->twins;
	m.t->gather = p->gather;
	fill(&m, p, nb, n);
	m.t->fib = p->fib;
	p->fib->n_refs++;
	m.t->fib6 = p->fib6;
	p->fib6->n_refs++;
	m.t->filter = p->filter;
	if (p->filter)
		p->filter->n_refs++;
	return m.t;
}

void
tables_free(const struct tables *t)
{
	struct fib4 *fib;
	struct fib6 *fib6;

	if (!t)
		return;
	/* the writer made them, and gave them away as const */
	fib = (struct fib4 *)(uintptr_t)t->fib;
	if (fib && --fib->n_refs == 0)
		fib4_free(fib);
	fib6 = (struct fib6 *)(uintptr_t)t->fib6;
	if (fib6 && --fib6->n_refs == 0)
		fib6_free(fib6);
	filter_put((struct filter *)(uintptr_t)t->filter);
	free((void *)(uintptr_t)t->hop);
	free((void *)(uintptr_t)t->host);
	free((void *)(uintptr_t)t->host6);
	free((void *)(uintptr_t)t->gateway6);
	free((void *)(uintptr_t)t);
}
