/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_impair: what a link does to its packets, with fixed seeds: exactly the
 * same again, and in the shares that were asked for. Time is an argument.
 */
#include "dataplane/impair.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 100000, LEN = 100, US = 1000 };

static const struct wire_impair nothing = { .queue_packets = 1000 };

static struct impair *
make(uint32_t n)
{
	struct impair *im;

	assert_int_equal(impair_new(n, 1600, &im), 0);
	return im;
}

/* Offers packet i at now, with i as its bytes. */
static enum impair_fate
offer(struct impair *im, const struct wire_impair *s, uint64_t now, uint32_t i)
{
	uint8_t *to = NULL;
	enum impair_fate fate = impair_offer(im, s, now, LEN, &to);

	if (fate == IMPAIR_KEPT)
		memcpy(to, &i, sizeof(i));
	return fate;
}

/* Takes one that is due: its number, or -1. */
static int64_t
take(struct impair *im, uint64_t now, bool *is_copy)
{
	struct impair_frame f;
	uint32_t i;

	if (impair_take(im, now, &f, 1) == 0)
		return -1;
	assert_int_equal(f.len, LEN);
	memcpy(&i, f.bytes, sizeof(i));
	if (is_copy)
		*is_copy = f.is_copy;
	impair_give_back(im, &f, 1);
	return i;
}

/* A bit per packet that is lost; each is taken at once. */
static void
losses(const struct wire_impair *s, uint8_t *lost, uint32_t n)
{
	struct impair *im = make(64);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t now = (uint64_t)i * 10 * US;

		lost[i] = offer(im, s, now, i) == IMPAIR_LOST;
		while (take(im, now + 100000000 * (uint64_t)US, NULL) >= 0)
			;
	}
	impair_free(im);
}

/* As a PATCH makes it longer: nothing that waits is lost, or overtaken. */
static void
a_longer_queue_keeps_what_waits(void **state)
{
	struct wire_impair s = { .delay_us = 1000, .queue_packets = 10 };
	struct impair *im = make(10);
	uint32_t i = 0;

	(void)state;
	while (offer(im, &s, 0, i) == IMPAIR_KEPT)
		i++;
	assert_int_equal(i, 10);
	assert_true(impair_capacity(im) >= WIRE_MAX_IMPAIR_PACKETS);
	s.queue_packets = WIRE_MAX_IMPAIR_PACKETS;
	while (offer(im, &s, 0, i) == IMPAIR_KEPT)
		i++;
	assert_int_equal(i, WIRE_MAX_IMPAIR_PACKETS);
	s.queue_packets = 3;
	assert_int_equal(offer(im, &s, 0, i), IMPAIR_FULL);
	for (uint32_t k = 0; k < i; k++)
		assert_int_equal(take(im, 1000 * US, NULL), k);
	assert_int_equal(take(im, 1000 * US, NULL), -1);
	impair_free(im);
}

/* Bytes of the process in memory, as the kernel counts them. */
static size_t
resident(void)
{
	size_t all, here;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu %zu", &all, &here), 2);
	fclose(f);
	return here * (size_t)sysconf(_SC_PAGESIZE);
}

/* Fills im, shortens its queue to n, and empties it but for n packets. */
static void
fill_and_shorten(struct impair *im, struct wire_impair *s, uint32_t n)
{
	uint32_t i = 0;

	s->queue_packets = WIRE_MAX_IMPAIR_PACKETS;
	while (offer(im, s, 0, i) == IMPAIR_KEPT)
		i++;
	assert_int_equal(i, WIRE_MAX_IMPAIR_PACKETS);
	s->queue_packets = n;
	for (uint32_t k = 0; k < i - n; k++) {
		assert_false(impair_trim(im, n)); /* what waits is there */
		assert_int_equal(take(im, 1000 * US, NULL), k);
	}
}

