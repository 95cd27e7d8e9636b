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

#include "router/linux_feed.h"
#include "router/slow.h"

enum { BESIDE_FDS = LINUX_FEED_FDS };

struct beside {
	struct slow *slow;   /* borrowed */
	struct twins *twins; /* NULL: never wanted until now */
	struct linux_feed feed;
};

/* sink is borrowed: it hears of routes and neighbours. */
void beside_init(struct beside *b, struct slow *slow,
    const struct linux_sink *sink, void *arg);

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

/* After each poll(); and when the sink has room again. */
void beside_turn(struct beside *b);

#endif
