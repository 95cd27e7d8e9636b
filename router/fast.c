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
fast_add(struct fast *f, struct vnic *v, unsigned q, struct pipeline *p,
    struct bell *slow)
{
	struct vnic_queue *queue;
	int rc = vnic_queue_open(v, q, &queue);

	if (rc < 0)
		return rc;
	rc = pipeline_init(p, v, queue);
	if (rc < 0) {
		vnic_queue_close(queue);
		return rc;
	}
	p->slow_bell = slow;
	f->pipeline[f->n] = p;
	f->queue[f->n++] = queue;
	return 0;
}

void
fast_destroy(struct fast *f)
{
	while (f->n > 0) {
		struct pipeline *p = f->pipeline[--f->n];

		pipeline_destroy(p);
		vnic_queue_close(p->queue);
		p->queue = NULL;
	}
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
		vnic_wait_on(f->queue, f->n, &f->bell.word, seen, MAX_SLEEP_MS);
	bell_awake(&f->bell);
}

/* A turn on each queue. Returns how many packets came; *waits: none may run. */
static unsigned
turn(struct fast *f, bool *gone, bool *waits)
{
	unsigned n = 0;

	*waits = true;
	for (unsigned i = 0; i < f->n; i++) {
		enum vnic_status status = vnic_poll(f->queue[i]);

		*gone |= status == VNIC_GONE;
		*waits &= status == VNIC_WAIT;
		if (unlikely(status != VNIC_RUN))
			continue;
		n += pipeline_turn(
		    f->pipeline[i], publish_enter(f->publish, f->reader));
		vnic_flush(f->queue[i]);
		STAGE(FLUSH, n);
	}
	return n;
}

void
fast_run(struct fast *f)
{
	uint64_t idle_since = 0;
	bool gone = false, waits;

	/* relaxed: sleep_idle() looks again */
	while (!gone && !atomic_load_explicit(&f->stop, memory_order_relaxed)) {
		unsigned n;

		STAGE_TURN();
		n = turn(f, &gone, &waits);
		STAGE_END(n);
		if (n > 0) {
			idle_since = 0;
			continue;
		}
		if (idle_since == 0)
			idle_since = now_ns();
		if (!waits && now_ns() - idle_since < FAST_POLL_NS)
			continue;
		sleep_idle(f);
		idle_since = 0;
	}
	STAGE_REPORT("fast");
	publish_leave(f->publish, f->reader);
}
