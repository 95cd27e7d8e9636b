/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup6: where does an IPv6 packet go? Longest match in the table of fib6.h,
 * for the whole batch at once, then, for directly connected networks, an exact
 * match of the host. It comes after lookup4, which writes to the hop of each.
 */
#include "router/modules.h"
#include "router/packet.h"

static uint16_t
find_host(const struct tables *t, struct ip6 ip, uint16_t glean)
{
	uint16_t vnic = t->hop[glean].vnic;

	for (uint32_t h = ip6_hash(ip, vnic);; h++) {
		const struct host6 *e = &t->host6[h & t->host6_mask];

		if (e->hop == 0)
			return glean;
		if (e->vnic == vnic && ip6_is_equal(e->ip, ip))
			return e->hop;
	}
}

uint16_t
tables_route6(const struct tables *t, struct ip6 dst)
{
	struct fib6_addr a = { dst.hi, dst.lo };
	uint16_t hop = fib6_lookup(t->fib6, a);

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

/* Looks all of them up at once; returns how many there are. */
static unsigned
lookup_all(const struct fib6 *f, const struct batch *b, struct fib6_addr *dst,
    uint16_t *hop)
{
	unsigned n = 0;

	for (uint64_t mask = b->alive6; mask; n++) {
		const uint8_t *ip = b->frame[batch_pop(&mask)].data + ETH_BYTES;
		struct ip6 a = ip6_load(ip + IP6_DST);

		dst[n] = (struct fib6_addr){ a.hi, a.lo };
	}
	if (n > 0)
		fib6_lookup_burst(f, dst, hop, n);
	return n;
}

bool
lookup6(const struct tables *t, struct batch *b)
{
	struct fib6_addr dst[BATCH_MAX];
	uint16_t hop[BATCH_MAX];
	uint64_t mask = b->alive6;
	unsigned n;

	if (likely(mask == 0))
		return batch_any(b);
	n = lookup_all(t->fib6, b, dst, hop);
	for (unsigned k = 0; k < n; k++) {
		unsigned i = batch_pop(&mask);
		uint8_t kind = t->hop[hop[k]].kind;

		b->hop[i] = hop[k];
		if (kind == HOP_GLEAN) {
			struct ip6 a = { dst[k].hi, dst[k].lo };

			b->hop[i] = find_host(t, a, hop[k]);
			kind = t->hop[b->hop[i]].kind;
		}
		if (unlikely(kind != HOP_FORWARD))
			batch_drop6(b, i, (enum fate)fate_of_hop[kind]);
	}
	return batch_any(b);
}
