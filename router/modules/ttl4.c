/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttl4: the last questions to a packet that is to be forwarded, is it too old
 * (RFC 1812, 5.3.1) or too long for the way out; then its TTL goes down.
 *
 * Both before the change: an ICMP error quotes the packet as it came.
 */
#include "router/modules.h"
#include "router/packet.h"

bool
ttl4(const struct tables *t, struct batch *b)
{
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		uint8_t *ip = b->frame[i].data + ETH_BYTES;

		if (unlikely(ip[IP4_TTL] <= 1)) {
			batch_drop(b, i, FATE_TTL);
			continue;
		}
		if (unlikely(
			load_be16(ip + IP4_TOTAL) > t->hop[b->hop[i]].mtu)) {
			bool whole = load_be16(ip + IP4_FRAGMENT) & IP4_DF;

			batch_drop(b, i, whole ? FATE_TOO_BIG : FATE_OVERSIZE);
			continue;
		}
		ip4_decrement_ttl(ip);
	}
	return batch_any(b);
}
