/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_share: who naps on its core, and who polls. What the kernel counts
 * is written by the test, but for one with a neighbour of flesh and blood.
 */
#include "router/share.h"

#include "lib/base.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PAUSE_NS = 400000,  /* longer than any poll */
	WAITED_NS = 300000, /* most of it */
	SHORT_NS = 10000,
	PATIENCE_S = 30,
	/* as in share.c */
	FIRST_ALONE = 32,
	MOST_ALONE = 1024,
	FIRST_NAP_NS = 100000,
};

static bool says_nothing;

/* What the kernel would say: it has run; a kernel that does not count has zeros. */
static void
say(const struct share *s, uint64_t waited_ns)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%d %llu 1\n",
	    says_nothing ? 0 : 1, (unsigned long long)waited_ns);

	assert_int_equal(pwrite(s->schedstat_fd, text, (size_t)n, 0), n);
}

static void
begin(struct share *s)
{
	share_begin(s);
	share_end(s);
	s->schedstat_fd = memfd_create("schedstat", MFD_CLOEXEC);
	assert_true(s->schedstat_fd >= 0);
	say(s, 0);
}

/* Polls, stands still, polls: with waited_ns as what the kernel counts then. */
static enum share_next
next_after_pause(struct share *s, uint64_t waited_ns)
{
	struct timespec t = { .tv_nsec = PAUSE_NS };

	share_anew(s);
	share_idle(s);
	nanosleep(&t, NULL);
	if (s->schedstat_fd >= 0)
		say(s, waited_ns);
	return share_idle(s);
}

/* A turn that finds nothing, and a nap. */
static void
nap(struct share *s)
{
	share_anew(s);
	assert_int_equal(share_idle(s), SHARE_NAP);
	share_nap(s);
}

/* How many naps until it polls; each finds the core free. */
static unsigned
naps_alone(struct share *s)
{
	for (unsigned n = 0;; n++) {
		share_anew(s);
		if (share_idle(s) == SHARE_POLL)
			return n;
		assert_true(n < 2 * MOST_ALONE);
		share_nap(s);
	}
}

static void
a_pause_is_no_neighbour(void **state)
{
	struct share s;

	(void)state;
	begin(&s);
	assert_int_not_equal(next_after_pause(&s, 0), SHARE_NAP);
	assert_int_equal(next_after_pause(&s, WAITED_NS), SHARE_NAP);
	share_end(&s);
}

static void
a_core_of_ones_own_is_polled_again(void **state)
{
	uint64_t waited = 0;
	struct share s;

	(void)state;
	begin(&s);
	/* each mistake costs twice as much */
	for (unsigned want = FIRST_ALONE; want <= 4 * FIRST_ALONE; want *= 2) {
		waited += WAITED_NS;
		assert_int_equal(next_after_pause(&s, waited), SHARE_NAP);
		assert_int_equal(naps_alone(&s), want);
	}
	/* and not without end */
	for (unsigned i = 0; i < 8; i++) {
		waited += WAITED_NS;
		assert_int_equal(next_after_pause(&s, waited), SHARE_NAP);
		s.n_alone = s.want_alone - 1;
		naps_alone(&s);
	}
	assert_int_equal(s.want_alone, MOST_ALONE);
	/* long ago */
	s.naps_ended_ns = 1;
	waited += WAITED_NS;
	assert_int_equal(next_after_pause(&s, waited), SHARE_NAP);
	assert_int_equal(naps_alone(&s), FIRST_ALONE);
	share_end(&s);
}

static void
a_neighbour_who_stays_is_napped_for(void **state)
{
	uint64_t waited = WAITED_NS;
	struct share s;

	(void)state;
	begin(&s);
	assert_int_equal(next_after_pause(&s, waited), SHARE_NAP);
	/* every other nap, or the turn before it, had to wait */
	for (unsigned i = 0; i < 4 * FIRST_ALONE; i++) {
		if (i % 2 == 0)
			say(&s, waited += WAITED_NS);
		nap(&s);
	}
	/* one wake-up of somebody takes some of it away, not all */
	for (unsigned i = 0; i < FIRST_ALONE / 2; i++)
		nap(&s);
	say(&s, waited += WAITED_NS);
	nap(&s);
	/* what any core does now and then takes nothing */
	say(&s, waited += SHORT_NS);
	nap(&s);
	assert_in_range(naps_alone(&s), FIRST_ALONE / 2, FIRST_ALONE - 2);
	share_end(&s);
}

