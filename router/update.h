/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: changes on their way from the main thread, which knows them, to the
 * slow path, which alone changes tables that are in use. One batch at a time:
 *
 *	main                            slow path, between two turns
 *	update_put(u, ...) ...
 *	update_give(u), ring its bell   takes it, changes the plan in place, some
 *	                                at a time, publishes what needs it
 *	update_is_back(u): all in       update_end(u): says so by u->event
 *	force; op[i].rc says how
 *
 * Neither waits for the other. A plan that was given before a batch is in force
 * before it, and one that is given after it has it in it: main puts a change
 * into routes.h first, and a change that is carried out twice does no harm.
 * feed.h is main's side of it.
 */
#ifndef ROUTER_UPDATE_H
#define ROUTER_UPDATE_H

#include "router/routes.h"

#include <stdatomic.h>

enum update_limits { UPDATE_MAX = 1024 };

enum update_kind {
	UPDATE_ADD,    /* route, or another way for it */
	UPDATE_DELETE, /* route */
	/* route.via is a neighbour at vNIC route.dev: */
	UPDATE_NEIGHBOUR,    /* it has mac */
	UPDATE_NO_NEIGHBOUR, /* it is not to be relied upon any more */
};

struct update_op {
	struct route route;
	uint8_t kind; /* enum update_kind */
	uint8_t mac[6];
	int rc; /* afterwards: 0, or negative errno as of plan_change() */
};

struct update {
	int event;           /* eventfd; main polls it */
	_Atomic(bool) given; /* who has what follows: true = the slow path */
	unsigned n;
	unsigned at;       /* the first that is not done */
	unsigned prepared; /* and the first whose gateway is not looked at */
	struct update_op op[UPDATE_MAX];
};

int update_init(struct update *u);
void update_destroy(struct update *u);

/* Is it main's? Context: main. */
static inline bool
update_is_back(const struct update *u)
{
	/* pairs with update_end(): the results are there */
	return !atomic_load_explicit(&u->given, memory_order_acquire);
}

static inline void
update_give(struct update *u)
{
	u->at = u->prepared = 0;
	/* pairs with update_is_given(): the ops, and an earlier plan */
	atomic_store_explicit(&u->given, true, memory_order_seq_cst);
}

/* Context: slow. */
static inline bool
update_is_given(const struct update *u)
{
	return atomic_load_explicit(&u->given, memory_order_seq_cst);
}

void update_end(struct update *u);

#endif
