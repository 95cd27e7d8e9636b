/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog: does a script still ask for batches? The main thread looks every 100
 * ms, while a fast path that runs a script is awake, and never while all sleep long.
 *
 * A fast path stands still when it has had 200 ms of its own without asking for
 * a batch: time in which it ran or slept in the script. Time in which it waited
 * for a core, or for a page, is not its fault and does not count.
 */
#ifndef ROUTER_WATCHDOG_H
#define ROUTER_WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum watchdog_times {
	WATCHDOG_TICK_MS = 100,
	WATCHDOG_STILL_MS = 200,
};

enum pulse_state { PULSE_OFF, PULSE_ASLEEP, PULSE_AWAKE };

/* Shared by the main thread and the fast paths. */
struct watchdog {
	_Atomic(bool) dozes; /* it does not look until somebody wakes up */
	int event;           /* eventfd by which it is called */
};

struct pulse {
	struct watchdog *dog;
	_Atomic(uint64_t) beats; /* (fast) batches asked for */
	_Atomic(int) state;      /* (fast) enum pulse_state */
	_Atomic(pid_t) thread;   /* (fast) */
	clockid_t cpu;           /* (fast) written before state */

	/* (main) at its last look */
	uint64_t seen_beats;
	uint64_t seen_cpu_ns;
	uint64_t still_ns;
	bool rests; /* it has asked for nothing between the last two */
};

/* --- fast path ------------------------------------------------------------ */

static inline void
pulse_beat(struct pulse *p)
{
	/* relaxed: one writer, and nobody orders anything by it */
	atomic_store_explicit(&p->beats,
	    atomic_load_explicit(&p->beats, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

/* A script begins and ends to run here. */
void pulse_begin(struct pulse *p);
void pulse_end(struct pulse *p);

/* Around a sleep for want of packets; nothing while no script runs. */
void pulse_sleep(struct pulse *p);
void pulse_awake(struct pulse *p);

/* --- main thread ---------------------------------------------------------- */

/*
 * Looks at p, a tick or more after the last time: what was longer counts as a
 * tick, for the machine may have stood still. Returns true if p does.
 */
bool pulse_look(struct pulse *p);

/*
 * Before main waits without a timeout: true if it may, false if a fast path is
 * awake, or was since the look before the last: who has a packet now and then
 * shall not call main for each. Afterwards watchdog_rise().
 */
bool watchdog_doze(struct watchdog *w, struct pulse *const *all, unsigned n);
void watchdog_rise(struct watchdog *w);

#endif
