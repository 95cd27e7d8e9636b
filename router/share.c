/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: see share.h.
 */
#include "router/share.h"

#include "lib/base.h"
#include "router/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	LOST_NS = 200000,  /* no poll takes that long: somebody had the core */
	LOOK_NS = 1000000, /* what the kernel says is not older than that */
	NAP_NS = 100000,   /* the first one, */
	MIN_NAP_NS = 25000,
	MAX_NAP_NS = 500000,
	EMPTY_NAPS = 2,   /* that found nothing, before it sleeps */
	ALONE_NS = 2000,  /* who is alone waits less for its core after a nap */
	MIN_ALONE = 32,   /* naps alone before it polls again; */
	MAX_ALONE = 4096, /* after mistakes, each of which takes a slice away */
	MISTAKE_NS = 1000000000, /* it had a neighbour again so soon */
	SLICE_NS = 100000,       /* the shortest that there is */
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
share_begin(struct share *s)
{
	*s = (struct share){ 0 };
	ask_for_short_slices();
	prctl(PR_SET_TIMERSLACK, 1000); /* ns; the default is half a nap */
	s->schedstat =
	    open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void
share_end(struct share *s)
{
	if (s->schedstat >= 0)
		close(s->schedstat);
	s->schedstat = -1;
}

/*
 * For how much of the last time_ns the thread was ready to run and did not, in ns:
 * as the kernel says (Documentation/scheduler/sched-stats.rst), since the look
 * before; all of it where the kernel says nothing.
 */
static uint64_t
look(struct share *s, uint64_t now, uint64_t time_ns)
{
	uint64_t before = s->waited_ns;
	char text[64];
	ssize_t n = -1;

	s->looked_ns = now;
	if (s->schedstat >= 0)
		n = pread(s->schedstat, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return time_ns;
	text[n] = '\0';
	if (sscanf(text, "%*u %" SCNu64, &s->waited_ns) != 1)
		return time_ns;
	return MIN(s->waited_ns - before, time_ns);
}

/* Others had the core between two polls that found nothing. */
static bool
has_lost_core(struct share *s, uint64_t now)
{
	uint64_t gap = s->polled_ns ? now - s->polled_ns : 0;

	if (likely(gap <= LOST_NS && now - s->looked_ns < LOOK_NS))
		return false;
	return look(s, now, gap) > LOST_NS / 2;
}

static void
begin_naps(struct share *s, uint64_t now)
{
	bool mistake = s->ended_ns != 0 && now - s->ended_ns < MISTAKE_NS;

	s->nap_ns = NAP_NS;
	s->n_alone = 0;
	s->want_alone = mistake ? MIN(2 * s->want_alone, (unsigned)MAX_ALONE)
				: (unsigned)MIN_ALONE;
}

enum share_next
share_idle(struct share *s)
{
	uint64_t now = clock_now_ns();

	if (s->idle_since == 0)
		s->idle_since = now;
	if (s->nap_ns == 0 && unlikely(has_lost_core(s, now)))
		begin_naps(s, now);
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
	uint64_t now, late;

	look(s, s->polled_ns, 0);
	nanosleep(&t, NULL);
	now = clock_now_ns();
	late = now - s->polled_ns;
	late = look(s, now, late - MIN(late, s->nap_ns));
	if (late > s->nap_ns)
		s->nap_ns = MIN(2 * s->nap_ns, (uint64_t)MAX_NAP_NS);
	else if (late < s->nap_ns / 4)
		s->nap_ns = MAX(s->nap_ns / 2, (uint64_t)MIN_NAP_NS);
	s->n_alone = late < ALONE_NS ? s->n_alone + 1 : 0;
	if (s->n_alone >= s->want_alone) {
		s->nap_ns = 0;
		s->ended_ns = now;
	}
	s->polled_ns = 0;
	s->n_naps++;
}
