/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip6_walk: along the headers of an IPv6 packet (RFC 8200, 4.1), to the first
 * that is no extension header, to a later piece's bytes, or to the end.
 *
 *	ip6_walk_begin(&w, ip);
 *	do ... w.next is the kind of the header at ip + w.at ...
 *	while (ip6_walk_next(&w));
 *
 * Bounded: each step takes 8 bytes of the packet, and there are at most 16.
 */
#ifndef ROUTER_IP6_WALK_H
#define ROUTER_IP6_WALK_H

#include "router/ip6.h"

enum { IP6_MAX_HEADERS = 16 };

struct ip6_walk {
	const uint8_t *ip;
	unsigned at;   /* of the header, from ip */
	unsigned end;  /* of the packet */
	unsigned said; /* where next is written, from ip */
	unsigned n;
	uint8_t next;        /* kind of the header at at */
	bool is_cut;         /* a header reaches behind the end; or too many */
	bool is_later_piece; /* what follows is the middle of something */
	bool is_piece;       /* a fragment, and not all of it */
};

static inline void
ip6_walk_begin(struct ip6_walk *w, const uint8_t *ip)
{
	*w = (struct ip6_walk){
		.ip = ip,
		.at = IP6_BYTES,
		.end = ip6_total(ip),
		.said = IP6_NEXT,
		.next = ip[IP6_NEXT],
	};
}

static inline bool
ip6_is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING ||
	       next == NEXT_FRAGMENT || next == NEXT_DESTINATION;
}

/* Bytes of the extension header at w, or 0: it is not all there. */
static inline unsigned
ip6_walk_bytes(const struct ip6_walk *w)
{
	unsigned bytes = 8;

	if (w->end - w->at < 8)
		return 0;
	if (w->next != NEXT_FRAGMENT)
		bytes += 8U * w->ip[w->at + 1];
	return bytes <= w->end - w->at ? bytes : 0;
}

/* False: w is at what is no extension header, or cannot go on. */
static inline bool
ip6_walk_next(struct ip6_walk *w)
{
	unsigned bytes;

	if (w->is_later_piece || !ip6_is_extension(w->next))
		return false;
	bytes = ip6_walk_bytes(w);
	if (bytes == 0 || w->n++ == IP6_MAX_HEADERS) {
		w->is_cut = true;
		return false;
	}
	if (w->next == NEXT_FRAGMENT) {
		unsigned field = load_be16(w->ip + w->at + 2);

		w->is_later_piece = field >> 3 != 0;
		w->is_piece |= w->is_later_piece || (field & 1);
	}
	w->said = w->at;
	w->next = w->ip[w->at];
	w->at += bytes;
	return true;
}

#endif
