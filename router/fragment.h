/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment: an IPv4 packet that is longer than its way out allows, in pieces
 * (RFC 791 section 3.2, RFC 1812 section 5.2.6). Of IPv6 only what we say
 * ourselves is cut: nobody on the way does that (RFC 8200 section 4.5).
 */
#ifndef ROUTER_FRAGMENT_H
#define ROUTER_FRAGMENT_H

#include "router/packet.h"

/*
 * Makes the pieces of the packet at ip, a right one with right options, of at
 * most mtu bytes each, in order; each in a frame of its own with room for
 * Ethernet. Returns a list of them to the caller and their number in *n, or
 * NULL: no memory, or mtu has no room for 8 bytes behind a header.
 */
struct packet *fragment4(const uint8_t *ip, unsigned mtu, unsigned *n);

/* The same for IPv6, without extension headers; id is of the fragment header. */
struct packet *fragment6(
    const uint8_t *ip, unsigned mtu, uint32_t id, unsigned *n);

#endif
