/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_fib4: longest-prefix match against the naive search through all
 * routes, over random tables of several shapes.
 */
#include "router/fib4.h"

#include "lib/base.h"
#include "tests/unit/fib_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t
mask_of(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

static uint16_t
naive(const struct fib4_route *r, size_t n, uint32_t dst)
{
	uint16_t best = 0;
	int best_len = -1, best_rank = -1;

	for (size_t i = 0; i < n; i++) {
		if ((r[i].prefix ^ dst) & mask_of(r[i].len))
			continue;
		if (r[i].len > best_len ||
		    (r[i].len == best_len && r[i].rank > best_rank)) {
			best = r[i].result;
			best_len = r[i].len;
			best_rank = r[i].rank;
		}
	}
	return best;
}

/* An address near a prefix is more telling than one from anywhere. */
static uint32_t
probe(const struct fib4_route *r, size_t n)
{
	const struct fib4_route *p = &r[random32() % n];

	switch (random32() % 5) {
	case 0:
		return random32();
	case 1:
		return p->prefix - 1;
	case 2:
		return (p->prefix | ~mask_of(p->len)) + 1;
	default:
		return p->prefix | (random32() & ~mask_of(p->len));
	}
}

static void
compare_table(struct fib4_route *r, size_t n, unsigned lookups)
{
	struct fib4 *f;

	assert_int_equal(fib4_build(r, n, &f), 0);
	for (unsigned i = 0; i < lookups; i++) {
		uint32_t dst = probe(r, n);

		assert_int_equal(fib4_lookup(f, dst), naive(r, n, dst));
	}
	fib4_free(f);
}

/* n routes of lengths min..max below a base, no two equal. */
static void
random_table(size_t n, unsigned min, unsigned max, uint32_t base)
{
	struct fib4_route *r = calloc(n, sizeof(*r));

	for (size_t i = 0; i < n; i++) {
		unsigned len = min + random32() % (max - min + 1);

		r[i].len = (uint8_t)len;
		r[i].prefix = (base | (random32() >> 8)) & mask_of(len);
		if (base == 0)
			r[i].prefix = random32() & mask_of(len);
		r[i].rank = (uint8_t)(i % 5);
		r[i].result = (uint16_t)(1 + random32() % FIB_MAX_RESULT);
		for (size_t k = 0; k < i; k++)
			if (r[k].prefix == r[i].prefix &&
			    r[k].len == r[i].len && r[k].rank == r[i].rank) {
				r[i--].len = 0;
				break;
			}
	}
	compare_table(r, n, 20000);
	free(r);
}

static void
random_tables_agree_with_the_naive_search(void **state)
{
	(void)state;
	random_seed(1812);
	random_table(1, 1, 32, 0);
	random_table(10, 4, 32, 0);
	random_table(300, 14, 32, 0);
	random_table(300, 24, 32, 0xc6120000);
	random_table(500, 8, 30, 0xc6000000);
	random_table(500, 13, 27, 0);
}

static void
every_length_works_at_its_borders(void **state)
{
	(void)state;
	random_seed(4);
	for (unsigned len = 0; len <= 32; len++) {
		struct fib4_route r[] = {
			{ .prefix = 0xc6129a55 & mask_of(len),
			    .len = (uint8_t)len,
			    .result = FIB_MAX_RESULT },
		};

		compare_table(r, 1, 500);
	}
}

static void
an_empty_table_matches_nothing(void **state)
{
	struct fib4 *f;

	(void)state;
	assert_int_equal(fib4_build(NULL, 0, &f), 0);
	assert_int_equal(fib4_lookup(f, 0), 0);
	assert_int_equal(fib4_lookup(f, UINT32_MAX), 0);
	assert_int_equal(fib4_lookup(f, 0xc6120001), 0);
	assert_true(fib4_bytes(f) < 70000);
	fib4_free(f);
}

static void
of_equal_prefixes_the_higher_rank_wins(void **state)
{
	struct fib4 *f;

	(void)state;
	for (unsigned len = 1; len <= 32; len++) {
		struct fib4_route r[] = {
			{ 0x80000000, (uint8_t)len, FIB4_OWN, 3 },
			{ 0x80000000, (uint8_t)len, FIB4_STATIC, 1 },
			{ 0x80000000, (uint8_t)len, FIB4_CONNECTED, 2 },
		};

		assert_int_equal(fib4_build(r, 3, &f), 0);
		assert_int_equal(fib4_lookup(f, 0x80000000), 3);
		fib4_free(f);
	}
}

/* The sizes of an Internet table: most are /24, few are shorter. */
static void
a_big_table_is_compact(void **state)
{
	enum { N = 200000 };
	struct fib4_route *r = calloc(N, sizeof(*r));
	struct fib4 *f;

	(void)state;
	random_seed(7);
	for (size_t i = 0; i < N; i++) {
		unsigned len = random32() % 10 < 6 ? 24 : 16 + random32() % 8;

		r[i] = (struct fib4_route){
			.prefix = (1U << 24 | random32() >> 3) & mask_of(len),
			.len = (uint8_t)len,
			.result = (uint16_t)(1 + random32() % 30),
		};
	}
	assert_int_equal(fib4_build(r, N, &f), 0);
	assert_true(fib4_bytes(f) < 8 << 20);
	for (unsigned i = 0; i < 50; i++) {
		uint32_t dst = probe(r, N);
		uint16_t found = fib4_lookup(f, dst);
		bool agrees = false;

		/* of two equal prefixes either may have won */
		for (size_t k = 0; k < N && !agrees; k++)
			agrees = r[k].result == found &&
				 !((r[k].prefix ^ dst) & mask_of(r[k].len));
		assert_true(agrees || found == naive(r, N, dst));
	}
	fib4_free(f);
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tables_agree_with_the_naive_search),
		cmocka_unit_test(every_length_works_at_its_borders),
		cmocka_unit_test(an_empty_table_matches_nothing),
		cmocka_unit_test(of_equal_prefixes_the_higher_rank_wins),
		cmocka_unit_test(a_big_table_is_compact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
