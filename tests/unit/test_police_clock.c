/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_police_clock: limits hold whatever the clock does, with the largest and
 * smallest numbers, and for several workers in sum.
 */
#include "tests/unit/police_hook.h"
#include "tests/unit/police_rig.h"

#include "lib/base.h"

#include <pthread.h>

static int64_t
tokens(enum police_kind k)
{
	return atomic_load_explicit(
	    &police_tank[0].fill[k], memory_order_relaxed);
}

/* --- clocks and limits of numbers ------------------------------------------------ */

static void
clocks_may_step(void **state)
{
	const struct police p =
	    one_level((struct wire_rates){ .rx_pps = 1000, .burst_ms = 100 });

	(void)state;
	drain(&p, 64, true);
	clock_ns -= 500 * MS; /* another worker's: waits for the later one */
	assert_int_equal(drain(&p, 64, true), 0);
	clock_ns += 500 * MS;
	assert_int_equal(drain(&p, 64, true), 0);
	clock_ns -= 4000 * SECOND; /* another clock: no tokens, and on */
	assert_int_equal(drain(&p, 64, true), 0);
	clock_ns += 50 * MS;
	assert_int_equal(drain(&p, 64, true), 50);
	clock_ns = UINT64_MAX; /* far ahead: a burst, not more */
	assert_int_equal(drain(&p, 64, true), 100);
	clock_ns = 0;
	assert_int_equal(drain(&p, 64, true), 0);
	clock_ns = 10 * MS;
	assert_int_equal(drain(&p, 64, true), 10);
}

/* Rounds that are shorter than a microsecond lose no time. */
static void
short_rounds_add_up(void **state)
{
	const struct police p =
	    one_level((struct wire_rates){ .rx_pps = 1000000, .burst_ms = 10 });
	uint64_t passed = 0;

	(void)state;
	drain(&p, 64, true);
	for (unsigned i = 0; i < 1000000; i++) {
		clock_ns += 313;
		passed += judge(&p, 4, 64, true).n_pass;
	}
	assert_in_range(passed, 312998, 313000);
}

static void
the_largest_limits_do_not_overflow(void **state)
{
	const struct wire_rates most = {
		.rx_pps = POLICE_MAX_PPS,
		.rx_bps = POLICE_MAX_BPS,
		.burst_ms = POLICE_MAX_BURST_MS,
	};
	const struct police p = one_level(most);

	(void)state;
	assert_true(p.level[0].depth[POLICE_BPS] == 1000000000000000000);
	for (unsigned i = 0; i < 1000; i++) {
		clock_ns += i % 2 ? 1 : 100000 * SECOND;
		assert_int_equal(
		    judge(&p, POLICE_MAX_PACKETS, UINT16_MAX, false).n_pass,
		    POLICE_MAX_PACKETS);
		assert_true(tokens(POLICE_BPS) <= p.level[0].depth[POLICE_BPS]);
		assert_true(tokens(POLICE_BPS) > 0);
	}
	/* and the smallest, with the longest debt there can be */
	police_fill(&police_tank[1]);
	{
		const struct wire_rates least = { .rx_bps = 1, .burst_ms = 1 };
		struct police slow = { 0 };

		police_add(&slow, &least, POLICE_RX, &police_tank[1]);
		assert_int_equal(judge(&slow, N, UINT16_MAX, false).n_pass, 1);
		clock_ns += 8 * UINT16_MAX * SECOND - SECOND;
		assert_int_equal(judge(&slow, N, UINT16_MAX, false).n_pass, 0);
		clock_ns += 2 * SECOND;
		assert_int_equal(judge(&slow, N, UINT16_MAX, false).n_pass, 1);
	}
}

static void
bursts_have_any_length(void **state)
{
	const struct police p = one_level(
	    (struct wire_rates){ .rx_pps = 1000000, .burst_ms = 1000 });

	(void)state;
	for (unsigned n = 0; n <= POLICE_MAX_PACKETS; n++) {
		struct police_verdict v = judge(&p, n, 64, false);

		assert_int_equal(v.n_pass, n);
		assert_int_equal(
		    v.pass, n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX);
	}
}

