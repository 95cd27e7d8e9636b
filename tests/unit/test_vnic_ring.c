/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vnic_ring: the moves on one ring: laps, bursts, blanks, and two threads
 * that pass a long sequence with bytes behind each descriptor.
 */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"

#include <pthread.h>
#include <sched.h>

enum { LOG2 = 3, N = 1 << LOG2 };

static void
turns_are_never_blank_and_differ_by_lap(void **state)
{
	(void)state;
	for (uint64_t pos = 0; pos < 4 * N; pos++) {
		uint64_t turn = vnic_turn(pos, LOG2) >> VNIC_DESC_TURN_SHIFT;

		assert_int_equal(turn, (pos / N) % 2 ? 3 : 1);
		assert_int_not_equal(
		    vnic_turn(pos, LOG2), vnic_turn(pos + N, LOG2));
	}
}

static void
a_descriptor_keeps_its_fields(void **state)
{
	uint64_t d = vnic_desc(0xfffff, 0, 0, 0, 0);

	(void)state;
	assert_int_equal(d, 0xfffff);
	d = vnic_desc(0x12345, 0xabc, 0xdef0, 0x9, 0x5a);
	assert_int_equal(vnic_desc_slot(d), 0x12345);
	assert_int_equal(vnic_desc_off(d), 0xabc);
	assert_int_equal(vnic_desc_len(d), 0xdef0);
	assert_int_equal(vnic_desc_kind(d), 0x9);
	assert_int_equal(vnic_desc_arg(d), 0x5a);
	assert_int_equal(vnic_desc_zero(d), 0);
	assert_int_equal(vnic_desc_zero(d | UINT64_C(3) << 60), 3);
	assert_int_equal(d >> VNIC_DESC_TURN_SHIFT, 0);
}

static void
every_size_of_burst_wraps_in_order(void **state)
{
	(void)state;
	for (unsigned burst = 0; burst <= N; burst++) {
		vnic_desc_t ring[N] = { 0 };
		uint64_t p = 0, c = 0, sent = 0, seen = 0;

		for (unsigned lap = 0; lap < 10 * N; lap++) {
			uint64_t d[N], out[N];
			unsigned n;

			for (unsigned i = 0; i < burst; i++)
				d[i] = sent++ & 0xfffff;
			vnic_put(ring, LOG2, &p, d, burst);
			assert_int_equal(p, sent);
			assert_int_equal(
			    vnic_ring_has(ring, LOG2, c), burst > 0);
			n = vnic_take(ring, LOG2, &c, out, N);
			assert_int_equal(n, burst);
			for (unsigned i = 0; i < n; i++)
				assert_int_equal(
				    vnic_desc_slot(out[i]), seen++);
			assert_int_equal(c, p);
			assert_false(vnic_ring_has(ring, LOG2, c));
			assert_int_equal(vnic_take(ring, LOG2, &c, out, N), 0);
		}
	}
}

static void
a_take_stops_at_max_and_at_the_last_entry(void **state)
{
	vnic_desc_t ring[N] = { 0 };
	uint64_t p = 0, c = 0, out[N], d[5] = { 1, 2, 3, 4, 5 };

	(void)state;
	vnic_put(ring, LOG2, &p, d, 5);
	assert_int_equal(vnic_take(ring, LOG2, &c, out, 0), 0);
	assert_int_equal(vnic_take(ring, LOG2, &c, out, 2), 2);
	assert_int_equal(vnic_take(ring, LOG2, &c, out, N), 3);
	assert_int_equal(vnic_desc_slot(out[0]), 3);
}

/* A burst is stored back to front: without its head nothing of it is seen. */
static void
a_burst_without_its_head_is_not_there(void **state)
{
	vnic_desc_t ring[N] = { 0 };
	uint64_t c = 0, out[N];

	(void)state;
	for (unsigned i = 1; i < 4; i++)
		atomic_store_explicit(
		    &ring[i], i | vnic_turn(i, LOG2), memory_order_release);
	assert_false(vnic_ring_has(ring, LOG2, c));
	assert_int_equal(vnic_take(ring, LOG2, &c, out, N), 0);
	atomic_store_explicit(
	    &ring[0], vnic_turn(0, LOG2), memory_order_seq_cst);
	assert_int_equal(vnic_take(ring, LOG2, &c, out, N), 4);
}

static void
a_blank_ring_is_empty_in_every_lap(void **state)
{
	vnic_desc_t ring[N] = { 0 };
	uint64_t p = 0, c, out[N], d[N];

	(void)state;
	for (unsigned lap = 0; lap < 3; lap++) {
		for (unsigned i = 0; i < N; i++)
			d[i] = i;
		vnic_put(ring, LOG2, &p, d, N);
		vnic_ring_blank(ring, LOG2);
		for (uint64_t pos = 0; pos < 4 * N; pos++) {
			c = pos;
			assert_int_equal(vnic_take(ring, LOG2, &c, out, N), 0);
			assert_false(vnic_ring_has(ring, LOG2, pos));
		}
	}
}

