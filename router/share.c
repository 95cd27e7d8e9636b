/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: see share.h.
 */
#include "router/share.h"

#include "lib/base.h"
#include "router/clock.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	LOST_NS = 200000, /* no poll takes that long: others had the core */
	NAP_NS = 100000,  /* the first one, */
	MIN_NAP_NS = 25000,
	MAX_NAP_NS = 500000,
	EMPTY_NAPS = 2,    /* that found nothing, before it sleeps */
	SLICE_NS = 100000, /* the shortest that there is */
};

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
share_begin(void)
{
	ask_for_short_slices();
	prctl(PR_SET_TIMERSLACK, 1000); /* ns; the default is half a nap */
}

enum share_next
share_idle(struct share *s)
{
	uint64_t now = clock_now_ns();

	if (s->idle_since == 0)
		s->idle_since = now;
	if (unlikely(
		s->polled_ns && now - s->polled_ns > LOST_NS && s->nap_ns == 0))
		s->nap_ns = NAP_NS;
	s->polled_ns = now;
	if (likely(s->nap_ns == 0))
		return now - s->idle_since < SHARE_POLL_NS ? SHARE_POLL
							   : SHARE_SLEEP;
	return s->n_naps == EMPTY_NAPS ? SHARE_SLEEP : SHARE_NAP;
}

void
share_nap(struct share *s)
{
	struct timespec t = { .tv_nsec = (long)s->nap_ns };
	uint64_t late;

	nanosleep(&t, NULL);
	late = clock_now_ns() - s->polled_ns;
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
