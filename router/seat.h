/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seat: which pipeline a fast path runs, and who takes over when it throws.
 *
 *	main                            fast path, between two batches
 *	seat_offer(s, next, spare)      seat_changed(s)? leave the loop
 *	ring its bell                   seat_take(s): next, from now on
 *	seat_wait(s): it has taken it   run it
 *	free what it has left           it threw: seat_threw(s, why),
 *	                                seat_take(s) is the spare one
 *
 * The lock is taken when something changes, never for a packet. A pipeline in
 * the seat, next or spare, is not to be freed; what seat_wait() has seen gone is.
 */
#ifndef ROUTER_SEAT_H
#define ROUTER_SEAT_H

#include "lib/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct script;

struct seat {
	pthread_mutex_t lock;
	pthread_cond_t taken;
	_Atomic(bool) changed; /* a hint that needs no lock */
	int event;             /* eventfd: main is to look; -1: nobody */

	/* all under the lock */
	struct script *next;
	struct script *spare; /* NULL: everything is dropped */
	struct script *now;   /* what the fast path runs; NULL: nothing */
	bool next_threw, spare_threw;
	bool told; /* main knows of it */
	bool left; /* nothing is taken any more */
	struct err why;
};

void seat_init(struct seat *s, int event);
void seat_destroy(struct seat *s);

/* Context: main. */
void seat_offer(struct seat *s, struct script *next, struct script *spare);

/* True when it runs what was offered, or has left, within ms. Context: main. */
bool seat_wait(struct seat *s, unsigned ms);

/* What the fast path runs; NULL: nothing. Context: main. */
struct script *seat_now(struct seat *s);

/* Has the next one thrown since main last asked? Fills why. Context: main. */
bool seat_has_thrown(struct seat *s, struct err *why);

/* Must the loop end, because of seat_offer()? Context: fast path. */
static inline bool
seat_changed(const struct seat *s)
{
	/* relaxed: the lock orders what follows */
	return atomic_load_explicit(&s->changed, memory_order_relaxed);
}

/* What to run now; NULL: all that was offered has thrown. Context: fast path. */
struct script *seat_take(struct seat *s);

/* What seat_take() gave has thrown. Context: fast path. */
void seat_threw(struct seat *s, const struct err *why);

/* The fast path ends and runs nothing more. */
void seat_leave(struct seat *s);

#endif
