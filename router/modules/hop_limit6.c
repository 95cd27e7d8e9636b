/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hop_limit6: the last questions to an IPv6 packet that is to be forwarded, has
 * it come too far (RFC 4443, 3.3) or is it too long for the way out; then its
 * hop limit goes down. There is no checksum, and no router cuts it in pieces.
 *
 * Both before the change: an ICMPv6 error quotes the packet as it came.
 */
#include "router/modules.h"
#include "router/packet.h"

bool
hop_limit6(const struct tables *t, struct batch *b)
{
	for (uint64_t mask = b->alive6; mask;) {
		unsigned i = batch_pop(&mask);
		uint8_t *ip = b->frame[i].data + ETH_BYTES;

		if (unlikely(ip[IP6_HOP_LIMIT] <= 1))
			batch_drop6(b, i, FATE_TTL);
		else if (unlikely(ip6_total(ip) > t->hop[b->hop[i]].mtu))
			batch_drop6(b, i, FATE_TOO_BIG);
		else
			ip[IP6_HOP_LIMIT]--;
	}
	return batch_any(b);
}
