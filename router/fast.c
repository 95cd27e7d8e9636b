/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast: the loop of a fast path.
 */
#include "router/fast.h"

#include "lib/base.h"
#include "lib/stage.h"

#include <time.h>

enum { MAX_SLEEP_MS = 1000 };

int
fast_init(struct fast *f, struct vnic *v, unsigned q, struct bell *slow)
{
	struct vnic_queue *queue;
	int rc = vnic_queue_open(v, q, &queue);

	if (rc < 0)
		return rc;
	rc = pipeline_init(f->pipeline, v, queue);
	if (rc < 0) {
		vnic_queue_close(queue);
		return rc;
	}
	f->pipeline->slow_bell = slow;
	f->reader = q;
	return 0;
}

void
fast_destroy(struct fast *f)
{
	pipeline_destroy(f->pipeline);
	vnic_queue_close(f->pipeline->queue);
	f->pipeline->queue = NULL;
}

void
fast_stop(struct fast *f)
{
	atomic_store_explicit(&f->stop, true, memory_order_seq_cst);
	bell_ring(&f->bell);
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
sleep_idle(struct fast *f)
{
	uint32_t seen = bell_sleep(&f->bell);

	publish_leave(f->publish, f->reader);
	if (!atomic_load_explicit(&f->stop, memory_order_seq_cst))
		vnic_wait_on(
		    &f->pipeline->queue, 1, &f->bell.word, seen, MAX_SLEEP_MS);
	bell_awake(&f->bell);
}

void
fast_run(struct fast *f)
{
	struct vnic_queue *q = f->pipeline->queue;
	uint64_t idle_since = 0;

	/* relaxed: sleep_idle() looks again */
	while (!atomic_load_explicit(&f->stop, memory_order_relaxed)) {
		enum vnic_status status;
		unsigned n = 0;

		STAGE_TURN();
		status = vnic_poll(q);
		if (status == VNIC_GONE)
			break;
		if (likely(status == VNIC_RUN)) {
			n = pipeline_turn(
			    f->pipeline, publish_enter(f->publish, f->reader));
			vnic_flush(q);
			STAGE(FLUSH, n);
		}
		STAGE_END(n);
		if (n > 0) {
			idle_since = 0;
			continue;
		}
		if (idle_since == 0)
			idle_since = now_ns();
		if (status != VNIC_WAIT && now_ns() - idle_since < FAST_POLL_NS)
			continue;
		sleep_idle(f);
		idle_since = 0;
	}
	STAGE_REPORT("fast");
	publish_leave(f->publish, f->reader);
}
