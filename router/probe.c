/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: see probe.h.
 */
#include "router/probe.h"

#include "lib/base.h"
#include "router/path.h"

/* One writer, no order. */
static void
add(_Atomic(uint64_t) *sum, uint64_t n)
{
	atomic_store_explicit(sum, probe_read(sum) + n, memory_order_relaxed);
}

void
probe_mark(struct probe *p, unsigned which, unsigned n)
{
	uint64_t now = probe_ticks();

	add(&p->sum[which].ticks, now - p->last);
	add(&p->sum[which].packets, n);
	p->last = probe_ticks(); /* what this took is nobody's */
}

void
probe_step(const struct batch *b, unsigned step)
{
	struct probe *p = b->probe;

	if (!p || step >= PROBE_MAX_STEPS)
		return;
	if (p->see) {
		p->see(p, b, step);
		return;
	}
	probe_mark(p, PROBE_STEP + step, p->n);
	p->n = (unsigned)__builtin_popcountll(b->alive | b->alive6);
}
