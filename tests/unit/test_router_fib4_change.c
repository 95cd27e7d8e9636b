/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_fib4_change: a table that is changed while it is looked up in:
 * random routes come and go, and after each change the table agrees with the
 * naive search; a full Internet table agrees with 2^24 painted slots.
 */
#include "router/fib4.h"

#include "lib/base.h"
#include "router/fib_avx512.h"
#include "tests/unit/fib_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MAX_ROUTES = 400, REAL = 901899 };

static uint32_t
mask_of(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

/* --- the naive table ------------------------------------------------------ */

struct naive {
	struct fib4_route r[MAX_ROUTES];
	size_t n;
};

static uint16_t
naive_lookup(const struct naive *t, uint32_t dst)
{
	const struct fib4_route *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct fib4_route *r = &t->r[i];

		if ((r->prefix ^ dst) & mask_of(r->len))
			continue;
		if (!best || r->len > best->len ||
		    (r->len == best->len && r->rank > best->rank))
			best = r;
	}
	return best ? best->result : 0;
}

static struct fib4_route *
naive_find(struct naive *t, const struct fib4_route *r)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->r[i].prefix == r->prefix && t->r[i].len == r->len &&
		    t->r[i].rank == r->rank)
			return &t->r[i];
	return NULL;
}

/* --- random changes ------------------------------------------------------- */

struct shape {
	uint32_t base;
	unsigned base_len;
	unsigned min;
	unsigned max;
	unsigned n_results;
};

static struct fib4_route
random_route(const struct shape *s)
{
	unsigned len = s->min + random32() % (s->max - s->min + 1);
	uint32_t ip = s->base | (random32() & ~mask_of(s->base_len));

	return (struct fib4_route){
		.prefix = ip & mask_of(len),
		.len = (uint8_t)len,
		.rank = (uint8_t)(random32() % 5),
		.result = (uint16_t)(1 + random32() % s->n_results),
	};
}

/* What is around the borders of a prefix tells more than what is anywhere. */
static uint32_t
near(uint32_t prefix, unsigned len)
{
	switch (random32() % 4) {
	case 0:
		return prefix - 1;
	case 1:
		return (prefix | ~mask_of(len)) + 1;
	default:
		return prefix | (random32() & ~mask_of(len));
	}
}

static void
compare_burst(const struct fib4 *f, const struct naive *t,
    const struct fib4_route *changed, unsigned n)
{
	uint32_t dst[3 * FIB_BURST];
	uint16_t result[3 * FIB_BURST], plain[3 * FIB_BURST];

	for (unsigned i = 0; i < n; i++) {
		const struct fib4_route *r = changed;

		if (i % 3 == 0 && t->n > 0)
			r = &t->r[random32() % t->n];
		dst[i] = near(r->prefix, r->len);
	}
	fib4_lookup_burst(f, dst, result, n);
	fib_without_avx512 = true;
	fib4_lookup_burst(f, dst, plain, n);
	fib_without_avx512 = false;
	assert_memory_equal(result, plain, n * sizeof(*result));
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(result[i], naive_lookup(t, dst[i]));
		assert_int_equal(result[i], fib4_lookup(f, dst[i]));
	}
}

/* The table after a change that found no room. */
static int
again_if_full(struct fib4 **f, int rc)
{
	struct fib4 *more;

	if (rc != -ENOSPC)
		return rc;
	rc = fib4_rebuild(*f, &more);
	fib4_free(*f);
	*f = more;
	return rc;
}

/* One route comes, gets another result, or goes; both tables are told. */
static struct fib4_route
change(struct fib4 **f, struct naive *t, const struct shape *s)
{
	struct fib4_route r = random_route(s);
	struct fib4_route *there;

	if (t->n > 0 && random32() % 2)
		r = t->r[random32() % t->n];
	there = naive_find(t, &r);
	if (random32() % 100 < 100 * t->n / MAX_ROUTES) {
		int rc = again_if_full(f, fib4_delete(*f, &r));

		assert_int_equal(rc, there ? 0 : -ENOENT);
		if (there)
			*there = t->r[--t->n];
		return r;
	}
	r.result = (uint16_t)(1 + random32() % s->n_results);
	if (!there)
		there = &t->r[t->n++];
	*there = r;
	assert_int_equal(again_if_full(f, fib4_add(*f, &r)), 0);
	return r;
}

static void
change_much(struct shape s, unsigned n_changes)
{
	static struct naive t;
	struct fib4 *f;

	t.n = 0;
	assert_int_equal(fib4_build(NULL, 0, &f), 0);
	for (unsigned i = 0; i < n_changes; i++) {
		struct fib4_route r = change(&f, &t, &s);

		compare_burst(f, &t, &r, i % 50 ? 8 : 3 * FIB_BURST - 5);
		if (i % 7 == 0)
			fib4_seal(f);
		if (i % 7 == 3)
			fib4_release(f);
		assert_int_equal(fib4_n_routes(f), t.n);
	}
	fib4_free(f);
}

