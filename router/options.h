/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the options of an IPv4 header (RFC 791, RFC 1812 section 5.3.13).
 * A router writes itself into record route and timestamp, and refuses what
 * would have it route by the sender's list; the others are none of its business.
 */
#ifndef ROUTER_OPTIONS_H
#define ROUTER_OPTIONS_H

#include "router/packet.h"

/* Offsets from the header's begin; 0 = there is none. */
struct options {
	uint8_t record_route;
	uint8_t timestamp;
	bool source_route; /* one with places left in it */
};

/* Returns 0 and fills in out, or the offset of the octet that is wrong. */
unsigned options_read(const uint8_t *ip, struct options *out);

/* What a router writes: its address on the way out, and of all others. */
struct options_stamp {
	uint32_t address;
	uint32_t ms; /* since midnight, universal time */
	bool (*is_own)(void *arg, uint32_t ip);
	void *arg;
};

/*
 * Writes them, and the header's checksum anew. Returns 0, or the offset of the
 * octet that is wrong; then nothing has changed.
 */
unsigned options_write(
    uint8_t *ip, const struct options *o, const struct options_stamp *stamp);

/*
 * Copies those that each piece of a packet has to have, filled up to words.
 * Returns how many bytes.
 */
unsigned options_copied(const uint8_t *ip, uint8_t *out);

#endif
