/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup6: where does an IPv6 packet go? Longest match, then, for directly
 * connected networks, an exact match of the host.
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
	uint16_t hop = route6_lookup(t->route6, dst);

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
lookup6(const struct tables *t, struct batch *b)
{
	for (uint64_t mask = b->alive6; mask;) {
		unsigned i = batch_pop(&mask);
		const uint8_t *ip = b->frame[i].data + ETH_BYTES;
		uint16_t hop = tables_route6(t, ip6_load(ip + IP6_DST));
		uint8_t kind = t->hop[hop].kind;

		b->hop[i] = hop;
		if (unlikely(kind != HOP_FORWARD))
			batch_drop6(b, i, (enum fate)fate_of_hop[kind]);
	}
	return batch_any(b);
}
