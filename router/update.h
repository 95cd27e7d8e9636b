/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: changes on their way from the main thread, which knows them, to the
 * slow path, which alone changes tables that are in use. One batch at a time:
 *
 *	main                            slow path, between two turns
 *	update_room(u) > 0
 *	update_put(u, ...)  ...
 *	update_send(u)          ->      takes the batch, changes the plan in place
 *	                                some at a time, publishes what needs it
 *	update_done(u): all in  <-      says so (eventfd u->event)
 *	force; op[i].rc says how
 *
 * Neither waits for the other. A plan that was given before a batch is in force
 * before it, and one that is given after has it in it: main puts a change into
 * routes.h first, and a change that is carried out twice does no harm.
 */
#ifndef ROUTER_UPDATE_H
#define ROUTER_UPDATE_H

#include "router/routes.h"

#include <stdatomic.h>

enum update_limits { UPDATE_MAX = 1024 };

enum update_kind {
	UPDATE_ADD,    /* route, or another way for it */
	UPDATE_DELETE, /* route */
	/* route.prefix is a neighbour at vNIC route.dev */
	UPDATE_NEIGHBOUR,    /* which has mac */
	UPDATE_NO_NEIGHBOUR, /* which is not to be relied upon any more */
};

struct update_op {
	struct route route;
	uint8_t kind; /* enum update_kind */
	uint8_t mac[6];
	int rc; /* afterwards: 0, or negative errno as of plan_change() */
};

struct update {
	int event;           /* main polls it */
	_Atomic(bool) given; /* (main) true, (slow) false: who has the ops */
	unsigned n;          /* of the one who has them */
	unsigned at;         /* (slow) the first that is not done */
	struct update_op op[UPDATE_MAX];
};

int update_init(struct update *u);
void update_destroy(struct update *u);

/* How many more it takes; 0 while the slow path has it. Context: main. */
unsigned update_room(const struct update *u);
void update_put(struct update *u, enum update_kind kind, const struct route *t,
    const uint8_t *mac);

/* Has the slow path no batch? Then n ops of the last one are there to look at,
 * and the next update_put() begins anew. Context: main. */
bool update_done(const struct update *u);

#endif
