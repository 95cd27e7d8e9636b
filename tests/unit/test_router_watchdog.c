/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_watchdog: who stands still, who sleeps in its script, and who only
 * waits for a core.
 */
#include "lib/base.h"
#include "router/watchdog.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include <cmocka.h>

enum {
	LOOKS = 6,     /* each after a tick: three times what is allowed */
	PATIENCE = 60, /* of looks at one who stands still, if he has a core */
};

struct runner {
	struct watchdog dog;
	struct pulse pulse;
	pthread_t thread;
	_Atomic(bool) stop;
	bool beats;
	bool sleeps;
	int policy; /* of the scheduler */
	int cpu;    /* -1: any */
};

static void
pause_ms(unsigned ms)
{
	struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

static bool
is_stopped(struct runner *r)
{
	return atomic_load_explicit(&r->stop, memory_order_relaxed);
}

static void *
run(void *arg)
{
	struct sched_param none = { 0 };
	struct runner *r = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	if (r->cpu >= 0) {
		CPU_SET((unsigned)r->cpu, &set);
		pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	}
	pulse_begin(&r->pulse);
	if (pthread_setschedparam(pthread_self(), r->policy, &none) != 0)
		r->policy = -1;
	while (!is_stopped(r)) {
		if (r->beats)
			pulse_beat(&r->pulse);
		if (r->sleeps)
			pause_ms(10);
	}
	pulse_end(&r->pulse);
	return NULL;
}

static void
start(struct runner *r)
{
	r->dog.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(r->dog.event >= 0);
	r->pulse.dog = &r->dog;
	assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
	while (atomic_load_explicit(&r->pulse.state, memory_order_acquire) !=
	       PULSE_AWAKE)
		pause_ms(1);
}

static void
stop(struct runner *r)
{
	atomic_store_explicit(&r->stop, true, memory_order_relaxed);
	pthread_join(r->thread, NULL);
	close(r->dog.event);
}

/* How many looks until it stands still; max + 1: it does not. */
static unsigned
looks(struct runner *r, unsigned max)
{
	unsigned n;

	pulse_look(&r->pulse);
	for (n = 1; n <= max; n++) {
		pause_ms(WATCHDOG_TICK_MS);
		if (pulse_look(&r->pulse))
			break;
	}
	return n;
}

static void
who_beats_does_not_stand_still(void **state)
{
	struct runner r = { .beats = true, .sleeps = true, .cpu = -1 };

	(void)state;
	start(&r);
	assert_int_equal(looks(&r, LOOKS), LOOKS + 1);
	stop(&r);
}

static void
who_sleeps_in_its_script_does(void **state)
{
	struct runner r = { .sleeps = true, .cpu = -1 };

	(void)state;
	start(&r);
	assert_in_range(looks(&r, PATIENCE),
	    WATCHDOG_STILL_MS / WATCHDOG_TICK_MS, PATIENCE);
	stop(&r);
}

static void
who_waits_for_a_core_does_not(void **state)
{
	struct runner busy = { .policy = SCHED_OTHER, .beats = true };
	struct runner r = { .policy = SCHED_IDLE };
	cpu_set_t set;
	unsigned n;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	while (r.cpu < CPU_SETSIZE - 1 && !CPU_ISSET((unsigned)r.cpu, &set))
		r.cpu++;
	busy.cpu = r.cpu;
	start(&r);
	start(&busy);
	n = looks(&r, LOOKS);
	stop(&busy);
	if (busy.policy < 0 || r.policy < 0) {
		stop(&r);
		skip();
	}
	assert_int_equal(n, LOOKS + 1);
	stop(&r);
}

static void
who_runs_without_end_does(void **state)
{
	struct runner r = { .cpu = -1 };

	(void)state;
	start(&r);
	assert_in_range(looks(&r, PATIENCE),
	    WATCHDOG_STILL_MS / WATCHDOG_TICK_MS, PATIENCE);
	stop(&r);
}

/* Little of a core, but of its own: it adds up, however short the turns are. */
static void
who_runs_a_little_does_in_the_end(void **state)
{
	struct runner r = { .cpu = -1 };
	struct pulse *p = &r.pulse;
	unsigned n = 0;

	(void)state;
	start(&r);
	pulse_look(p);
	while (!pulse_look(p)) { /* a look takes some microseconds */
		assert_in_range(++n, 1, 1000000);
		assert_true(p->still_ns < WATCHDOG_STILL_MS * 1000000);
	}
	assert_true(n > 1000);
	stop(&r);
}

static void
what_ran_before_a_script_is_not_its(void **state)
{
	struct runner r = { .cpu = -1 };

	(void)state;
	start(&r);
	pulse_look(&r.pulse);
	pulse_end(&r.pulse);
	pause_ms(2 * WATCHDOG_TICK_MS);
	/* in place of the thread, which runs on */
	pulse_begin(&r.pulse);
	assert_false(pulse_look(&r.pulse));
	assert_int_equal(r.pulse.still_ns, 0);
	/* and so with a sleep for want of packets */
	pulse_sleep(&r.pulse);
	pause_ms(2 * WATCHDOG_TICK_MS);
	pulse_awake(&r.pulse);
	assert_false(pulse_look(&r.pulse));
	assert_int_equal(r.pulse.still_ns, 0);
	stop(&r);
}

static void
who_sleeps_for_want_of_packets_is_left_alone(void **state)
{
	struct runner r = { .sleeps = true, .cpu = -1 };
	struct pulse *all[] = { &r.pulse };
	uint64_t called = 0;

	(void)state;
	start(&r);
	assert_false(watchdog_doze(&r.dog, all, 1));
	pulse_sleep(&r.pulse);
	/* it was awake lately */
	assert_false(watchdog_doze(&r.dog, all, 1));
	assert_false(pulse_look(&r.pulse));
	assert_false(watchdog_doze(&r.dog, all, 1));
	pulse_awake(&r.pulse);
	assert_true(read(r.dog.event, &called, sizeof(called)) < 0);
	pulse_sleep(&r.pulse);
	assert_false(pulse_look(&r.pulse));
	assert_false(watchdog_doze(&r.dog, all, 1));
	/* it was not */
	assert_false(pulse_look(&r.pulse));
	assert_true(watchdog_doze(&r.dog, all, 1));
	/* waking up calls the dog, once */
	assert_true(read(r.dog.event, &called, sizeof(called)) < 0);
	pulse_awake(&r.pulse);
	assert_int_equal(read(r.dog.event, &called, sizeof(called)), 8);
	pulse_sleep(&r.pulse);
	pulse_awake(&r.pulse);
	assert_true(read(r.dog.event, &called, sizeof(called)) < 0);
	stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_beats_does_not_stand_still),
		cmocka_unit_test(who_sleeps_in_its_script_does),
		cmocka_unit_test(who_waits_for_a_core_does_not),
		cmocka_unit_test(who_runs_without_end_does),
		cmocka_unit_test(who_runs_a_little_does_in_the_end),
		cmocka_unit_test(what_ran_before_a_script_is_not_its),
		cmocka_unit_test(who_sleeps_for_want_of_packets_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
