/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_queue: what threads of the router share: the queue of exceptions,
 * the swap of tables, the bell. The two-thread cases are for ThreadSanitizer.
 */
#include "router/bell.h"
#include "router/plan.h"
#include "router/publish.h"
#include "router/punt.h"

#include "lib/base.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include <cmocka.h>

/* --- punt ----------------------------------------------------------------- */

static void
records_come_out_as_they_went_in(void **state)
{
	static uint8_t frame[9018];
	const uint8_t *out;
	struct punt q;
	unsigned in = 0, seen = 0;

	(void)state;
	assert_int_equal(punt_init(&q), 0);
	assert_null(punt_peek(&q, &out));
	assert_false(punt_has(&q));
	for (unsigned round = 0; round < 2000; round++) {
		while (in < seen + 50) {
			struct punt_record r = {
				.fate = (uint16_t)(in % 7),
				.vnic = (uint16_t)(in % 5),
				.len = (uint16_t)(in * 37 % 9019),
			};

			memset(frame, (int)(in & 0xff), r.len);
			if (!punt_put(&q, &r, frame))
				break;
			in++;
		}
		assert_true(punt_has(&q));
		for (unsigned k = 0; k < 1 + round % 9 && seen < in; k++) {
			const struct punt_record *r = punt_peek(&q, &out);

			assert_non_null(r);
			assert_int_equal(r->fate, seen % 7);
			assert_int_equal(r->vnic, seen % 5);
			assert_int_equal(r->len, seen * 37 % 9019);
			for (unsigned i = 0; i < r->len; i++)
				if (out[i] != (seen & 0xff))
					fail_msg("byte %u", i);
			punt_pop(&q);
			seen++;
		}
	}
	assert_true(seen > 2000);
	punt_destroy(&q);
}

static void
a_full_queue_refuses_and_recovers(void **state)
{
	static uint8_t frame[1500];
	struct punt_record r = { .len = sizeof(frame) };
	unsigned n = 0, again = 0;
	const uint8_t *out;
	struct punt q;

	(void)state;
	assert_int_equal(punt_init(&q), 0);
	while (punt_put(&q, &r, frame))
		n++;
	assert_in_range(n, PUNT_BYTES / 1520, PUNT_BYTES / 1500);
	assert_false(punt_put(&q, &r, frame));
	punt_peek(&q, &out);
	punt_pop(&q);
	punt_peek(&q, &out);
	punt_pop(&q);
	while (punt_put(&q, &r, frame))
		again++;
	assert_in_range(again, 1, 2);
	for (; n + again > 2; n--) {
		assert_non_null(punt_peek(&q, &out));
		punt_pop(&q);
	}
	assert_false(punt_has(&q));
	punt_destroy(&q);
}

enum { PASSED = 100000 };

static void *
produce(void *arg)
{
	struct punt *q = arg;
	uint8_t frame[256];

	for (unsigned i = 0; i < PASSED; i++) {
		struct punt_record r = { .len = (uint16_t)(i % 256) };

		memset(frame, (int)(i & 0xff), r.len);
		while (!punt_put(q, &r, frame))
			sched_yield();
	}
	return NULL;
}

static void
two_threads_pass_a_long_sequence(void **state)
{
	pthread_t thread;
	struct punt q;
	unsigned i = 0;

	(void)state;
	assert_int_equal(punt_init(&q), 0);
	assert_int_equal(pthread_create(&thread, NULL, produce, &q), 0);
	while (i < PASSED) {
		const uint8_t *out;
		const struct punt_record *r = punt_peek(&q, &out);

		if (!r) {
			sched_yield();
			continue;
		}
		if (r->len != i % 256 ||
		    (r->len && (out[0] != (i & 0xff) ||
				   out[r->len - 1] != (i & 0xff))))
			fail_msg("record %u is wrong", i);
		punt_pop(&q);
		i++;
	}
	pthread_join(thread, NULL);
	assert_false(punt_has(&q));
	punt_destroy(&q);
}

/* --- publish -------------------------------------------------------------- */

static struct plan *
empty_plan(void)
{
	struct routerconf c = { 0 };
	struct plan *p;

	assert_int_equal(plan_make(&c, &p), 0);
	return p;
}

static struct tables *
new_tables(const struct plan *p, uint32_t mark)
{
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct tables *t;

	ports[0].mtu = ports[1].mtu = mark;
	t = tables_make(p, ports, NULL, 0, NULL);
	assert_non_null(t);
	return t;
}

