/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame: what the data plane must know of an Ethernet frame, and no more.
 *
 * It looks at private memory only: an mbuf, or the copy of a header that a
 * router wrote. Bytes that are not there (a short copy) are never looked at.
 * A frame has at most one tag that Europa touches, the outer 802.1Q one; it may
 * be in the bytes, or beside them if a driver has stripped it.
 *
 *	macs            type
 *	|               |
 *	[dst 6][src 6][tag 4]?[type 2][...head...] [...tail...]
 *	                      \_ head_bytes from here _/ \_ perhaps in a pool
 */
#ifndef DATAPLANE_FRAME_H
#define DATAPLANE_FRAME_H

#include "lib/base.h"
#include "lib/wire.h"

enum frame_bytes {
	FRAME_MACS = 12,
	FRAME_TAG = 4,
	FRAME_HEADER = 14,
	FRAME_HEAD_COPY = 64, /* two tags, IPv6 and the type of ICMPv6 */
};

enum frame_ip4 { FRAME_IP4_DST = 16, FRAME_IP4_BYTES = 20 };

enum frame_type {
	FRAME_TYPE_IP4 = 0x0800,
	FRAME_TYPE_ARP = 0x0806,
	FRAME_TYPE_VLAN = 0x8100,
	FRAME_TYPE_IP6 = 0x86dd,
	FRAME_TYPE_QINQ = 0x88a8,
};

enum { FRAME_VLAN_MASK = 0xfff, FRAME_NO_VLAN = 0xfff };

struct frame {
	const uint8_t *macs; /* 12 bytes */
	const uint8_t *head; /* from the type behind the outer tag */
	const uint8_t *tail; /* the rest; read once, by the copy */
	/* these together, so that most frames write them in one go */
	uint16_t tail_bytes;
	uint16_t tci;  /* of the outer tag */
	uint16_t vlan; /* 0 = none; a tag of VLAN 0 is a priority only */
	bool tagged;
	bool in_line; /* head follows macs: untagged in the bytes */
	uint16_t head_bytes;
};

/* The frame's bytes as an access vNIC sees them, and as a trunk does. */
static inline uint32_t
frame_bare_bytes(const struct frame *f)
{
	return FRAME_MACS + (uint32_t)f->head_bytes + f->tail_bytes;
}

static inline uint32_t
frame_full_bytes(const struct frame *f)
{
	return frame_bare_bytes(f) + (f->tagged ? FRAME_TAG : 0);
}

static inline uint16_t
frame_type(const struct frame *f)
{
	return load_be16(f->head);
}

static inline bool
frame_type_is_tag(uint16_t type)
{
	return type == FRAME_TYPE_VLAN || type == FRAME_TYPE_QINQ;
}

/*
 * Understands n private bytes at p, of a frame that goes on for tail_bytes at
 * tail. Returns false for a runt. Context: any thread.
 */
static inline bool
frame_parse(struct frame *f, const uint8_t *p, uint32_t n, const uint8_t *tail,
    uint32_t tail_bytes)
{
	uint32_t at = FRAME_MACS;

	if (unlikely(n < FRAME_HEADER))
		return false;
	f->macs = p;
	f->tail_bytes = (uint16_t)tail_bytes;
	f->tci = 0;
	f->vlan = 0;
	f->tagged = false;
	f->in_line = true;
	if (unlikely(load_be16(p + FRAME_MACS) == FRAME_TYPE_VLAN)) {
		if (n < FRAME_HEADER + FRAME_TAG)
			return false;
		f->tagged = true;
		f->in_line = false;
		f->tci = load_be16(p + FRAME_HEADER);
		f->vlan = f->tci & FRAME_VLAN_MASK;
		at += FRAME_TAG;
	}
	f->head = p + at;
	f->head_bytes = (uint16_t)(n - at); /* n is at most a 16-bit length */
	f->tail = tail;
	return true;
}

/* What frame_parse() says of n private bytes without a tag. */
static inline void
frame_set_plain(struct frame *f, const uint8_t *p, uint32_t n)
{
	f->macs = p;
	f->head = p + FRAME_MACS;
	f->tail_bytes = 0;
	f->tci = 0;
	f->vlan = 0;
	f->tagged = false;
	f->in_line = true;
	f->head_bytes = (uint16_t)(n - FRAME_MACS);
}

/* The driver has taken the outer tag off and gives it beside the bytes. */
static inline void
frame_set_stripped_tag(struct frame *f, uint16_t tci)
{
	if (f->tagged) {
		/* what is in the bytes is an inner tag: leave it there */
		f->head -= FRAME_TAG;
		f->head_bytes = (uint16_t)(f->head_bytes + FRAME_TAG);
		f->in_line = true;
	}
	f->tagged = true;
	f->tci = tci;
	f->vlan = tci & FRAME_VLAN_MASK;
}

/* The bytes of tags that a trunk's MTU does not count: at most two tags. */
static inline uint32_t
frame_tag_bytes(const struct frame *f)
{
	uint32_t n = f->tagged ? FRAME_TAG : 0;

	if (n > 0 && frame_type_is_tag(frame_type(f)))
		n += FRAME_TAG;
	else if (frame_type(f) == FRAME_TYPE_QINQ)
		n = 2 * FRAME_TAG; /* a service tag and what it carries */
	return n;
}

static inline bool
frame_is_group(const struct frame *f)
{
	return f->macs[0] & 1;
}

/* 224.0.0.0/24 never leaves the link: OSPF, VRRP, ... */
static inline bool
frame_ip4_is_control(
    const uint8_t *ip, const struct wire_address *own, uint32_t n_own)
{
	uint32_t dst = load_be32(ip + FRAME_IP4_DST);

	if (unlikely(dst >> 8 == 224 << 16))
		return true;
	for (uint32_t i = 0; i < n_own; i++)
		if (load_be32(own[i].bytes) == dst && own[i].family == 4)
			return true;
	return false;
}

/* The same of frames that do not begin with IPv4. */
bool frame_other_is_control(
    const struct frame *f, const struct wire_address *own, uint32_t n_own);

/*
 * Whether it belongs to the slow path of a router with these addresses: ARP,
 * IPv6 neighbour discovery, link-local multicast, bridge and routing protocols
 * below IP, and what is addressed to the router itself.
 */
static inline bool
frame_is_control(
    const struct frame *f, const struct wire_address *own, uint32_t n_own)
{
	if (likely(frame_type(f) == FRAME_TYPE_IP4))
		return f->head_bytes >= 2 + FRAME_IP4_BYTES &&
		       frame_ip4_is_control(f->head + 2, own, n_own);
	return frame_other_is_control(f, own, n_own);
}

/*
 * 32 bits that are equal for the frames of one flow: IP addresses and, of TCP
 * and UDP, ports; the MACs if it is no IP.
 */
uint32_t frame_flow(const struct frame *f);

#endif
