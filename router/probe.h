/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: looks at a batch after each step, for who wants to know what a step
 * costs or does. A batch has none (NULL) at all other times: then a fast path
 * reads one flag for each batch, and nothing else of this happens.
 *
 *	PROBE_RX  PROBE_STEP + 0, 1, 2 ..  PROBE_TX  PROBE_BACK
 *
 * The fast path adds, main reads sums and takes the difference of two.
 */
#ifndef ROUTER_PROBE_H
#define ROUTER_PROBE_H

#include "router/batch.h"

#include <stdatomic.h>
#include <time.h>

enum probe_at {
	PROBE_RX,
	PROBE_TX,
	PROBE_BACK,
	PROBE_STEP,
	PROBE_MAX_STEPS = 50, /* as router.lua says */
	PROBE_N = PROBE_STEP + PROBE_MAX_STEPS,
};

struct probe_sum {
	_Atomic(uint64_t) ticks;
	_Atomic(uint64_t) packets; /* that came there */
};

struct probe {
	struct probe_sum sum[PROBE_N]; /* (fast) */
	uint64_t last;                 /* (fast) when the last mark was */
	unsigned n;                    /* (fast) packets that go on */
	/* not for time, but to look; NULL: for time */
	void (*see)(struct probe *p, const struct batch *b, unsigned step);
};

/* Of any unit; who reads them knows what a second is. */
static inline uint64_t
probe_ticks(void)
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
probe_begin(struct probe *p)
{
	p->last = probe_ticks();
}

/* What has passed since the last mark was for n packets at which. */
void probe_mark(struct probe *p, unsigned which, unsigned n);

/* Context: main. */
static inline uint64_t
probe_read(const _Atomic(uint64_t) *sum)
{
	return atomic_load_explicit(sum, memory_order_relaxed);
}

#endif
