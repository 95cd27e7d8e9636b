/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: how a thread that polls shares its core.
 *
 * Routers may outnumber cores. One that polls on while a packet comes now and
 * then would keep its core for a whole slice of the scheduler, milliseconds, in
 * which the slots of the others fill up. So who has lost its core while polling
 * does not poll for some time: it naps until a turn is worth its switch.
 * (sched_yield() does nothing between containers: each is alone in its cgroup.)
 * Many naps after which it has the core at once show that the core is its own
 * again; after each mistake there must be more of them. Who finds nothing for long
 * sleeps.
 *
 * The clock alone does not tell a neighbour from a virtual machine that stands
 * still, or whose timers are late: the kernel does, which counts for how long a
 * thread was ready and did not run. Where it does not count, the clock is taken.
 * A thread that its own quota keeps off the core waits like one with a neighbour,
 * and naps: it saves what it is short of.
 */
#ifndef ROUTER_SHARE_H
#define ROUTER_SHARE_H

#include <stdint.h>

enum share_limits { SHARE_POLL_NS = 30000 };

struct share {
	uint64_t polled_ns;  /* last poll without a packet; 0 = none since */
	uint64_t nap_ns;     /* 0 = the core is ours: poll */
	uint64_t idle_since; /* ns; 0 = had a packet */
	unsigned n_naps;     /* since the last packet */

	unsigned n_alone;       /* naps with the core free, less mistakes */
	unsigned want_alone;    /* so many before it polls again */
	uint64_t wanted_ns;     /* since when */
	uint64_t naps_ended_ns; /* the last time; 0 = there were none */

	uint64_t looked_ns; /* at what the kernel says */
	uint64_t waited_ns; /* what it said: ready without a core, in all */
	int schedstat_fd;   /* where it says so; < 0 = it does not */
};

enum share_next { SHARE_POLL, SHARE_NAP, SHARE_SLEEP };

/*
 * Short slices, and naps that end in time. Forgets what was; share_end() closes
 * what this has opened. Context: the thread that will nap.
 */
void share_begin(struct share *s);
void share_end(struct share *s);

/* A poll found packets, or the thread has slept. */
static inline void
share_anew(struct share *s)
{
	s->idle_since = s->polled_ns = s->n_naps = 0;
}

/* A poll found nothing. What to do before the next one? */
enum share_next share_idle(struct share *s);

/* After SHARE_NAP, when nothing is held back. */
void share_nap(struct share *s);

#endif
