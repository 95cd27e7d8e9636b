/* SPDX-License-Identifier: Apache-2.0 */
/* test_lib_loop: sources that fire, delete each other, and wake the loop. */
#include "lib/loop.h"

#include "lib/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>

#include <setjmp.h>
/* cmocka wants setjmp.h and stdarg.h */
#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

static struct loop *loop;

static int
open_loop(void **state)
{
	(void)state;
	return loop_new(&loop);
}

static int
close_loop(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

static void
stop_with_1(void *arg)
{
	(void)arg;
	loop_stop(loop, 1);
}

/* Runs the loop for ms milliseconds. */
static void
run_for(unsigned ms)
{
	struct loop_source *t;

	assert_int_equal(loop_add_timer(loop, stop_with_1, NULL, &t), 0);
	loop_arm(t, ms);
	assert_int_equal(loop_run(loop), 1);
	loop_del(t);
}

/* Runs the loop until a callback stops it with 0. */
static void
run_until_stopped(void)
{
	struct loop_source *t;

	assert_int_equal(loop_add_timer(loop, stop_with_1, NULL, &t), 0);
	loop_arm(t, PATIENCE_MS);
	assert_int_equal(loop_run(loop), 0);
	loop_del(t);
}

struct reader {
	struct loop_source *self, *other;
	unsigned n_calls;
	unsigned stop_at; /* the call that stops the loop */
	bool drain, del_self, del_other;
};

static void
on_readable(void *arg, int fd, uint32_t events)
{
	struct reader *r = arg;
	char c;

	assert_true(events & EPOLLIN);
	if (++r->n_calls == r->stop_at)
		loop_stop(loop, 0);
	if (r->drain)
		assert_int_equal(read(fd, &c, 1), 1);
	if (r->del_other) {
		loop_del(r->other);
		r->other = NULL;
	}
	if (r->del_self)
		loop_del(r->self);
}

static void
a_readable_fd_calls_back(void **state)
{
	struct reader r = { .drain = true, .stop_at = 3 };
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(
	    loop_add_fd(loop, p[0], EPOLLIN, on_readable, &r, &r.self), 0);
	assert_int_equal(write(p[1], "abc", 3), 3);
	run_until_stopped();
	run_for(20);
	assert_int_equal(r.n_calls, 3);
	assert_int_equal(loop_set_events(r.self, 0), 0);
	assert_int_equal(write(p[1], "d", 1), 1);
	run_for(10);
	assert_int_equal(r.n_calls, 3);
	assert_int_equal(loop_set_events(r.self, EPOLLIN), 0);
	run_for(10);
	assert_int_equal(r.n_calls, 4);
	loop_del(r.self);
	loop_del(NULL);
	close(p[0]);
	close(p[1]);
	assert_int_equal(
	    loop_add_fd(loop, -1, EPOLLIN, on_readable, &r, NULL), -EBADF);
	run_for(1);
}

/* Both are readable in one turn; whoever comes first deletes both. */
static void
a_deleted_source_is_not_called(void **state)
{
	struct reader a = { .del_self = true, .del_other = true };
	struct reader b = a;
	int pa[2], pb[2];

	(void)state;
	assert_int_equal(pipe2(pa, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pb, O_CLOEXEC), 0);
	assert_int_equal(
	    loop_add_fd(loop, pa[0], EPOLLIN, on_readable, &a, &a.self), 0);
	assert_int_equal(
	    loop_add_fd(loop, pb[0], EPOLLIN, on_readable, &b, &b.self), 0);
	a.other = b.self;
	b.other = a.self;
	assert_int_equal(write(pa[1], "x", 1), 1);
	assert_int_equal(write(pb[1], "x", 1), 1);
	run_for(10);
	assert_int_equal(a.n_calls + b.n_calls, 1);
	close(pa[0]);
	close(pa[1]);
	close(pb[0]);
	close(pb[1]);
}

struct ticker {
	struct loop_source *self;
	unsigned n_calls;
	unsigned again; /* the last of these calls stops the loop */
	uint64_t at_ms;
};

static void
on_tick(void *arg)
{
	struct ticker *t = arg;

	t->n_calls++;
	t->at_ms = loop_now_ms();
	if (t->n_calls < t->again)
		loop_arm(t->self, 1);
	else if (t->n_calls == t->again)
		loop_stop(loop, 0);
}

static void
a_timer_fires_once_per_arming(void **state)
{
	struct ticker t = { 0 };
	uint64_t begin = loop_now_ms();

	(void)state;
	assert_int_equal(loop_add_timer(loop, on_tick, &t, &t.self), 0);
	run_for(5);
	assert_int_equal(t.n_calls, 0); /* not armed */
	loop_arm(t.self, 1000);
	begin = loop_now_ms();
	loop_arm(t.self, 10); /* moved */
	run_for(30);
	assert_int_equal(t.n_calls, 1);
	assert_true(t.at_ms - begin >= 10);
	loop_arm(t.self, 1);
	loop_disarm(t.self);
	run_for(5);
	assert_int_equal(t.n_calls, 1);
	t.again = 4;
	loop_arm(t.self, 0);
	run_until_stopped();
	run_for(30);
	assert_int_equal(t.n_calls, 4);
	loop_arm(t.self, 1);
	loop_del(t.self);
	run_for(5);
	assert_int_equal(t.n_calls, 4);
}

static void
a_timer_is_armed_sooner_and_never_later(void **state)
{
	struct ticker t = { 0 };

	(void)state;
	assert_int_equal(loop_add_timer(loop, on_tick, &t, &t.self), 0);
	loop_arm_sooner(t.self, 60000); /* was not armed at all */
	loop_arm_sooner(t.self, 1);
	loop_arm_sooner(t.self, 60000);
	run_for(30);
	assert_int_equal(t.n_calls, 1);
	loop_del(t.self);
}

static unsigned n_wakes;

static void
on_wake(void *arg)
{
	(void)arg;
	n_wakes++;
	loop_stop(loop, -EINTR);
}

static void *
wake_thread(void *arg)
{
	for (unsigned i = 0; i < 1000; i++)
		loop_wake(arg);
	return NULL;
}

static void
a_wake_from_another_thread_is_not_lost(void **state)
{
	pthread_t thread;

	(void)state;
	n_wakes = 0;
	loop_on_wake(loop, on_wake, NULL);
	assert_int_equal(pthread_create(&thread, NULL, wake_thread, loop), 0);
	assert_int_equal(loop_run(loop), -EINTR);
	pthread_join(thread, NULL);
	assert_int_equal(n_wakes, 1);
	loop_wake(loop);
	assert_int_equal(loop_run(loop), -EINTR);
	assert_int_equal(n_wakes, 2);
	loop_on_wake(loop, NULL, NULL);
	loop_wake(loop);
	run_for(5);
	assert_int_equal(n_wakes, 2);
}

/* Each in its time, whatever the order in which they were armed or moved. */
static void
timers_do_not_hide_each_other(void **state)
{
	struct ticker t[4] = { { 0 }, { 0 }, { 0 }, { 0 } };
	uint64_t begin = loop_now_ms();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(
		    loop_add_timer(loop, on_tick, &t[i], &t[i].self), 0);
	loop_arm(t[0].self, 60);
	loop_arm(t[1].self, 20);
	loop_arm(t[2].self, 0); /* the soonest, which is moved */
	loop_arm(t[2].self, 90);
	loop_arm(t[3].self, 10); /* the soonest, which is off again */
	loop_disarm(t[3].self);
	run_for(200);
	assert_int_equal(t[0].n_calls, 1);
	assert_int_equal(t[1].n_calls, 1);
	assert_int_equal(t[2].n_calls, 1);
	assert_int_equal(t[3].n_calls, 0);
	assert_true(t[0].at_ms >= begin + 60);
	assert_true(t[1].at_ms >= begin + 20);
	assert_true(t[2].at_ms >= begin + 90);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		LOOP_TEST(a_readable_fd_calls_back),
		LOOP_TEST(a_deleted_source_is_not_called),
		LOOP_TEST(a_timer_fires_once_per_arming),
		LOOP_TEST(a_timer_is_armed_sooner_and_never_later),
		LOOP_TEST(timers_do_not_hide_each_other),
		LOOP_TEST(a_wake_from_another_thread_is_not_lost),
	};

	return cmocka_run_group_tests_name("lib_loop", tests, NULL, NULL);
}
