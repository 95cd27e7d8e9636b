/* SPDX-License-Identifier: Apache-2.0 */
/*
 * touched: destinations in so many networks of 24 bits, one after the other, and
 * the tables that lead there (MoonRoute paper, sections 6.2 and 6.4). What may not
 * be forwarded (0/8, 127/8, 224/4, 240/4) and our own networks are left out.
 */
#ifndef TESTS_BENCH_TOUCHED_H
#define TESTS_BENCH_TOUCHED_H

#include "router/routerconf.h"

#include <stdint.h>

enum {
	TOUCHED_MAX = 222 << 16, /* all that there are: less than 2^24 */
	TOUCHED_EACH_MAX = 1 << 20,
};

/* The prefix of network i < TOUCHED_MAX. */
uint32_t touched_net(unsigned i);

/* A random host in one of the first n networks. */
uint32_t touched_destination(unsigned n, uint32_t *state);

/*
 * Gives c, which has no routes, one default route, or a route to each of the
 * first n networks, with BENCH_HOPS next hops at random. False: no memory.
 */
bool touched_routes(struct routerconf *c, unsigned n, bool each);

#endif
