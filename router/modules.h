/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modules: the steps of the fast path, one file each in modules/. All have one
 * shape: they look at the frames of b that are alive, change them or take them
 * out, and say whether any are left. They keep no state, take no lock, call
 * nothing, and read tables that do not change while they run.
 *
 * The order is ether_in, checks, filter, lookups, ttl4 and hop_limit6, rewrite.
 */
#ifndef ROUTER_MODULES_H
#define ROUTER_MODULES_H

#include "router/batch.h"
#include "router/tables.h"

/* Ethernet: is it for us, and what is it? Leaves IPv4, and apart from it IPv6. */
bool ether_in(const struct tables *t, struct batch *b);

/* --- IPv4: those in b->alive ---------------------------------------------- */

/* RFC 1812, 5.2.2 and 5.3.7. Cuts padding off and fills in b->dst. */
bool check_ip4(const struct tables *t, struct batch *b);

/* Longest match, fills in b->hop. Leaves packets that can be forwarded. */
bool lookup4(const struct tables *t, struct batch *b);

/* Takes out expired and oversize ones; TTL - 1, checksum by RFC 1624. */
bool ttl4(const struct tables *t, struct batch *b);

/* --- IPv6: those in b->alive6 --------------------------------------------- */

/* RFC 8200, 4291 and 4443. Cuts padding off. */
bool check_ip6(const struct tables *t, struct batch *b);
bool lookup6(const struct tables *t, struct batch *b);

/* Takes out expired and oversize ones; hop limit - 1. */
bool hop_limit6(const struct tables *t, struct batch *b);

/* --- both ------------------------------------------------------------------ */

/* The owner's rules, if there are any; after the checks. */
bool filter(const struct tables *t, struct batch *b);

/* The Ethernet addresses of the next hop; the last: all are in alive then. */
bool rewrite(const struct tables *t, struct batch *b);

#endif
