/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_share: who naps on his core, and who does not. The neighbour is a
 * thread on the same core; the kernel's own count of what a thread waited for its
 * core says which pauses were one's.
 */
#include "router/share.h"

#include "lib/base.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PAUSE_NS = 400000,
	N_PAUSES = 200,
	CLEAN_NS = 50000, /* a pause in which nobody else had the core */
	PATIENCE_S = 30,
	/* as in share.c */
	MIN_ALONE = 32,
	ALONE_NS = 2000,
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t
waited_ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "re");
	uint64_t ns;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*u %" SCNu64, &ns), 1);
	fclose(f);
	return ns;
}

/* As if the machine stood still between two polls. */
static enum share_next
next_after_pause(struct share *s)
{
	struct timespec t = { .tv_nsec = PAUSE_NS };

	share_anew(s);
	s->looked_ns = 0;
	share_idle(s);
	nanosleep(&t, NULL);
	return share_idle(s);
}

static void
a_pause_is_no_neighbour(void **state)
{
	unsigned n_clean = 0;
	struct share s;

	(void)state;
	share_begin(&s);
	assert_true(s.schedstat >= 0);
	for (unsigned i = 0; i < N_PAUSES; i++) {
		uint64_t before = waited_ns();
		enum share_next next = next_after_pause(&s);

		if (waited_ns() - before > CLEAN_NS) {
			s.nap_ns = 0; /* others of this machine are at work */
			continue;
		}
		n_clean++;
		assert_int_not_equal(next, SHARE_NAP);
	}
	share_end(&s);
	assert_in_range(n_clean, 1, N_PAUSES);
}

static void
without_the_kernels_word_the_clock_is_taken(void **state)
{
	struct share s;

	(void)state;
	share_begin(&s);
	share_end(&s);
	assert_int_equal(next_after_pause(&s), SHARE_NAP);
}

struct neighbour {
	pthread_t thread;
	atomic_bool stop;
};

static void *
be_there(void *arg)
{
	struct neighbour *n = arg;

	while (!atomic_load(&n->stop))
		;
	return NULL;
}

/* Nobody else of this machine takes the core; without the right to that, perhaps. */
static void
be_first(void)
{
	const struct sched_param p = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO, &p);
}

/* Until it polls, or somebody had the core again and again. Returns how often. */
static unsigned
naps_until_alone(struct share *s, uint64_t until_ns)
{
	unsigned n = 0, n_clean = 0;

	for (; now_ns() < until_ns; n++) {
		uint64_t before = waited_ns();

		share_anew(s);
		if (share_idle(s) == SHARE_POLL)
			return n;
		assert_true(n_clean < MIN_ALONE);
		share_nap(s);
		n_clean = waited_ns() - before < ALONE_NS ? n_clean + 1 : 0;
	}
	return n;
}

static void
neighbours_share_and_a_core_of_ones_own_is_polled(void **state)
{
	uint64_t until = now_ns() + UINT64_C(1000000000) * PATIENCE_S;
	struct neighbour n = { .stop = false };
	enum share_next next;
	cpu_set_t all, one;
	struct share s;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(pthread_create(&n.thread, NULL, be_there, &n), 0);

	share_begin(&s);
	while ((next = share_idle(&s)) != SHARE_NAP && now_ns() < until)
		;
	assert_int_equal(next, SHARE_NAP);
	atomic_store(&n.stop, true);
	pthread_join(n.thread, NULL);

	be_first();
	/* a neighbour that naps, too, is not there each time */
	assert_in_range(naps_until_alone(&s, until), MIN_ALONE, UINT32_MAX);
	share_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pause_is_no_neighbour),
		cmocka_unit_test(without_the_kernels_word_the_clock_is_taken),
		cmocka_unit_test(
		    neighbours_share_and_a_core_of_ones_own_is_polled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
