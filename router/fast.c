/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast: the loop of a fast path.
 *
 * Routers may outnumber cores. One that polls on while a packet comes now and
 * then would keep its core for a whole slice of the scheduler, milliseconds, in
 * which the slots of the others fill up. So who sees by the clock that it has
 * lost its core while polling does not poll for some time: it naps until a turn
 * is worth its switch. (sched_yield() does nothing between containers: each is
 * alone in its cgroup.) A nap that ends in time shows that the core is its own
 * again.
 */
#include "router/fast.h"

#include "lib/base.h"
#include "lib/stage.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_SLEEP_MS = 1000,
	LOST_NS = 200000, /* no poll takes that long: others had the core */
	NAP_NS = 100000,  /* the first one, */
	MIN_NAP_NS = 25000,
	MAX_NAP_NS = 500000,
	EMPTY_NAPS = 2,    /* that found nothing, before it sleeps */
	SLICE_NS = 100000, /* the shortest that there is */
};

/* How this thread shares its core. */
struct share {
	uint64_t polled_ns; /* last poll without a packet; 0 = had one since */
	uint64_t nap_ns;    /* 0 = the core is ours: poll */
	unsigned n_naps;    /* since the last packet */
};

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

static void
nap(struct share *s, uint64_t now)
{
	struct timespec t = { .tv_nsec = (long)s->nap_ns };
	uint64_t late;

	nanosleep(&t, NULL);
	late = now_ns() - now;
	late -= MIN(late, s->nap_ns);
	if (late > s->nap_ns)
		s->nap_ns = MIN(2 * s->nap_ns, (uint64_t)MAX_NAP_NS);
	else if (late < s->nap_ns / 4)
		s->nap_ns /= 2;
	if (s->nap_ns < MIN_NAP_NS)
		s->nap_ns = 0;
	s->polled_ns = 0;
	s->n_naps++;
}

/* After a poll without a packet; false: nothing has come for long. */
static bool
linger(struct share *s, uint64_t now, uint64_t idle_since)
{
	if (unlikely(
		s->polled_ns && now - s->polled_ns > LOST_NS && s->nap_ns == 0))
		s->nap_ns = NAP_NS;
	s->polled_ns = now;
	if (likely(s->nap_ns == 0))
		return now - idle_since < FAST_POLL_NS;
	if (s->n_naps == EMPTY_NAPS)
		return false;
	nap(s, now);
	return true;
}

/*
 * What a short turn is for: who asks for short slices may interrupt, when he is
 * woken, one that asks for long ones. It takes nothing from the share of either.
 * Kernels before 6.12 ignore it.
 */
static void
ask_for_short_slices(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t slice_ns, deadline, period;
	} attr = { .size = sizeof(attr), .slice_ns = SLICE_NS };

	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

void
fast_run(struct fast *f)
{
	struct share share = { 0 };
	uint64_t idle_since = 0;
	bool gone = false, waits;

	ask_for_short_slices();
	prctl(PR_SET_TIMERSLACK, 1000); /* ns; the default is half a nap */

	/* relaxed: sleep_idle() looks again */
	while (!gone && !atomic_load_explicit(&f->stop, memory_order_relaxed)) {
		uint64_t now;
		unsigned n;

		STAGE_TURN();
		n = turn(f, &gone, &waits);
		STAGE_END(n);
		if (n > 0) {
			idle_since = share.polled_ns = share.n_naps = 0;
			continue;
		}
		now = now_ns();
		if (idle_since == 0)
			idle_since = now;
		if (!waits && linger(&share, now, idle_since))
			continue;
		sleep_idle(f);
		idle_since = share.polled_ns = share.n_naps = 0;
	}
	STAGE_REPORT("fast");
	publish_leave(f->publish, f->reader);
}