/* Something waits all the time, as on a link that is in use. */
static void
a_shorter_queue_gives_memory_back(void **state)
{
	const size_t most = (size_t)WIRE_MAX_IMPAIR_PACKETS * 1600;
	struct wire_impair s = { .delay_us = 1000 };
	struct impair *im = make(10);
	unsigned pieces;
	size_t full;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		fill_and_shorten(im, &s, 10);
		full = resident();
		for (uint32_t i = 0; i < 10; i++) {
			assert_true(take(im, 1000 * US, NULL) >= 0);
			assert_int_equal(offer(im, &s, 0, i), IMPAIR_KEPT);
		}
		assert_int_equal(offer(im, &s, 0, 99), IMPAIR_FULL);
		/* some at a time; a sanitizer's own memory for it stays */
		for (pieces = 1; impair_trim(im, 10); pieces++)
			assert_true(resident() + pieces * (512 << 10) > full);
		assert_true(pieces > 10);
		assert_true(full - resident() > most * 9 / 10);
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(take(im, 1000 * US, NULL), i);
		assert_int_equal(take(im, 1000 * US, NULL), -1);
	}
	/* and a longer one has it all again */
	s.queue_packets = WIRE_MAX_IMPAIR_PACKETS;
	for (uint32_t i = 0; i < WIRE_MAX_IMPAIR_PACKETS; i++)
		assert_int_equal(offer(im, &s, 0, i), IMPAIR_KEPT);
	assert_int_equal(offer(im, &s, 0, 0), IMPAIR_FULL);
	impair_free(im);
}

static unsigned
sum(const uint8_t *a, uint32_t n)
{
	unsigned k = 0;

	for (uint32_t i = 0; i < n; i++)
		k += a[i];
	return k;
}

static void
the_same_seed_loses_the_same(void **state)
{
	static uint8_t a[N], b[N];
	struct wire_impair s = nothing;

	(void)state;
	s.seed = 7;
	s.loss_ppm = 5000;
	losses(&s, a, N);
	losses(&s, b, N);
	assert_memory_equal(a, b, N);
	/* 500 are wanted; four standard deviations are 89 */
	assert_in_range(sum(a, N), 411, 589);
	/* what else it does asks chance other questions */
	s.delay_us = 100;
	s.jitter_us = 50;
	s.duplicate_ppm = 100000;
	losses(&s, b, N);
	assert_memory_equal(a, b, N);
	s.seed = 8;
	losses(&s, b, N);
	assert_memory_not_equal(a, b, N);
	assert_in_range(sum(b, N), 411, 589);
}

/* These are what seed 7 loses, on every machine, for ever. */
static void
a_seed_means_the_same_everywhere(void **state)
{
	static uint8_t a[N];
	struct wire_impair s = nothing;
	uint32_t first[5], n = 0;

	(void)state;
	s.seed = 7;
	s.loss_ppm = 5000;
	losses(&s, a, N);
	for (uint32_t i = 0; n < ARRAY_SIZE(first); i++)
		if (a[i])
			first[n++] = i;
	assert_int_equal(first[0], 118);
	assert_int_equal(first[1], 409);
	assert_int_equal(first[2], 675);
	assert_int_equal(first[3], 960);
	assert_int_equal(first[4], 1020);
}

static void
a_new_seed_begins_again(void **state)
{
	struct impair *im = make(64);
	struct wire_impair s = nothing;
	static uint8_t a[1000], b[1000];

	(void)state;
	s.seed = 7;
	s.loss_ppm = 500000;
	losses(&s, a, ARRAY_SIZE(a));
	s.seed = 9;
	for (uint32_t i = 0; i < 77; i++) {
		offer(im, &s, i, i);
		take(im, i, NULL);
	}
	s.seed = 7;
	for (uint32_t i = 0; i < ARRAY_SIZE(b); i++) {
		b[i] = offer(im, &s, i, i) == IMPAIR_LOST;
		take(im, 1000, NULL);
	}
	assert_memory_equal(a, b, ARRAY_SIZE(a));
	impair_free(im);
}