static void
tables_are_freed_when_nobody_uses_them(void **state)
{
	struct plan *p = empty_plan();
	struct publish pub = { .n_old = 0 };
	const struct tables *first, *second;

	(void)state;
	assert_null(publish_enter(&pub, 0));
	publish_swap(&pub, new_tables(p, 1));
	first = publish_enter(&pub, 0);
	assert_int_equal(first->vnic[0].mtu, 1);
	publish_swap(&pub, new_tables(p, 2));
	assert_int_equal(publish_reclaim(&pub), 1);
	assert_int_equal(first->vnic[0].mtu, 1); /* still there */
	second = publish_enter(&pub, 1);
	assert_int_equal(second->vnic[0].mtu, 2);
	assert_int_equal(publish_reclaim(&pub), 1);
	publish_leave(&pub, 0);
	assert_int_equal(publish_reclaim(&pub), 0);
	assert_ptr_equal(publish_enter(&pub, 0), second);
	for (unsigned i = 0; i < PUBLISH_MAX_OLD; i++) {
		assert_true(publish_has_room(&pub));
		publish_swap(&pub, new_tables(p, 3));
	}
	assert_false(publish_has_room(&pub));
	assert_int_equal(publish_reclaim(&pub), 1);
	publish_leave(&pub, 0);
	publish_leave(&pub, 1);
	assert_int_equal(publish_reclaim(&pub), 0);
	publish_destroy(&pub);
	plan_free(p);
}

struct readers {
	struct publish pub;
	_Atomic(bool) stop;
	_Atomic(unsigned) number;
	_Atomic(unsigned) torn;
};

static void *
read_tables(void *arg)
{
	struct readers *r = arg;
	unsigned self =
	    atomic_fetch_add_explicit(&r->number, 1, memory_order_relaxed);
	uint32_t last = 0;

	for (unsigned i = 0;
	     !atomic_load_explicit(&r->stop, memory_order_relaxed); i++) {
		const struct tables *t = publish_enter(&r->pub, self);

		if (t->vnic[0].mtu != t->vnic[1].mtu || t->vnic[0].mtu < last)
			atomic_fetch_add_explicit(
			    &r->torn, 1, memory_order_relaxed);
		last = t->vnic[0].mtu;
		if (i % 3 == 0)
			publish_leave(&r->pub, self);
		if (i % 64 == 0)
			sched_yield();
	}
	publish_leave(&r->pub, self);
	return NULL;
}

static void
readers_never_see_freed_or_half_tables(void **state)
{
	struct plan *p = empty_plan();
	struct readers r = { .number = 0 };
	pthread_t thread[3];

	(void)state;
	publish_swap(&r.pub, new_tables(p, 1));
	for (unsigned i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, read_tables, &r), 0);
	for (uint32_t mark = 2; mark < 3000; mark++) {
		while (!publish_has_room(&r.pub)) {
			publish_reclaim(&r.pub);
			sched_yield();
		}
		publish_swap(&r.pub, new_tables(p, mark));
		publish_reclaim(&r.pub);
	}
	atomic_store_explicit(&r.stop, true, memory_order_relaxed);
	for (unsigned i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(
	    atomic_load_explicit(&r.torn, memory_order_relaxed), 0);
	assert_int_equal(publish_reclaim(&r.pub), 0);
	publish_destroy(&r.pub);
	plan_free(p);
}

/* --- bell ----------------------------------------------------------------- */

struct chime {
	struct bell bell;
	_Atomic(unsigned) given;
};

enum { CHIMES = 20000 };

static void *
ring_often(void *arg)
{
	struct chime *c = arg;

	for (unsigned i = 1; i <= CHIMES; i++) {
		atomic_store_explicit(&c->given, i, memory_order_seq_cst);
		bell_ring(&c->bell);
		if (i % 7 == 0)
			sched_yield();
	}
	return NULL;
}

/* No timeout: a lost wake-up would hang, and the harness would end it. */
static void
no_ring_is_lost(void **state)
{
	struct chime c = { .given = 0 };
	pthread_t thread;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, ring_often, &c), 0);
	while (seen < CHIMES) {
		uint32_t word = bell_sleep(&c.bell);

		if (atomic_load_explicit(&c.given, memory_order_seq_cst) ==
		    seen)
			syscall(SYS_futex, &c.bell.word, FUTEX_WAIT_PRIVATE,
			    word, NULL, NULL, 0);
		bell_awake(&c.bell);
		seen = atomic_load_explicit(&c.given, memory_order_seq_cst);
	}
	pthread_join(thread, NULL);
	assert_int_equal(seen, CHIMES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_as_they_went_in),
		cmocka_unit_test(a_full_queue_refuses_and_recovers),
		cmocka_unit_test(two_threads_pass_a_long_sequence),
		cmocka_unit_test(tables_are_freed_when_nobody_uses_them),
		cmocka_unit_test(readers_never_see_freed_or_half_tables),
		cmocka_unit_test(no_ring_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
