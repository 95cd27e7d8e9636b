/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_route6: the table of IPv6 routes against a model that looks at
 * each route for each address.
 */
#include "router/route6.h"

#include "router/fib4.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* By the definition: the longest, then of the highest rank. */
static uint16_t
model_lookup(const struct route6 *r, size_t n, struct ip6 dst)
{
	const struct route6 *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (ip6_is_within(dst, r[i].prefix, r[i].len) &&
		    (!best || r[i].len > best->len ||
			(r[i].len == best->len && r[i].rank > best->rank)))
			best = &r[i];
	return best ? best->result : 0;
}

static uint64_t
random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^
	       (uint64_t)rand();
}

/* Few bits are set, so that prefixes nest and meet. */
static struct ip6
random_address(void)
{
	static const uint64_t corners[] = { 0, UINT64_MAX, 1, UINT64_C(1) << 63,
		UINT64_C(0x20010db8) << 32 };

	return (struct ip6){
		corners[rand() % 5] ^ (random64() & random64() & random64()),
		corners[rand() % 5] ^ (random64() & random64() & random64()),
	};
}

static bool
has_same(const struct route6 *r, size_t n, const struct route6 *x)
{
	for (size_t i = 0; i < n; i++)
		if (r[i].len == x->len && r[i].rank == x->rank &&
		    ip6_is_equal(r[i].prefix, x->prefix))
			return true;
	return false;
}

static void
it_agrees_with_the_definition(void **state)
{
	(void)state;
	srand(6);
	for (unsigned round = 0; round < 200; round++) {
		struct route6 r[100], sorted[100];
		struct route6_table *t;
		size_t n = 0;

		for (unsigned i = 0; i < (unsigned)rand() % 100; i++) {
			struct route6 x = { .len = (uint8_t)(rand() % 129),
				.rank = (uint8_t)(rand() % 3),
				.result = (uint16_t)(i + 1) };

			if (rand() % 10 == 0)
				x.len = rand() % 2 ? 0 : 128;
			x.prefix = ip6_prefix(random_address(), x.len);
			if (!has_same(r, n, &x))
				r[n++] = x;
		}
		memcpy(sorted, r, n * sizeof(r[0]));
		assert_int_equal(route6_build(sorted, n, &t), 0);
		for (unsigned i = 0; i < 1000; i++) {
			struct ip6 dst = random_address();

			if (n > 0 && i % 2) { /* near an edge of one */
				const struct route6 *x = &r[i % n];
				struct ip6 m = ip6_mask(x->len);

				dst = x->prefix;
				if (i % 4 == 1)
					dst = (struct ip6){ dst.hi | ~m.hi,
						dst.lo | ~m.lo };
				dst.lo += (uint64_t)(rand() % 3) - 1;
			}
			assert_int_equal(
			    route6_lookup(t, dst), model_lookup(r, n, dst));
		}
		route6_free(t);
	}
}

static void
an_empty_table_matches_nothing(void **state)
{
	struct route6_table *t;

	(void)state;
	assert_int_equal(route6_build(NULL, 0, &t), 0);
	assert_int_equal(route6_lookup(t, (struct ip6){ 0, 0 }), 0);
	assert_int_equal(
	    route6_lookup(t, (struct ip6){ UINT64_MAX, UINT64_MAX }), 0);
	assert_true(route6_bytes(t) < 100);
	route6_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_the_definition),
		cmocka_unit_test(an_empty_table_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
