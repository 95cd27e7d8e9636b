/* SPDX-License-Identifier: Apache-2.0 */
/* frame: the choice of a queue, see frame.h. */
#include "dataplane/frame.h"

enum {
	IP6_NEXT = 6,
	IP6_DST = 24,
	IP6_BYTES = 40,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMP6 = 58,
	ND_FIRST = 133, /* router solicitation .. redirect */
	ND_LAST = 137,
};

static bool
ip6_is_control(const uint8_t *ip, uint32_t bytes,
    const struct wire_address *own, uint32_t n_own)
{
	const uint8_t *dst = ip + IP6_DST;

	if (ip[IP6_NEXT] == PROTO_ICMP6 && bytes > IP6_BYTES &&
	    ip[IP6_BYTES] >= ND_FIRST && ip[IP6_BYTES] <= ND_LAST)
		return true;
	if (dst[0] == 0xff && (dst[1] & 0xf) <= 2) /* link-local or less */
		return true;
	for (uint32_t i = 0; i < n_own; i++)
		if (own[i].family == 6 && memcmp(own[i].bytes, dst, 16) == 0)
			return true;
	return false;
}

/* Past inner tags; at most two: a trunk's, or a service tag and its inner. */
static const uint8_t *
skip_tags(const struct frame *f, uint32_t *bytes)
{
	const uint8_t *p = f->head;
	uint32_t n = f->head_bytes;

	for (int i = 0;
	     i < 2 && n >= FRAME_TAG + 2 && frame_type_is_tag(load_be16(p));
	     i++) {
		p += FRAME_TAG;
		n -= FRAME_TAG;
	}
	*bytes = n;
	return p;
}

bool
frame_other_is_control(
    const struct frame *f, const struct wire_address *own, uint32_t n_own)
{
	uint32_t n;
	const uint8_t *p = skip_tags(f, &n);

	switch (load_be16(p)) {
	case FRAME_TYPE_IP4:
		return n >= 2 + FRAME_IP4_BYTES &&
		       frame_ip4_is_control(p + 2, own, n_own);
	case FRAME_TYPE_IP6:
		return n >= 2 + IP6_BYTES &&
		       ip6_is_control(p + 2, n - 2, own, n_own);
	case FRAME_TYPE_ARP:
		return true;
	default:
		/* LLDP, STP, IS-IS: group addressed, and not IP */
		return frame_is_group(f);
	}
}

static uint32_t
mix(const uint8_t *p, uint32_t n)
{
	uint64_t h = 0;

	for (; n >= 4; p += 4, n -= 4)
		h = (h ^ load_be32(p)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

uint32_t
frame_flow(const struct frame *f)
{
	uint32_t n, type, addresses = 0, ports = 0;
	const uint8_t *p = skip_tags(f, &n);
	uint8_t proto;

	type = load_be16(p);
	p += 2;
	n -= 2;
	if (type == FRAME_TYPE_IP4 && n >= FRAME_IP4_BYTES + 4) {
		/* fragments and options have no ports at a known place */
		bool plain = p[0] == 0x45 && !(load_be16(p + 6) & 0x3fff);

		proto = plain ? p[9] : 0;
		addresses = mix(p + 12, 8);
		ports = load_be32(p + FRAME_IP4_BYTES);
	} else if (type == FRAME_TYPE_IP6 && n >= IP6_BYTES + 4) {
		proto = p[IP6_NEXT];
		addresses = mix(p + 8, 32);
		ports = load_be32(p + IP6_BYTES);
	} else {
		return mix(f->macs, FRAME_MACS);
	}
	if (proto != PROTO_TCP && proto != PROTO_UDP)
		return addresses;
	return (uint32_t)(((uint64_t)(addresses ^ ports) *
			      UINT64_C(0x9e3779b97f4a7c15)) >>
			  32);
}