/* Good times of 1000 packets, bad ones of 20 that lose all: 2 % in bursts. */
static void
losses_come_in_bursts(void **state)
{
	static uint8_t a[10 * N];
	struct wire_impair s = nothing;
	unsigned n_bursts = 0, n;

	(void)state;
	s.seed = 1;
	s.burst_begin_ppm = 1000;
	s.burst_end_ppm = 50000;
	s.burst_loss_ppm = 1000000;
	losses(&s, a, ARRAY_SIZE(a));
	n = sum(a, ARRAY_SIZE(a));
	for (uint32_t i = 1; i < ARRAY_SIZE(a); i++)
		n_bursts += a[i] && !a[i - 1];
	/* 19608 in 980 bursts are wanted */
	assert_in_range(n, 16500, 22700);
	assert_in_range(n_bursts, 850, 1110);
	assert_in_range(n / n_bursts, 17, 23);
}

static void
a_delay_keeps_the_order(void **state)
{
	struct impair *im = make(1000);
	struct wire_impair s = nothing;
	uint64_t due[500], last = 0, least = UINT64_MAX, most = 0;

	(void)state;
	s.delay_us = 1000;
	s.jitter_us = 200;
	for (uint32_t i = 0; i < ARRAY_SIZE(due); i++)
		assert_int_equal(
		    offer(im, &s, (uint64_t)i * 1000 * US, i), IMPAIR_KEPT);
	assert_int_equal(impair_waiting(im), ARRAY_SIZE(due));
	for (uint32_t i = 0; i < ARRAY_SIZE(due); i++) {
		uint64_t at = impair_due(im);
		uint64_t delay = at - (uint64_t)i * 1000 * US;

		assert_int_equal(take(im, at - 1, NULL), -1);
		assert_int_equal(take(im, at, NULL), i);
		assert_true(at >= last);
		last = at;
		least = MIN(least, delay);
		most = MAX(most, delay);
	}
	assert_in_range(least, 800 * US, 820 * US);
	assert_in_range(most, 1180 * US, 1200 * US);
	assert_true(impair_due(im) == IMPAIR_NEVER);
	/* all at once: jitter alone lets none overtake */
	for (uint32_t i = 0; i < ARRAY_SIZE(due); i++)
		offer(im, &s, last, i);
	for (uint32_t i = 0; i < ARRAY_SIZE(due); i++)
		assert_int_equal(take(im, last + 1200 * US, NULL), i);
	impair_free(im);
}

static void
some_overtake(void **state)
{
	struct impair *im = make(1024);
	struct wire_impair s = nothing;
	unsigned early = 0;

	(void)state;
	s.seed = 3;
	s.delay_us = 1000;
	s.reorder_ppm = 250000;
	for (uint32_t i = 0; i < 1000; i++)
		offer(im, &s, i, i);
	while (take(im, 1000, NULL) >= 0)
		early++;
	assert_in_range(early, 195, 305);
	assert_int_equal(impair_waiting(im), 1000 - early);
	for (int64_t i, last = -1; (i = take(im, 2000 * US, NULL)) >= 0;
	     last = i)
		assert_true(i > last);
	assert_int_equal(impair_waiting(im), 0);
	impair_free(im);
}

static void
copies_follow_what_they_are_of(void **state)
{
	struct impair *im = make(64);
	struct wire_impair s = nothing;
	unsigned copies = 0;

	(void)state;
	s.seed = 5;
	s.duplicate_ppm = 100000;
	for (uint32_t i = 0; i < 10000; i++) {
		bool is_copy;

		offer(im, &s, i, i);
		assert_int_equal(impair_waiting(im), 1);
		assert_int_equal(take(im, i, &is_copy), i);
		assert_false(is_copy);
		if (take(im, i, &is_copy) >= 0) {
			assert_true(is_copy);
			copies++;
		}
		assert_int_equal(take(im, i, NULL), -1);
	}
	assert_in_range(copies, 880, 1120);
	impair_free(im);
}