/* What was waited for is forgotten when the kernel is asked, each millisecond. */
static void
an_old_wait_is_no_neighbour(void **state)
{
	struct timespec t = { .tv_nsec = PAUSE_NS / 4 };
	struct share s;

	(void)state;
	begin(&s);
	share_idle(&s);
	say(&s, WAITED_NS);
	for (unsigned i = 0; i < 16; i++) {
		share_anew(&s);
		nanosleep(&t, NULL);
		share_idle(&s);
	}
	assert_int_not_equal(next_after_pause(&s, WAITED_NS), SHARE_NAP);
	share_end(&s);
}

/* Timers that are late are no neighbour either: naps stay as long as they are. */
static void
late_timers_make_no_longer_naps(void **state)
{
	struct share s;

	(void)state;
	begin(&s);
	assert_int_equal(next_after_pause(&s, WAITED_NS), SHARE_NAP);
	for (unsigned i = 0; i < FIRST_ALONE / 2; i++) {
		share_anew(&s);
		assert_int_equal(share_idle(&s), SHARE_NAP);
		s.polled_ns -= PAUSE_NS; /* as if the timer came so late */
		share_nap(&s);
		assert_true(s.nap_ns <= FIRST_NAP_NS);
	}
	share_end(&s);
}

static void
mistakes_are_forgiven_in_time(void **state)
{
	struct share s;

	(void)state;
	begin(&s);
	assert_int_equal(next_after_pause(&s, WAITED_NS), SHARE_NAP);
	s.want_alone = MOST_ALONE;
	for (unsigned want = MOST_ALONE / 2; want >= FIRST_ALONE; want /= 2) {
		s.wanted_ns = 1; /* long ago */
		nap(&s);
		assert_int_equal(s.want_alone, want);
	}
	s.wanted_ns = 1;
	nap(&s);
	assert_int_equal(s.want_alone, FIRST_ALONE);
	share_end(&s);
}

static void
without_the_kernels_word_the_clock_is_taken(void **state)
{
	time_t until = time(NULL) + PATIENCE_S;
	struct share s;

	(void)state;
	begin(&s);
	share_end(&s);
	assert_int_equal(next_after_pause(&s, 0), SHARE_NAP);

	says_nothing = true;
	begin(&s);
	assert_int_equal(next_after_pause(&s, 0), SHARE_NAP);
	/* a timer that is a bit late is not counted: naps end */
	for (share_anew(&s); share_idle(&s) == SHARE_NAP; share_anew(&s)) {
		assert_true(time(NULL) < until);
		share_nap(&s);
	}
	share_end(&s);
	says_nothing = false;
}

struct neighbour {
	pthread_t thread;
	atomic_bool stop;
};

static void *
be_there(void *arg)
{
	struct neighbour *n = arg;

	/* relaxed: sooner or later */
	while (!atomic_load_explicit(&n->stop, memory_order_relaxed))
		;
	return NULL;
}

/* Who has begun has run for some time; a kernel that does not count says 0. */
static bool
kernel_counts(void)
{
	FILE *in = fopen("/proc/thread-self/schedstat", "re");
	unsigned long long ran_ns = 0;
	bool counts = in && fscanf(in, "%llu", &ran_ns) == 1 && ran_ns > 0;

	if (in)
		fclose(in);
	return counts;
}

static void
the_kernel_tells_of_a_neighbour(void **state)
{
	struct neighbour n = { .stop = false };
	time_t until = time(NULL) + PATIENCE_S;
	enum share_next next;
	cpu_set_t one;
	struct share s;

	(void)state;
	if (!kernel_counts())
		skip();
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(pthread_create(&n.thread, NULL, be_there, &n), 0);
	share_begin(&s);
	while ((next = share_idle(&s)) != SHARE_NAP && time(NULL) < until)
		;
	/* relaxed: it is joined */
	atomic_store_explicit(&n.stop, true, memory_order_relaxed);
	pthread_join(n.thread, NULL);
	assert_true(s.waited_ns > 0);
	share_end(&s);
	assert_int_equal(next, SHARE_NAP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pause_is_no_neighbour),
		cmocka_unit_test(a_core_of_ones_own_is_polled_again),
		cmocka_unit_test(a_neighbour_who_stays_is_napped_for),
		cmocka_unit_test(an_old_wait_is_no_neighbour),
		cmocka_unit_test(late_timers_make_no_longer_naps),
		cmocka_unit_test(mistakes_are_forgiven_in_time),
		cmocka_unit_test(without_the_kernels_word_the_clock_is_taken),
		cmocka_unit_test(the_kernel_tells_of_a_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
