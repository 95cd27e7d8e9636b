/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed: what the main thread knows of routes, and how the slow path gets it.
 *
 *	router.conf        -> feed_conf()      a new plan
 *	one route          -> feed_change()    a change of the plan in use, in a
 *	                                       batch with those that wait
 *	all of one source  -> feed_replace()   a new plan
 *
 * A change is a number: feed_change() makes it f->n_put, and it is in force when
 * f->n_done has come there. Who wants to know waits for that in its turns; main
 * calls feed_turn() in each of its own, and polls f->update.event.
 *
 * All of it belongs to the main thread.
 */
#ifndef ROUTER_FEED_H
#define ROUTER_FEED_H

#include "router/journal.h"
#include "router/slow.h"
#include "router/update.h"

struct feed {
	struct slow *slow;      /* borrowed */
	struct routerconf conf; /* without its routes, they are in routes */
	struct routes routes;
	struct update update;
	struct journal journal; /* of the routes of source api */
	uint64_t n_put;         /* changes given to feed_change() */
	uint64_t n_given;       /* and to the slow path */
	uint64_t n_done;        /* in force */
	bool again;        /* the batch is given once more, behind a plan */
	unsigned n_remade; /* plans made for that, so far */
	size_t n_inactive; /* of the latest plan */
	bool is_full;      /* it has too many gateways: the old one stays */
};

/*
 * Reads the routes that are in the journal beside conf, of an earlier process in
 * this container. Returns 0 or negative errno.
 */
int feed_open(struct feed *f, const char *conf, struct slow *slow);
void feed_close(struct feed *f);

/*
 * Takes a configuration. Returns 0, or negative errno (as plan_build()) if what
 * was in force stays.
 */
int feed_conf(struct feed *f, struct routerconf *c);

/* How many changes it takes now. */
unsigned feed_room(const struct feed *f);

/*
 * Adds a route, or takes it away. Returns 1 if it was there, 0 if not (there is
 * nothing to do for one that is taken away), -EAGAIN (no room: after a later
 * feed_turn()), or as routes_set_add().
 */
int feed_change(struct feed *f, const struct route *r, bool add);

/* A neighbour of ours is known (mac) or not (NULL) by somebody. 0 or -EAGAIN. */
int feed_neighbour(
    struct feed *f, unsigned vnic, bool is6, struct ip6 ip, const uint8_t *mac);

/*
 * All routes of a source from now on are those of s, which is empty then; a
 * packet sees the old ones or the new ones. Returns 0, or as feed_conf().
 */
int feed_replace(
    struct feed *f, enum route_source source, struct routes_set *s);

/* Gives what waits, takes what is done. */
void feed_turn(struct feed *f);

/* Has main something to do soon without being told? */
bool feed_is_busy(const struct feed *f);

#endif
