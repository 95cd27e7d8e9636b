/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_fib6: longest-prefix match of IPv6 against the naive search:
 * random routes come and go; and a full Internet table.
 */
#include "router/fib6.h"

#include "lib/base.h"
#include "router/fib_avx512.h"
#include "tests/unit/fib_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MAX_ROUTES = 300, REAL = 160147 };

typedef fib_key key;

static key
random_key(void)
{
	key k = 0;

	for (unsigned i = 0; i < 4; i++)
		k = k << 32 | random32();
	return k;
}

static key
mask_of(unsigned len)
{
	return len == 0 ? 0 : ~(key)0 << (128 - len);
}

static key
key_of(const struct fib6_route *r)
{
	return (key)r->prefix.hi << 64 | r->prefix.lo;
}

static struct fib6_addr
addr_of(key k)
{
	return (struct fib6_addr){ (uint64_t)(k >> 64), (uint64_t)k };
}

/* --- the naive table ------------------------------------------------------ */

struct naive {
	struct fib6_route *r;
	size_t n;
};

static uint16_t
naive_lookup(const struct naive *t, key dst)
{
	const struct fib6_route *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct fib6_route *r = &t->r[i];

		if (best && (r->len < best->len ||
				(r->len == best->len && r->rank < best->rank)))
			continue;
		if (((key_of(r) ^ dst) & mask_of(r->len)) == 0)
			best = r;
	}
	return best ? best->result : 0;
}

static struct fib6_route *
naive_find(struct naive *t, const struct fib6_route *r)
{
	for (size_t i = 0; i < t->n; i++)
		if (key_of(&t->r[i]) == key_of(r) && t->r[i].len == r->len &&
		    t->r[i].rank == r->rank)
			return &t->r[i];
	return NULL;
}

/* What is around the borders of a prefix tells more than what is anywhere. */
static key
near(const struct fib6_route *r)
{
	switch (random32() % 4) {
	case 0:
		return key_of(r) - 1;
	case 1:
		return (key_of(r) | ~mask_of(r->len)) + 1;
	default:
		return key_of(r) | (random_key() & ~mask_of(r->len));
	}
}

static void
compare_burst(const struct fib6 *f, const struct naive *t,
    const struct fib6_route *changed, unsigned n)
{
	struct fib6_addr dst[3 * FIB_BURST];
	uint16_t result[3 * FIB_BURST], plain[3 * FIB_BURST];

	for (unsigned i = 0; i < n; i++) {
		const struct fib6_route *r = changed;

		if (i % 3 == 0 && t->n > 0)
			r = &t->r[random32() % t->n];
		dst[i] = addr_of(near(r));
	}
	fib6_lookup_burst(f, dst, result, n);
	fib_without_avx512 = true;
	fib6_lookup_burst(f, dst, plain, n);
	fib_without_avx512 = false;
	assert_memory_equal(result, plain, n * sizeof(*result));
	for (unsigned i = 0; i < n; i++) {
		key k = (key)dst[i].hi << 64 | dst[i].lo;

		assert_int_equal(result[i], naive_lookup(t, k));
		assert_int_equal(result[i], fib6_lookup(f, dst[i]));
	}
}

/* --- random changes ------------------------------------------------------- */

struct shape {
	uint64_t base;
	unsigned base_len;
	unsigned min;
	unsigned max;
	unsigned n_results;
};

static struct fib6_route
random_route(const struct shape *s)
{
	unsigned len = s->min + random32() % (s->max - s->min + 1);
	key ip = (key)s->base << 64 | (random_key() & ~mask_of(s->base_len));

	return (struct fib6_route){
		.prefix = addr_of(ip & mask_of(len)),
		.len = (uint8_t)len,
		.rank = (uint8_t)(random32() % 5),
		.result = (uint16_t)(1 + random32() % s->n_results),
	};
}

/* The table after a change that found no room. */
static int
again_if_full(struct fib6 **f, int rc)
{
	struct fib6 *more;

	if (rc != -ENOSPC)
		return rc;
	rc = fib6_rebuild(*f, &more);
	fib6_free(*f);
	*f = more;
	return rc;
}

/* One route comes, gets another result, or goes; both tables are told. */
static struct fib6_route
change(struct fib6 **f, struct naive *t, const struct shape *s)
{
	struct fib6_route r = random_route(s);
	struct fib6_route *there;

	if (t->n > 0 && random32() % 2)
		r = t->r[random32() % t->n];
	there = naive_find(t, &r);
	if (random32() % 100 < 100 * t->n / MAX_ROUTES) {
		int rc = again_if_full(f, fib6_delete(*f, &r));

		assert_int_equal(rc, there ? 0 : -ENOENT);
		if (there)
			*there = t->r[--t->n];
		return r;
	}
	r.result = (uint16_t)(1 + random32() % s->n_results);
	if (!there)
		there = &t->r[t->n++];
	*there = r;
	assert_int_equal(again_if_full(f, fib6_add(*f, &r)), 0);
	return r;
}