static void
asleep_is_a_counter(void **state)
{
	_Atomic(uint32_t) asleep = 0;
	uint32_t seen = 0;

	(void)state;
	assert_false(vnic_peer_sleeps(&asleep, &seen));
	for (unsigned i = 0; i < 5; i++) {
		vnic_sleep_begin(&asleep);
		assert_true(vnic_peer_sleeps(&asleep, &seen));
		assert_false(vnic_peer_sleeps(&asleep, &seen));
		/* it woke and sleeps again: another sleep, to be rung for */
		vnic_sleep_end(&asleep);
	}
	assert_false(vnic_peer_sleeps(&asleep, &seen));
	/* one that died asleep, and its successor */
	vnic_sleep_begin(&asleep);
	vnic_sleep_begin(&asleep);
	assert_true(vnic_peer_sleeps(&asleep, &seen));
	vnic_sleep_begin(&asleep);
	assert_true(vnic_peer_sleeps(&asleep, &seen));
	atomic_store_explicit(&asleep, UINT32_MAX, memory_order_relaxed);
	vnic_sleep_end(&asleep);
	assert_int_equal(
	    atomic_load_explicit(&asleep, memory_order_relaxed), 0);
}

/* --- two threads, two rings, fewer slots than entries -------------------------- */

enum { SLOTS = N, ROUNDS = 200000 };

struct pipe_test {
	vnic_desc_t there[N];
	vnic_desc_t here[N];
	uint64_t bytes[SLOTS][8]; /* plain memory: P1 orders it */
	uint64_t n_wrong;
};

/* Takes from one ring, adds one to each word, gives to the other. */
static void *
echo_thread(void *arg)
{
	struct pipe_test *t = arg;
	uint64_t c = 0, p = 0, done = 0;

	while (done < ROUNDS) {
		uint64_t d[N];
		unsigned n = vnic_take(t->there, LOG2, &c, d, 5);

		if (n == 0) {
			sched_yield();
			continue;
		}
		for (unsigned i = 0; i < n; i++) {
			uint32_t slot = vnic_desc_slot(d[i]);

			for (unsigned k = 0; k < 8; k++) {
				t->n_wrong +=
				    t->bytes[slot][k] != 2 * (done + i);
				t->bytes[slot][k]++;
			}
			d[i] = vnic_desc(slot, 0, 0, 2, 0);
		}
		vnic_put(t->here, LOG2, &p, d, n);
		done += n;
	}
	return NULL;
}

static void
bytes_are_visible_before_their_descriptor(void **state)
{
	static struct pipe_test t;
	uint64_t p = 0, c = 0, sent = 0, back = 0;
	uint32_t free_slots[SLOTS], n_free = SLOTS;
	pthread_t thread;

	(void)state;
	for (uint32_t i = 0; i < SLOTS; i++)
		free_slots[i] = i;
	assert_int_equal(pthread_create(&thread, NULL, echo_thread, &t), 0);
	while (back < ROUNDS) {
		uint64_t d[N];
		unsigned n = 0, m;

		while (n_free > 0 && n < 3 && sent < ROUNDS) {
			uint32_t slot = free_slots[--n_free];

			for (unsigned k = 0; k < 8; k++)
				t.bytes[slot][k] = 2 * sent;
			d[n++] = vnic_desc(slot, 0, 0, 1, 0);
			sent++;
		}
		vnic_put(t.there, LOG2, &p, d, n);
		m = vnic_take(t.here, LOG2, &c, d, N);
		if (n == 0 && m == 0)
			sched_yield();
		for (unsigned i = 0; i < m; i++) {
			uint32_t slot = vnic_desc_slot(d[i]);

			for (unsigned k = 0; k < 8; k++)
				if (t.bytes[slot][k] != 2 * back + 1)
					fail_msg("packet %llu is altered",
					    (unsigned long long)back);
			back++;
			free_slots[n_free++] = slot;
		}
	}
	pthread_join(thread, NULL);
	assert_int_equal(t.n_wrong, 0);
	assert_int_equal(n_free, SLOTS);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_are_never_blank_and_differ_by_lap),
		cmocka_unit_test(a_descriptor_keeps_its_fields),
		cmocka_unit_test(every_size_of_burst_wraps_in_order),
		cmocka_unit_test(a_take_stops_at_max_and_at_the_last_entry),
		cmocka_unit_test(a_burst_without_its_head_is_not_there),
		cmocka_unit_test(a_blank_ring_is_empty_in_every_lap),
		cmocka_unit_test(asleep_is_a_counter),
		cmocka_unit_test(bytes_are_visible_before_their_descriptor),
	};

	return cmocka_run_group_tests_name("vnic_ring", tests, NULL, NULL);
}
