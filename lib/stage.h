/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: where the time of a packet goes. In a build with
 * --enable-stage-timing the time stamp counter is read after each step of every
 * 61st turn of a data path's thread; in any other build the macros are empty
 * and not one instruction of this is there.
 *
 *	STAGE_TURN();           a turn begins
 *	STAGE(RX_BURST, n);     what has passed since the last mark was this
 *	                        stage's, on behalf of n packets
 *	STAGE_END(n);           the turn ends, it moved n packets; 0: all of it
 *	                        was idle
 *	STAGE_REPORT("worker"); the thread ends: appends one JSON line to the
 *	                        file that EUROPA_STAGES names, if it names one
 *
 * 61 is prime, so that sampled turns do not keep step with a ring's laps. A
 * thread counts for itself; nothing here is shared.
 */
#ifndef LIB_STAGE_H
#define LIB_STAGE_H

#ifdef EUROPA_STAGE_TIMING

#include "lib/base.h"

#include <time.h>

enum stage {
	/* any thread */
	STAGE_IDLE,
	STAGE_TURN_REST, /* begin and end of a turn, rings, wake-ups */
	/* the host's worker */
	STAGE_RX_BURST,
	STAGE_CLASSIFY,
	STAGE_CLAIM,
	STAGE_COPY_IN,
	STAGE_PUBLISH,
	STAGE_RX_FREE,
	STAGE_TAKE,
	STAGE_TX_ALLOC,
	STAGE_COPY_OUT,
	STAGE_TX_BURST,
	STAGE_RELEASE,
	/* the router's fast path */
	STAGE_VNIC_RX,
	STAGE_ETHER_IN,
	STAGE_CHECK_IP4,
	STAGE_LOOKUP4,
	STAGE_TTL4,
	STAGE_REWRITE,
	STAGE_VNIC_TX,
	STAGE_GIVE_BACK,
	STAGE_FLUSH,
	N_STAGES
};

enum { STAGE_EVERY = 61 };

struct stage_sum {
	uint64_t ticks;
	uint64_t packets;
	uint64_t marks; /* each costs a reading of the clock */
};

struct stages {
	unsigned until; /* turns, to the next that is timed */
	bool timed;     /* this turn is */
	uint64_t at;    /* the last mark */
	uint64_t turns, idle_turns, packets;
	struct stage_sum turn[N_STAGES]; /* of this turn */
	struct stage_sum sum[N_STAGES];
};

extern _Thread_local struct stages stages_here;

/* Ticks of stage_hz(). */
static inline uint64_t
stage_clock(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
#endif
}

static inline void
stage_turn(void)
{
	struct stages *s = &stages_here;

	s->timed = s->until == 0;
	s->until = s->timed ? STAGE_EVERY - 1 : s->until - 1;
	if (unlikely(s->timed))
		s->at = stage_clock();
}

static inline void
stage_mark(enum stage stage, unsigned n)
{
	struct stages *s = &stages_here;
	uint64_t now;

	if (likely(!s->timed))
		return;
	now = stage_clock();
	s->turn[stage].ticks += now - s->at;
	s->turn[stage].packets += n;
	s->turn[stage].marks++;
	s->at = now;
}

void stage_end(unsigned n);
void stage_report(const char *thread);

#define STAGE_TURN() stage_turn()
#define STAGE(name, n) stage_mark(STAGE_##name, (n))
#define STAGE_END(n) stage_end(n)
#define STAGE_REPORT(thread) stage_report(thread)

#else

#define STAGE_TURN() ((void)0)
#define STAGE(name, n) ((void)0)
#define STAGE_END(n) ((void)0)
#define STAGE_REPORT(thread) ((void)0)

#endif

#endif
