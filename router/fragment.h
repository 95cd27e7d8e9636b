/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment: an IPv4 packet that is longer than its way out allows, in pieces
 * (RFC 791 section 3.2, RFC 1812 section 5.2.6). IPv6 has nothing of this kind.
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

#endif
