/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread: which worker serves a queue, and which queue a flow goes to. Pure
 * arithmetic on numbers that never change while the data plane lives, so that
 * all who ask agree without a word.
 *
 *	data queue q		worker q mod W
 *	control queue, the last	worker 0
 *
 * A flow is 32 bits (frame_flow()); equal flows get equal queues, always, which
 * is what keeps the order of a flow.
 */
#ifndef DATAPLANE_SPREAD_H
#define DATAPLANE_SPREAD_H

#include "lib/base.h"
#include "lib/vnic_abi.h"

enum { SPREAD_MAX_WORKERS = VNIC_MAX_QUEUES - 1 };

/* n_queues counts the control queue. */
static inline unsigned
spread_worker(unsigned q, unsigned n_queues, unsigned n_workers)
{
	return q + 1 == n_queues ? 0 : q % n_workers;
}

/* The data queue of a flow, wherever it came from. */
static inline unsigned
spread_any(uint32_t flow, unsigned n_data)
{
	return (unsigned)((uint64_t)flow * n_data >> 32); /* equal shares */
}

/*
 * The data queue of a flow that shall stay with worker w, where it came to: the
 * same one if that is w's, else the one of w's next to it. A router of fewer
 * queues than there are workers may have none of w's: then any.
 */
static inline unsigned
spread_near(uint32_t flow, unsigned n_data, unsigned w, unsigned n_workers)
{
	unsigned any = spread_any(flow, n_data);
	unsigned near = any - any % n_workers + w;

	if (unlikely(w >= n_data))
		return any;
	return near < n_data ? near : near - n_workers;
}

#endif
