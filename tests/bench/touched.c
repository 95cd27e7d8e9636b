/* SPDX-License-Identifier: Apache-2.0 */
/* touched: see touched.h. */
#include "tests/bench/touched.h"

#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

enum {
	OWN_NETS = 0xc612, /* 198.18.0.0/16 */
	ELSEWHERE = 0xdf00 /* 223.0.0.0/16, in their place: it comes twice */
};

uint32_t
touched_net(unsigned i)
{
	uint32_t net = (1 << 16) + i; /* 1.0.0.0/24 is the first */

	if (net >= 127 << 16)
		net += 1 << 16;
	if (net >> 8 == OWN_NETS)
		net = ELSEWHERE << 8 | (net & 0xff);
	return net << 8;
}

uint32_t
touched_destination(unsigned n, uint32_t *state)
{
	uint32_t host = frame_random(state);
	uint32_t i = (uint32_t)((uint64_t)frame_random(state) * n >> 32);

	return touched_net(i) | (host >> 11 & 0xff);
}

bool
touched_routes(struct routerconf *c, unsigned n, bool each)
{
	uint32_t state = 9;
	size_t n_routes = each ? n : 1;

	c->route = calloc(n_routes, sizeof(*c->route));
	if (!c->route)
		return false;
	c->n_routes = c->max_routes = n_routes;
	for (size_t i = 0; i < n_routes; i++) {
		uint32_t hop = (frame_random(&state) >> 8) % BENCH_HOPS;

		c->route[i] = (struct routerconf_route){
			.prefix = each ? touched_net((unsigned)i) : 0,
			.len = each ? 24 : 0,
			.via = BENCH_HOP_IP - hop,
			.dev = ROUTERCONF_NO_DEV,
		};
	}
	return true;
}
