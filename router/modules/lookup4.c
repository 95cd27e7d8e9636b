/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup4: where does a packet go? Longest match in the table of fib4.h, for the
 * whole batch at once, then, for directly connected networks, an exact match of
 * the host. Frames that are out are looked up too, their answer is not used:
 * that is less than to pick out the others.
 */
#include "router/modules.h"
#include "router/packet.h"

static uint16_t
find_host(const struct tables *t, uint32_t ip, uint16_t glean)
{
	uint16_t vnic = t->hop[glean].vnic;

	for (uint32_t h = host_hash(ip, vnic);; h++) {
		const struct host *e = &t->host[h & t->host_mask];

		if (e->ip == 0)
			return glean;
		if (e->ip == ip && e->vnic == vnic)
			return e->hop;
	}
}

uint16_t
tables_route(const struct tables *t, uint32_t dst)
{
	uint16_t hop = fib4_lookup(t->fib, dst);

	if (t->hop[hop].kind == HOP_GLEAN)
		return find_host(t, dst, hop);
	return hop;
}

static const uint8_t fate_of_hop[] = {
	[HOP_NONE] = FATE_NO_ROUTE,
	[HOP_LOCAL] = FATE_LOCAL,
	[HOP_BROADCAST] = FATE_BROADCAST,
	[HOP_DOWN] = FATE_VNIC_DOWN,
	[HOP_BLACKHOLE] = FATE_BLACKHOLE,
	[HOP_GLEAN] = FATE_UNRESOLVED,
	[HOP_UNRESOLVED] = FATE_UNRESOLVED,
};

bool
lookup4(const struct tables *t, struct batch *b)
{
	if (unlikely(b->alive == 0))
		return batch_any(b);
	fib4_lookup_burst(t->fib, b->dst, b->hop, b->n);
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		uint16_t hop = b->hop[i];
		uint8_t kind = t->hop[hop].kind;

		if (likely(kind == HOP_FORWARD))
			continue;
		if (kind == HOP_GLEAN) {
			b->hop[i] = hop = find_host(t, b->dst[i], hop);
			kind = t->hop[hop].kind;
		}
		if (kind != HOP_FORWARD)
			batch_drop(b, i, (enum fate)fate_of_hop[kind]);
	}
	return batch_any(b);
}