static void
a_rate_spreads_and_the_queue_is_bounded(void **state)
{
	struct impair *im = make(100);
	struct wire_impair s = nothing;
	unsigned full = 0;

	(void)state;
	s.rate_bps = 800000; /* a packet of 100 bytes takes 1 ms */
	s.queue_packets = 100;
	for (uint32_t i = 0; i < 300; i++)
		full += offer(im, &s, 0, i) == IMPAIR_FULL;
	assert_int_equal(full, 200);
	for (uint32_t i = 0; i < 100; i++) {
		uint64_t at = (uint64_t)(i + 1) * 1000 * US;

		assert_int_equal(impair_due(im), at);
		assert_int_equal(take(im, at, NULL), i);
		/* room for one, which goes behind all others */
		if (i < 50)
			assert_int_equal(offer(im, &s, at, 1000), IMPAIR_KEPT);
	}
	assert_int_equal(impair_waiting(im), 50);
	/* a shorter queue takes none until there is room in it */
	s.queue_packets = 50;
	assert_int_equal(offer(im, &s, 0, 0), IMPAIR_FULL);
	assert_int_equal(take(im, 101000 * US, NULL), 1000);
	assert_int_equal(offer(im, &s, 0, 0), IMPAIR_KEPT);
	impair_free(im);
}

/* Packets taken and not given back hold their memory; nothing is written twice. */
static void
memory_is_used_once_at_a_time(void **state)
{
	struct impair *im = make(64);
	struct wire_impair s = nothing;
	struct impair_frame f[64];

	(void)state;
	s.delay_us = 1;
	s.duplicate_ppm = 1000000;
	s.queue_packets = 64;
	for (uint32_t round = 0; round < 100; round++) {
		unsigned n;

		for (uint32_t i = 0; i < 32; i++)
			assert_int_equal(offer(im, &s, 0, i), IMPAIR_KEPT);
		assert_int_equal(offer(im, &s, 0, 99), IMPAIR_FULL);
		n = impair_take(im, 10000, f, ARRAY_SIZE(f));
		assert_int_equal(n, 64);
		for (uint32_t i = 0; i < 32; i++)
			assert_int_equal(
			    offer(im, &s, 0, 100 + i), IMPAIR_KEPT);
		assert_int_equal(offer(im, &s, 0, 99), IMPAIR_FULL);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(*f[i].bytes, i / 2);
		impair_give_back(im, f, n);
		n = impair_take(im, 10000, f, ARRAY_SIZE(f));
		assert_int_equal(n, 64);
		impair_give_back(im, f, n);
	}
	impair_free(im);
}

static void
what_cannot_be_is_told(void **state)
{
	const struct wire_impair bad[] = {
		{ .loss_ppm = WIRE_PPM + 1, .queue_packets = 1 },
		{ .burst_begin_ppm = UINT32_MAX, .queue_packets = 1 },
		{ .delay_us = WIRE_MAX_IMPAIR_US + 1, .queue_packets = 1 },
		{ .delay_us = 5, .jitter_us = 6, .queue_packets = 1 },
		{ .reorder_ppm = 1, .queue_packets = 1 },
		{ .delay_us = 1 },
		{ .delay_us = 1, .queue_packets = WIRE_MAX_IMPAIR_PACKETS + 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(impair_flaw(&bad[i]));
	assert_null(impair_flaw(&nothing));
	assert_false(impair_is_active(&nothing));
	assert_null(impair_flaw(&(struct wire_impair){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_longer_queue_keeps_what_waits),
		cmocka_unit_test(a_shorter_queue_gives_memory_back),
		cmocka_unit_test(the_same_seed_loses_the_same),
		cmocka_unit_test(a_seed_means_the_same_everywhere),
		cmocka_unit_test(a_new_seed_begins_again),
		cmocka_unit_test(losses_come_in_bursts),
		cmocka_unit_test(a_delay_keeps_the_order),
		cmocka_unit_test(some_overtake),
		cmocka_unit_test(copies_follow_what_they_are_of),
		cmocka_unit_test(a_rate_spreads_and_the_queue_is_bounded),
		cmocka_unit_test(memory_is_used_once_at_a_time),
		cmocka_unit_test(what_cannot_be_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
