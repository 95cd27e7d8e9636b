/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_ip6: is this a valid IPv6 header, and may a router forward it?
 *
 * RFC 8200, 3: 40 bytes, version 6, and a payload that the frame holds; there
 * are no jumbograms here. RFC 4291, 2: a source is no group and not loopback,
 * :: as a source and link-local addresses stay on their link, and nothing to
 * :: or ::1 is ever on a wire; 2.7: groups of the link's scope are for us to
 * look at, there is no multicast routing. RFC 2464: what goes to one host does
 * not come in a frame for many.
 *
 * RFC 8200, 4.3: a hop-by-hop header is for each node on the way.
 */
#include "router/modules.h"
#include "router/packet.h"

enum { ND_FIRST = 133, ND_LAST = 137 };

static enum fate
check_header(const uint8_t *ip, unsigned room)
{
	unsigned payload;

	if (unlikely(room < IP6_BYTES))
		return FATE_SHORT;
	if (unlikely(ip[IP6_VERSION] >> 4 != 6))
		return FATE_VERSION;
	payload = load_be16(ip + IP6_PAYLOAD);
	if (unlikely(payload > room - IP6_BYTES ||
		     (payload == 0 && ip[IP6_NEXT] != NEXT_NONE)))
		return FATE_TOTAL_LENGTH;
	return N_FATES;
}

/* Messages of ND do not leave the link: their hop limit shows that. */
static bool
is_nd(const uint8_t *ip)
{
	return ip[IP6_NEXT] == NEXT_ICMP6 && ip[IP6_HOP_LIMIT] == 255 &&
	       ip[IP6_BYTES] >= ND_FIRST && ip[IP6_BYTES] <= ND_LAST;
}

/*
 * Scopes 1 and 2 end here; those beyond would have to be routed. A host that
 * has no address yet may speak to its link (RFC 3590).
 */
static enum fate
check_group(struct ip6 src, struct ip6 dst)
{
	bool is_near = (dst.hi >> 48 & 0xf) <= 2;

	if (!ip6_is_host(src) && !(is_near && ip6_is_zero(src)))
		return FATE_MARTIAN_SOURCE;
	return is_near ? FATE_LOCAL : FATE_MULTICAST;
}

static enum fate
check_addresses(struct ip6 src, struct ip6 dst, bool to_group_mac)
{
	if (unlikely(ip6_is_multicast(dst)))
		return check_group(src, dst);
	if (unlikely(!ip6_is_host(src)))
		return FATE_MARTIAN_SOURCE;
	if (unlikely(!ip6_is_host(dst)))
		return FATE_MARTIAN_DESTINATION;
	if (unlikely(to_group_mac))
		return FATE_GROUP_MAC;
	if (unlikely(ip6_is_link_local(dst)))
		return FATE_LOCAL;
	return unlikely(ip6_is_link_local(src)) ? FATE_SCOPE : N_FATES;
}

bool
check_ip6(const struct tables *t, struct batch *b)
{
	(void)t;
	for (uint64_t mask = b->alive6; mask;) {
		unsigned i = batch_pop(&mask);
		struct vnic_frame *f = &b->frame[i];
		const uint8_t *ip = f->data + ETH_BYTES;
		unsigned end;
		enum fate fate = check_header(ip, (unsigned)f->len - ETH_BYTES);

		if (unlikely(fate != N_FATES)) {
			batch_drop6(b, i, fate);
			continue;
		}
		end = ETH_BYTES + ip6_total(ip);
		if (end < ETH_MIN_FRAME)
			end = ETH_MIN_FRAME;
		if (f->len > end)
			f->len = (uint16_t)end; /* < f->len: it fits */
		if (unlikely(ip[IP6_NEXT] == NEXT_ICMP6) && is_nd(ip))
			fate = FATE_ND;
		else
			fate = check_addresses(ip6_load(ip + IP6_SRC),
			    ip6_load(ip + IP6_DST), f->data[ETH_DST] & 1);
		if (fate == N_FATES && ip[IP6_NEXT] == NEXT_HOP_BY_HOP)
			fate = FATE_OPTIONS;
		if (unlikely(fate != N_FATES))
			batch_drop6(b, i, fate);
	}
	return batch_any(b);
}
