/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reassemble: packets to the router itself that come in pieces (RFC 791 section
 * 3.2, RFC 8200 section 4.5). What is forwarded is never put together.
 *
 * All of it is bounded: datagrams, pieces of one, bytes of all, and the time that
 * a piece waits. The oldest datagram gives way to a new one. Pieces that overlap
 * end their datagram (RFC 5722), also those of it that are yet to come; a piece
 * that comes twice, byte by byte, does not.
 */
#ifndef ROUTER_REASSEMBLE_H
#define ROUTER_REASSEMBLE_H

#include "router/ip6_walk.h"
#include "router/packet.h"

enum reassemble_limits {
	REASSEMBLE_DATAGRAMS = 32,
	REASSEMBLE_PIECES = 128, /* of one datagram */
	REASSEMBLE_BYTES = 1 << 18,
	REASSEMBLE_MS =
	    60000, /* RFC 1122 section 3.3.2, RFC 8200 section 4.5 */
};

struct reassembly;

/* Returns NULL if there is no memory. */
struct reassembly *reassembly_new(void);
void reassembly_free(struct reassembly *r); /* NULL is allowed */

/*
 * Takes a copy of a piece: the packet at ip, whose header is right, came in
 * through vnic. Returns
 *
 *	1           it was the last one: *out is the packet, to the caller
 *	0           others are missing
 *	-EBADMSG    not the last one, and no whole number of 8 bytes
 *	-EOVERFLOW  it ends behind the longest packet there can be
 *	-EPERM      its datagram is given up: pieces overlap or contradict each
 *	            other, or there are too many
 *	-ENOMEM
 */
int reassemble4(struct reassembly *r, const uint8_t *ip, unsigned vnic,
    uint64_t now_ms, struct packet **out);

/* The same; w stands at its fragment header, which is all there. */
int reassemble6(struct reassembly *r, const struct ip6_walk *w, unsigned vnic,
    uint64_t now_ms, struct packet **out);

/*
 * Gives up datagrams whose time is over, and tells of each: ip is its first
 * piece, or NULL if that never came. Returns ms to when there may be more of
 * them, or UINT64_MAX.
 */
uint64_t reassembly_tick(struct reassembly *r, uint64_t now_ms,
    void (*expired)(void *arg, const uint8_t *ip, unsigned vnic), void *arg);

/* Bytes of all pieces that wait. */
size_t reassembly_bytes(const struct reassembly *r);

#endif
