/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup4: where does a packet go? Longest match in the trie of fib4.h, then,
 * for directly connected networks, an exact match of the host.
 */
#include "router/modules.h"
#include "router/packet.h"

/* x86-64-v2 has it, and DPDK on the host asks for no less. */
#ifdef __x86_64__
#define COUNTS_BITS __attribute__((target("popcnt")))
#else
#define COUNTS_BITS
#endif

#define LEAF (UINT32_C(1) << 31)

/* How many of the bits 0..v are set. */
COUNTS_BITS static inline uint32_t
rank(uint64_t bits, uint32_t v)
{
	return (uint32_t)__builtin_popcountll(bits & (UINT64_MAX >> (63 - v)));
}

COUNTS_BITS uint16_t
fib4_lookup(const struct fib4 *f, uint32_t dst)
{
	uint32_t at = f->root[dst >> (32 - FIB4_ROOT_BITS)];
	unsigned shift = 32 - FIB4_ROOT_BITS;

	while (!(at & LEAF)) {
		const struct fib4_node *node = &f->node[at];
		uint32_t v;

		shift -= FIB4_BITS;
		v = dst >> shift & ((1U << FIB4_BITS) - 1);
		if (node->children >> v & 1)
			at = node->child0 + rank(node->children, v) - 1;
		else
			return f->leaf[node->leaf0 + rank(node->starts, v) - 1];
	}
	return (uint16_t)at;
}

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
	[HOP_GLEAN] = FATE_UNRESOLVED,
	[HOP_UNRESOLVED] = FATE_UNRESOLVED,
};

bool
lookup4(const struct tables *t, struct batch *b)
{
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		uint16_t hop = tables_route(t, b->dst[i]);
		uint8_t kind = t->hop[hop].kind;

		b->hop[i] = hop;
		if (unlikely(kind != HOP_FORWARD))
			batch_drop(b, i, (enum fate)fate_of_hop[kind]);
	}
	return batch_any(b);
}
