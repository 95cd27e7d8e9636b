/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables: how they are joined from a plan, the ports and the neighbours.
 */
#include "router/plan.h"

#include "lib/base.h"

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

/* Hops of hosts come first resolved; gateways then copy theirs. */
static void
fill(struct tables *t, struct hop *hop, struct host *host, const struct plan *p)
{
	unsigned first = HOP_I_GATEWAY + p->n_gateways;

	hop[HOP_I_LOCAL].kind = HOP_LOCAL;
	hop[HOP_I_BROADCAST].kind = HOP_BROADCAST;
	for (unsigned v = 0; v < VNIC_MAX_VNICS; v++)
		hop[HOP_I_GLEAN + v] = hop_towards(t->vnic, v, 0);
	for (unsigned i = first; i < t->n_hops; i++)
		add_host(host, t->host_mask,
		    (struct host){ hop[i].ip, hop[i].vnic, (uint16_t)i });
	for (unsigned i = 0; i < p->n_gateways; i++) {
		const struct gateway *g = &p->gateway[i];
		const struct host *e = find_host(t, g->ip, g->vnic);

		hop[HOP_I_GATEWAY + i] =
		    e ? hop[e->hop] : hop_towards(t->vnic, g->vnic, g->ip);
	}
}

struct tables *
tables_make(const struct plan *p, const struct port *ports,
    const struct neighbour *nb, unsigned n, uint8_t *used)
{
	unsigned first = HOP_I_GATEWAY + p->n_gateways;
	struct tables *t = calloc(1, sizeof(*t));
	struct hop *hop = calloc(first + n, sizeof(*hop));
	struct host *host;
	uint32_t places = 4;

	while (places < 2 * n)
		places *= 2;
	host = calloc(places, sizeof(*host));
	if (!t || !hop || !host) {
		free(t);
		free(hop);
		free(host);
		return NULL;
	}
	memcpy(t->vnic, ports, sizeof(t->vnic));
	for (unsigned i = 0; i < n; i++) {
		struct hop *h = &hop[first + i];

		*h = hop_towards(ports, nb[i].vnic, nb[i].ip);
		set_forward(h, &nb[i], &ports[nb[i].vnic]);
	}
	t->hop = hop;
	t->host = host;
	t->n_hops = first + n;
	t->host_mask = places - 1;
	t->used = used;
	fill(t, hop, host, p);
	t->fib = p->fib;
	p->fib->n_refs++;
	return t;
}

void
tables_free(const struct tables *t)
{
	struct fib4 *fib;

	if (!t)
		return;
	/* the writer made them, and gave them away as const */
	fib = (struct fib4 *)(uintptr_t)t->fib;
	if (--fib->n_refs == 0)
		fib4_free(fib);
	free((void *)(uintptr_t)t->hop);
	free((void *)(uintptr_t)t->host);
	free((void *)(uintptr_t)t);
}