static void
change_much(struct shape s, unsigned n_changes)
{
	static struct fib6_route route[MAX_ROUTES + 1];
	struct naive t = { .r = route };
	struct fib6 *f;

	assert_int_equal(fib6_build(NULL, 0, &f), 0);
	for (unsigned i = 0; i < n_changes; i++) {
		struct fib6_route r = change(&f, &t, &s);

		compare_burst(f, &t, &r, i % 50 ? 8 : 3 * FIB_BURST - 5);
		if (i % 7 == 0)
			fib6_seal(f);
		if (i % 7 == 3)
			fib6_release(f);
		assert_int_equal(fib6_n_routes(f), t.n);
	}
	fib6_free(f);
}

static void
changed_tables_agree_with_the_naive_search(void **state)
{
	(void)state;
	random_seed(8200);
	change_much((struct shape){ 0, 0, 0, 128, 20 }, 4000);
	change_much((struct shape){ 0, 0, 0, 20, FIB_MAX_RESULT }, 500);
	change_much(
	    (struct shape){ 0x20010db800000000, 32, 29, 64, 250 }, 4000);
	change_much((struct shape){ 0x20010db800000000, 48, 44, 60, 3 }, 4000);
	change_much(
	    (struct shape){ 0x20010db800010000, 112, 100, 128, FIB_MAX_RESULT },
	    4000);
}

static void
every_length_works_at_its_borders(void **state)
{
	const key ip = (key)0x20010db8c6129a55 << 64 | 0x5aa5ffff0000cc01;

	(void)state;
	random_seed(6);
	for (unsigned len = 0; len <= 128; len++) {
		struct fib6_route r = {
			.prefix = addr_of(ip & mask_of(len)),
			.len = (uint8_t)len,
			.result = FIB_MAX_RESULT,
		};
		struct naive t = { &r, 1 };
		struct fib6 *f;

		assert_int_equal(fib6_build(&r, 1, &f), 0);
		for (unsigned i = 0; i < 10; i++)
			compare_burst(f, &t, &r, FIB_BURST);
		/* one page of the root, lines and leaves to the last bit */
		assert_true(len < 10 || fib6_bytes(f) < 8192);
		fib6_free(f);
	}
}

static void
what_is_no_route_is_refused(void **state)
{
	const struct fib6_route bad[] = {
		{ { 0x20010db800000000, 1 }, 64, FIB6_STATIC, 1 },
		{ { 0x20010db800000000, 0 }, 129, FIB6_STATIC, 1 },
		{ { 0x20010db800000000, 0 }, 64, FIB6_OWN + 1, 1 },
		{ { 0x20010db800000000, 0 }, 64, FIB6_STATIC, 0 },
	};
	struct fib6 *f, *none;

	(void)state;
	assert_int_equal(fib6_build(NULL, 0, &f), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(fib6_build(&bad[i], 1, &none), -EINVAL);
		assert_int_equal(fib6_add(f, &bad[i]), -EINVAL);
		assert_int_equal(fib6_delete(f, &bad[i]), -EINVAL);
	}
	assert_int_equal(fib6_n_routes(f), 0);
	fib6_free(f);
}

/* --- the Internet --------------------------------------------------------- */

static void
take_real(void *arg, size_t i, fib_key prefix, unsigned len)
{
	struct fib6_route *r = arg;

	r[i] = (struct fib6_route){ addr_of(prefix), (uint8_t)len, FIB6_STATIC,
		(uint16_t)(1 + random32() % 16) };
}

static size_t
read_real(struct fib6_route *r)
{
	const struct fib_real real = { "prefixes6.xz", 128, REAL };

	return fib_read_real(&real, take_real, r);
}

static void
the_internet_agrees_with_the_naive_search(void **state)
{
	struct naive t = { calloc(REAL, sizeof(*t.r)), 0 };
	struct fib6 *f;

	(void)state;
	random_seed(1);
	assert_non_null(t.r);
	t.n = read_real(t.r);
	if (t.n != REAL) {
		print_message("# no xz, or no prefixes\n");
		free(t.r);
		skip();
	}
	assert_int_equal(fib6_build(t.r, t.n, &f), 0);
	for (unsigned i = 0; i < 4; i++)
		compare_burst(f, &t, &t.r[random32() % t.n], FIB_BURST);
	/* a third of it goes, one by one */
	for (size_t i = 0; i < t.n; i += 2) {
		int rc = fib6_delete(f, &t.r[i]);

		assert_int_equal(again_if_full(&f, rc), 0);
		t.r[i] = t.r[--t.n];
		if (i % 64 == 0) {
			fib6_seal(f);
			fib6_release(f);
		}
	}
	assert_int_equal(fib6_n_routes(f), t.n);
	for (unsigned i = 0; i < 4; i++)
		compare_burst(f, &t, &t.r[random32() % t.n], FIB_BURST);
	fib6_free(f);
	free(t.r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_tables_agree_with_the_naive_search),
		cmocka_unit_test(every_length_works_at_its_borders),
		cmocka_unit_test(what_is_no_route_is_refused),
		cmocka_unit_test(the_internet_agrees_with_the_naive_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
