/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share: see share.h.
 */
#include "router/share.h"

#include "lib/base.h"
#include "router/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	LOST_NS = 200000,  /* no poll takes that long: somebody had the core */
	LOOK_NS = 1000000, /* while polling, the kernel is asked that often */
	LATE_NS = 100000,  /* a timer may be, of a virtual machine */
	NAP_NS = 100000,   /* the first one, */
	MIN_NAP_NS = 25000,
	MAX_NAP_NS = 500000,
	ALONE_NS = 25000, /* who waited less had the core at once */
	EMPTY_NAPS = 2,   /* that found nothing, before it sleeps */
	MIN_ALONE = 32,   /* naps alone before it polls again; */
	MAX_ALONE = 1024, /* after mistakes, each of which takes a slice away */
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
	s->schedstat_fd =
	    open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void
share_end(struct share *s)
{
	base_close(s->schedstat_fd);
	s->schedstat_fd = -1;
}

/* False if the kernel does not count; zeros say the same. */
static bool
read_waited(int fd, uint64_t *waited_ns)
{
	char text[64], *first, *second;
	uint64_t ran_ns, ns;
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	ran_ns = strtoull(text, &first, 10);
	ns = strtoull(first, &second, 10);
	if (second == first || ran_ns == 0)
		return false;
	*waited_ns = ns;
	return true;
}

/*
 * For how long the thread was ready and did not run since the last look, ns
 * (Documentation/scheduler/sched-stats.rst). If the kernel does not say it is
 * clock_ns, unless that is so short that it is a timer's lateness.
 */
static uint64_t
waited_since_look(struct share *s, uint64_t now, uint64_t clock_ns)
{
	uint64_t before = s->waited_ns;

	s->looked_ns = now;
	if (!read_waited(s->schedstat_fd, &s->waited_ns))
		return clock_ns > LATE_NS ? clock_ns : 0;
	return s->waited_ns - before;
}

/* Has somebody had the core since the last poll, which found nothing either? */
static bool
look_for_neighbour(struct share *s, uint64_t now)
{
	uint64_t gap = s->polled_ns ? now - s->polled_ns : 0;

	if (likely(gap <= LOST_NS && now - s->looked_ns < LOOK_NS))
		return false;
	return waited_since_look(s, now, gap) > LOST_NS / 2 && gap > LOST_NS;
}

static void
begin_naps(struct share *s, uint64_t now)
{
	bool mistake =
	    s->naps_ended_ns != 0 && now - s->naps_ended_ns < MISTAKE_NS;

	s->nap_ns = NAP_NS;
	s->n_alone = 0;
	s->wanted_ns = now;
	s->want_alone = mistake ? MIN(2 * s->want_alone, (unsigned)MAX_ALONE)
				: (unsigned)MIN_ALONE;
}

enum share_next
share_idle(struct share *s)
{
	uint64_t now = clock_now_ns();

	if (s->idle_since == 0)
		s->idle_since = now;
	if (s->nap_ns == 0 && unlikely(look_for_neighbour(s, now)))
		begin_naps(s, now);
	s->polled_ns = now;
	if (likely(s->nap_ns == 0))
		return now - s->idle_since < SHARE_POLL_NS ? SHARE_POLL
							   : SHARE_SLEEP;
	return s->n_naps == EMPTY_NAPS ? SHARE_SLEEP : SHARE_NAP;
}

/* Each second takes one mistake away, or a neighbour could make naps for ever. */
static void
forgive(struct share *s, uint64_t now)
{
	if (now - s->wanted_ns < MISTAKE_NS)
		return;
	s->want_alone = MAX(s->want_alone / 2, (unsigned)MIN_ALONE);
	s->wanted_ns = now;
}

/* Who had to wait since the nap before begins anew in part. */
static void
count_alone(struct share *s, bool alone, uint64_t now)
{
	if (!alone) {
		s->n_alone -= MIN(s->n_alone, s->want_alone / 8);
		return;
	}
	if (++s->n_alone < s->want_alone)
		return;
	s->nap_ns = 0;
	s->naps_ended_ns = now;
}

void
share_nap(struct share *s)
{
	struct timespec t = { .tv_nsec = (long)s->nap_ns };
	uint64_t now, late, waited;
	bool alone;

	nanosleep(&t, NULL);
	now = clock_now_ns();
	late = now - s->polled_ns;
	late -= MIN(late, s->nap_ns);
	waited = waited_since_look(s, now, late);
	late = MIN(late, waited);
	alone = waited < ALONE_NS;
	if (late > s->nap_ns)
		s->nap_ns = MIN(2 * s->nap_ns, (uint64_t)MAX_NAP_NS);
	else if (late < s->nap_ns / 4)
		s->nap_ns = MAX(s->nap_ns / 2, (uint64_t)MIN_NAP_NS);
	forgive(s, now);
	count_alone(s, alone, now);
	s->polled_ns = 0;
	s->n_naps++;
}