static void
changed_tables_agree_with_the_naive_search(void **state)
{
	(void)state;
	random_seed(4271);
	change_much((struct shape){ 0, 0, 0, 32, 20 }, 3000);
	change_much((struct shape){ 0, 0, 0, 12, FIB_MAX_RESULT }, 1000);
	change_much((struct shape){ 0xc6120000, 16, 15, 32, 250 }, 3000);
	change_much((struct shape){ 0xc6120000, 22, 20, 32, 3 }, 3000);
	change_much(
	    (struct shape){ 0xc612ff00, 24, 24, 32, FIB_MAX_RESULT }, 20000);
}

/* Memory that was replaced is used again, and not before it may be. */
static void
changes_for_ever_need_no_more_memory(void **state)
{
	const struct fib4_route r[] = {
		{ 0xc6120000, 15, FIB4_STATIC, 1 },
		{ 0xc6120100, 24, FIB4_STATIC, 2 },
		{ 0xc6120101, 32, FIB4_STATIC, 3 },
	};
	struct fib4 *f;
	size_t before = 0;

	(void)state;
	assert_int_equal(fib4_build(r, 3, &f), 0);
	for (unsigned i = 0; i < 100000; i++) {
		assert_int_equal(fib4_delete(f, &r[i % 3]), 0);
		assert_int_equal(fib4_add(f, &r[i % 3]), 0);
		fib4_seal(f);
		fib4_release(f);
		if (i == 100)
			before = fib4_bytes(f);
	}
	assert_int_equal(fib4_bytes(f), before);
	fib4_free(f);
	/* nobody says that the readers have passed: it ends, in an error */
	assert_int_equal(fib4_build(r, 3, &f), 0);
	for (unsigned i = 0;; i++) {
		int rc = fib4_delete(f, &r[2]);

		assert_true(i < 100000);
		if (rc == 0)
			rc = fib4_add(f, &r[2]);
		if (rc == 0)
			continue;
		assert_int_equal(rc, -ENOSPC);
		break;
	}
	fib4_free(f);
}

static void
what_is_no_route_is_refused(void **state)
{
	const struct fib4_route bad[] = {
		{ 0xc6120001, 24, FIB4_STATIC, 1 }, /* bits behind the length */
		{ 0xc6120000, 33, FIB4_STATIC, 1 },
		{ 0xc6120000, 24, FIB4_OWN + 1, 1 },
		{ 0xc6120000, 24, FIB4_STATIC, 0 },
		{ 0xc6120000, 24, FIB4_STATIC, FIB_MAX_RESULT + 1 },
	};
	struct fib4 *f, *none;

	(void)state;
	assert_int_equal(fib4_build(NULL, 0, &f), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(fib4_build(&bad[i], 1, &none), -EINVAL);
		assert_int_equal(fib4_add(f, &bad[i]), -EINVAL);
		assert_int_equal(fib4_delete(f, &bad[i]), -EINVAL);
	}
	assert_int_equal(fib4_n_routes(f), 0);
	fib4_free(f);
}

/* --- beside a reader ------------------------------------------------------ */

struct reader {
	_Atomic(struct fib4 *) f;
	_Atomic(bool) stop;
	_Atomic(unsigned) turns;
	unsigned wrong;
};

/* Each address may lead to what was or to what is, and nowhere else. */
static void *
read_on(void *arg)
{
	struct reader *r = arg;
	uint32_t dst[FIB_BURST];
	uint16_t result[FIB_BURST];

	for (unsigned i = 0; i < FIB_BURST; i++)
		dst[i] = 0xc6120000 + i * 0x41;
	/* relaxed: a flag */
	while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		fib_without_avx512 = !fib_without_avx512;
		/* acquire: pairs with replace() */
		fib4_lookup_burst(
		    atomic_load_explicit(&r->f, memory_order_acquire), dst,
		    result, FIB_BURST);
		for (unsigned i = 0; i < FIB_BURST; i++)
			r->wrong +=
			    result[i] == 0 || result[i] > 8 ||
			    (dst[i] >> 8 & 1 ? result[i] > 4 : result[i] == 4);
		/* release: pairs with wait_for() */
		atomic_fetch_add_explicit(&r->turns, 1, memory_order_release);
	}
	fib_without_avx512 = false;
	return NULL;
}

/* Two turns: the one that may have begun before, and a whole one. */
static void
wait_for(struct reader *r)
{
	unsigned turns = atomic_load_explicit(&r->turns, memory_order_acquire);

	while (
	    atomic_load_explicit(&r->turns, memory_order_acquire) - turns < 2)
		sched_yield();
}

static void
replace(struct reader *r, struct fib4 *old)
{
	struct fib4 *f;

	assert_int_equal(fib4_rebuild(old, &f), 0);
	atomic_store_explicit(&r->f, f, memory_order_release);
	wait_for(r);
	fib4_free(old);
}