static void
flaws_are_named(void **state)
{
	struct wire_rates r = { 0 };

	(void)state;
	assert_null(police_flaw(&r));
	r.burst_ms = 1000;
	assert_null(police_flaw(&r));
	r.burst_ms = 1001;
	assert_non_null(strstr(police_flaw(&r), "burst_ms"));
	r = (struct wire_rates){ .tx_pps = 1 };
	assert_non_null(strstr(police_flaw(&r), "burst_ms"));
	r.burst_ms = 1;
	assert_null(police_flaw(&r));
	r.tx_pps = POLICE_MAX_PPS + 1;
	assert_non_null(strstr(police_flaw(&r), "packets"));
	r = (struct wire_rates){ .rx_pps = UINT64_MAX, .burst_ms = 1 };
	assert_non_null(strstr(police_flaw(&r), "packets"));
	r = (struct wire_rates){ .rx_bps = UINT64_MAX, .burst_ms = 1 };
	assert_non_null(strstr(police_flaw(&r), "bits"));
	r = (struct wire_rates){ .tx_bps = POLICE_MAX_BPS, .burst_ms = 1 };
	assert_null(police_flaw(&r));
}

/* --- several workers -------------------------------------------------------------- */

static struct police shared;
static _Atomic(uint64_t) shared_ns;
static _Atomic(uint64_t) shared_passed;

static void *
work(void *arg)
{
	uint16_t lens[N];
	uint64_t now = 0, passed = 0;

	for (unsigned i = 0; i < N; i++)
		lens[i] = 64;
	while (now < 6000 * SECOND) {
		struct police_burst burst = { 0, lens, N, N, arg != NULL };
		struct police_verdict v;

		/* a step is 10 us: 1000 tokens, and 6400 are offered */
		now = atomic_fetch_add_explicit(
			  &shared_ns, 50000, memory_order_relaxed) +
		      50000;
		burst.now_ns = now;
		for (unsigned i = 0; i < 100; i++) {
			police_judge(&shared, &burst, &v);
			passed += v.n_pass;
		}
	}
	atomic_fetch_add_explicit(&shared_passed, passed, memory_order_relaxed);
	return NULL;
}

static void
workers_hold_a_limit_in_sum(void **state)
{
	pthread_t t[2];
	uint64_t from;

	(void)state;
	shared = one_level(
	    (struct wire_rates){ .rx_pps = 10000000, .burst_ms = 50 });
	drain(&shared, 64, false);
	from = 6000 * SECOND - SECOND;
	atomic_store_explicit(
	    &police_tank[0].last_us, from / 1000, memory_order_relaxed);
	atomic_store_explicit(&shared_ns, from, memory_order_relaxed);
	atomic_store_explicit(&shared_passed, 0, memory_order_relaxed);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, work, NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	expect_within(atomic_load(&shared_passed), 10000000, 0.005);
	/* whatever they took too much is a debt */
	assert_true(tokens(POLICE_PPS) > -(int64_t)N * 1000000);
}

/* --- limits that change between two workers ---------------------------------------- */

/* Of this thread; NULL: there is no other worker. */
static _Thread_local const struct police *others;

void
other_worker(void)
{
	const struct police *p = others;

	others = NULL;
	if (p)
		judge(p, N, 64, false);
}

/* Both see the old fill under the new limit, which is a millionth of it. */
static void
a_limit_is_lowered_once(void **state)
{
	const struct wire_rates much = { .rx_pps = 1000000000, .burst_ms = 50 };
	const struct wire_rates less = { .rx_pps = 1000, .burst_ms = 50 };
	struct police p = one_level(much);

	(void)state;
	assert_int_equal(judge(&p, N, 64, false).n_pass, N);
	p = one_level(less);
	others = &p;
	judge(&p, N, 64, false);
	assert_null(others);
	/* of a burst of 50 each took what it saw: a debt of less than one */
	assert_in_range(tokens(POLICE_PPS) + 50000000, 0, 50000000);
	clock_ns += SECOND;
	assert_int_equal(judge(&p, N, 64, false).n_pass, N);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		POLICE_TEST(clocks_may_step),
		POLICE_TEST(short_rounds_add_up),
		POLICE_TEST(the_largest_limits_do_not_overflow),
		POLICE_TEST(bursts_have_any_length),
		POLICE_TEST(flaws_are_named),
		POLICE_TEST(workers_hold_a_limit_in_sum),
		POLICE_TEST(a_limit_is_lowered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
