/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beside: Linux beside the router, as the main thread sees it: the twins of
 * vNICs (twins.h) and what the kernel knows (linux_feed.h), both there while the
 * configuration wants twins.
 *
 * It costs a router that has none of it nothing but this struct.
 */
#ifndef ROUTER_BESIDE_H
#define ROUTER_BESIDE_H

#include "router/feed.h"
#include "router/linux_feed.h"

enum { BESIDE_FDS = LINUX_FEED_FDS };

struct beside {
	struct feed *feed;   /* borrowed: where it all goes */
	struct twins *twins; /* NULL: never wanted until now */
	struct linux_feed from;
	bool was_full; /* a route found no room, and the log says so */
};

void beside_init(struct beside *b, struct feed *feed);

/* After the slow path has ended. */
void beside_close(struct beside *b);

/*
 * Before a plan of c is given to the slow path. What cannot be had is said in
 * the log, and the configuration does without.
 */
void beside_configure(struct beside *b, struct routerconf *c);

/* BESIDE_FDS places for poll(), and for how long it may wait (-1 = ever). */
void beside_poll(const struct beside *b, struct pollfd *fds);
int beside_timeout(const struct beside *b);

/* After each poll(), before feed_turn(). */
void beside_turn(struct beside *b);

#endif