/* Below an odd /24 results 1 to 4, below an even one all but 4. */
static struct fib4_route
route_for_reader(void)
{
	unsigned len = 20 + random32() % 13;
	uint32_t ip = 0xc6120000 | (random32() & 0x1fff);
	struct fib4_route r = { ip & mask_of(len), (uint8_t)len, FIB4_STATIC,
		(uint16_t)(1 + random32() % 3) };

	if (len >= 24)
		r.result = ip >> 8 & 1 ? 4 : (uint16_t)(5 + random32() % 4);
	return r;
}

static void
a_reader_never_sees_half_a_change(void **state)
{
	static struct reader r;
	struct fib4_route route = { 0xc6120000, 15, FIB4_STATIC, 1 };
	struct fib4 *f;
	unsigned n_replaced = 0;
	pthread_t thread;

	(void)state;
	random_seed(99);
	assert_int_equal(fib4_build(&route, 1, &f), 0);
	atomic_store_explicit(&r.f, f, memory_order_release);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (unsigned i = 0; i < 3000; i++) {
		int rc;

		f = atomic_load_explicit(&r.f, memory_order_relaxed);
		route = route_for_reader();
		rc = fib4_add(f, &route);
		if (rc == 0 && random32() % 4)
			rc = fib4_delete(f, &route);
		if (rc == -ENOSPC) {
			replace(&r, f);
			n_replaced++;
			continue;
		}
		assert_int_equal(rc, 0);
		if (i % 8 == 0) {
			fib4_seal(f);
			wait_for(&r);
			fib4_release(f);
		}
	}
	atomic_store_explicit(&r.stop, true, memory_order_relaxed);
	pthread_join(thread, NULL);
	assert_int_equal(r.wrong, 0);
	assert_true(n_replaced < 100);
	fib4_free(atomic_load_explicit(&r.f, memory_order_relaxed));
}

/* --- the Internet --------------------------------------------------------- */

static void
take_real(void *arg, size_t i, fib_key prefix, unsigned len)
{
	struct fib4_route *r = arg;

	r[i] = (struct fib4_route){ (uint32_t)prefix, (uint8_t)len, FIB4_STATIC,
		(uint16_t)(1 + random32() % 16) };
}

static size_t
read_real(struct fib4_route *r)
{
	const struct fib_real real = { "prefixes4.xz", 32, REAL };

	return fib_read_real(&real, take_real, r);
}

/* Slots of /24 as the routes say, the shorter first; n is 24 or less. */
static void
paint(uint16_t *slot, const struct fib4_route *r, size_t n)
{
	for (unsigned len = 0; len <= 24; len++)
		for (size_t i = 0; i < n; i++)
			for (uint32_t k = 0;
			     r[i].len == len && k < 1U << (24 - len); k++)
				slot[(r[i].prefix >> 8) + k] = r[i].result;
}

static void
compare_painted(const struct fib4 *f, const uint16_t *slot, uint32_t host)
{
	uint32_t dst[FIB_BURST];
	uint16_t result[FIB_BURST];

	for (uint32_t s = 0; s < 1 << 24; s += FIB_BURST) {
		for (uint32_t i = 0; i < FIB_BURST; i++)
			dst[i] = (s + i) << 8 | host;
		fib4_lookup_burst(f, dst, result, FIB_BURST);
		assert_memory_equal(result, &slot[s], sizeof(result));
	}
}

static void
the_internet_is_as_painted(void **state)
{
	struct fib4_route *r = calloc(REAL, sizeof(*r));
	uint16_t *slot = calloc(1 << 24, sizeof(*slot));
	struct fib4 *f;
	size_t n, kept = 0;

	(void)state;
	random_seed(1);
	n = read_real(r);
	if (n != REAL)
		print_message("# no xz, or no prefixes\n");
	if (n != REAL)
		skip();
	for (size_t i = 0; i < n; i++)
		if (r[i].len <= 24)
			r[kept++] = r[i];
	paint(slot, r, kept);
	assert_int_equal(fib4_build(r, kept, &f), 0);
	assert_true(fib4_bytes(f) < 6 << 20);
	compare_painted(f, slot, 77);
	/* half of it goes, one by one, and the rest gets other results */
	for (size_t i = 0; i < kept; i++) {
		int rc;

		if (i % 2) {
			r[i / 2] = r[i];
			r[i / 2].result = (uint16_t)(1 + i % 16);
			rc = fib4_add(f, &r[i / 2]);
		} else {
			rc = fib4_delete(f, &r[i]);
		}
		assert_int_equal(again_if_full(&f, rc), 0);
		if (i % 64 == 0) {
			fib4_seal(f);
			fib4_release(f);
		}
	}
	memset(slot, 0, sizeof(*slot) << 24);
	paint(slot, r, kept / 2);
	compare_painted(f, slot, 0);
	fib4_free(f);
	free(slot);
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_tables_agree_with_the_naive_search),
		cmocka_unit_test(changes_for_ever_need_no_more_memory),
		cmocka_unit_test(what_is_no_route_is_refused),
		cmocka_unit_test(a_reader_never_sees_half_a_change),
		cmocka_unit_test(the_internet_is_as_painted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
