/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_engines: lookup tables that others make say what our own say, for
 * random routes and changes, and readers keep theirs: an engine of this test,
 * which shows what the shelf of tables does, and those of DPDK, if there is
 * europa-router-dpdk.so.
 */
#include "lib/base.h"
#include "router/fib4.h"
#include "router/fib6.h"
#include "router/fib_shelf.h"
#include "router/ip6.h"
#include "tests/unit/router_dpdk.h"

/* --- an engine of this test, for IPv4 -------------------------------------- */

struct line {
	size_t n, max;
	struct fib4_route r[512];
};

static unsigned n_lines, n_made;

static int
line_make(const struct fib_room *room, void **out)
{
	struct line *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	/* so little that it has to be made anew now and then */
	l->max = MIN(room->n_routes + 20, ARRAY_SIZE(l->r));
	n_lines++;
	n_made++;
	*out = l;
	return 0;
}

static void
line_free(void *table)
{
	n_lines--;
	free(table);
}

static struct fib4_route *
line_find(struct line *l, uint32_t prefix, unsigned len)
{
	size_t i = 0;

	while (i < l->n && (l->r[i].prefix != prefix || l->r[i].len != len))
		i++;
	return &l->r[i];
}

static int
line_add(void *table, const void *prefix, unsigned len, uint16_t result)
{
	const uint32_t *ip = prefix;
	struct line *l = table;
	struct fib4_route *r = line_find(l, *ip, len);

	if (r == l->r + l->n && l->n == l->max)
		return -ENOSPC;
	l->n += r == l->r + l->n;
	*r = (struct fib4_route){
		.prefix = *ip, .len = (uint8_t)len, .result = result
	};
	return 0;
}

static int
line_remove(void *table, const void *prefix, unsigned len)
{
	const uint32_t *ip = prefix;
	struct line *l = table;
	struct fib4_route *r = line_find(l, *ip, len);

	if (r == l->r + l->n)
		return -ENOENT;
	*r = l->r[--l->n];
	return 0;
}

static void
line_look_up(
    const void *table, const void *addresses, uint16_t *results, unsigned n)
{
	const struct line *l = table;
	const uint32_t *ip = addresses;

	for (unsigned k = 0; k < n; k++) {
		int best = -1;

		results[k] = 0;
		for (size_t i = 0; i < l->n; i++) {
			const struct fib4_route *r = &l->r[i];
			uint32_t mask =
			    r->len ? UINT32_MAX << (32 - r->len) : 0;

			if ((ip[k] ^ r->prefix) & mask || r->len <= best)
				continue;
			best = r->len;
			results[k] = r->result;
		}
	}
}

static size_t
line_bytes(const void *table)
{
	return sizeof(*(const struct line *)table);
}

static const struct fib_engine line_engine = { line_make, line_free, line_add,
	line_remove, line_look_up, line_bytes };

/* --- random changes, for both families ------------------------------------- */

static uint32_t
random_ip4(void)
{
	return random32() % 2 ? 0x0a000000 | (random32() & 0x30303)
			      : random32() & 0xff8001ff;
}

/* One that may be looked up: no group, and nothing behind. */
static uint32_t
random_dst4(void)
{
	uint32_t ip = random_ip4();

	return ip >> 29 == 7 ? ip & 0xdfffffff : ip;
}

static uint32_t
cut4(uint32_t ip, unsigned len)
{
	return len ? ip & UINT32_MAX << (32 - len) : 0;
}

#define FIB(name) fib4_##name
#define fib_table fib4
#define fib_route fib4_route
#define FIB_BITS 32
#define random_address random_ip4
#define random_destination random_dst4
#define cut cut4
typedef uint32_t fib4_address;
#define fib_address fib4_address
#include "tests/unit/engine_changes.inc"
#undef FIB
#undef fib_table
#undef fib_route
#undef FIB_BITS
#undef random_address
#undef random_destination
#undef cut
#undef fib_address

static struct fib6_addr
random_ip6(void)
{
	struct fib6_addr a = { UINT64_C(0x20010db800000000), 0 };

	a.hi |= random32() % 2 ? random32() & 0x30003 : 0;
	a.hi ^= random32() % 4 ? 0 : UINT64_C(1) << random32() % 64;
	if (random32() % 4 == 0) /* around the groups */
		a.hi |= UINT64_MAX << (56 + random32() % 8);
	a.lo = random32() % 4 ? (random32() & 3) : 0;
	a.lo |= (uint64_t)(random32() & 0x30000003) << 32;
	return a;
}

static struct fib6_addr
random_dst6(void)
{
	struct fib6_addr a = random_ip6();

	if (a.hi >> 56 == 0xff)
		a.hi ^= UINT64_C(1) << (56 + random32() % 8);
	return a;
}

static struct fib6_addr
cut6(struct fib6_addr a, unsigned len)
{
	struct ip6 ip = ip6_prefix((struct ip6){ a.hi, a.lo }, len);

	return (struct fib6_addr){ ip.hi, ip.lo };
}

#define FIB(name) fib6_##name
#define fib_table fib6
#define fib_route fib6_route
#define FIB_BITS 128
#define random_address random_ip6
#define random_destination random_dst6
#define cut cut6
#define fib_address struct fib6_addr
#include "tests/unit/engine_changes.inc"

static void
readers_keep_their_tables(void **state)
{
	(void)state;
	fib4_changes(&line_engine, 4000);
	assert_int_equal(n_lines, 0);
	/* some for want of room, but by far not one for each change */
	assert_in_range(n_made, 4, 400);
}

/* More changes than are noted: those who missed them are made anew. */
static void
who_misses_too_many_changes_is_made_anew(void **state)
{
	const struct fib4_route first = { 0x0a000000, 8, FIB4_STATIC, 1 };
	struct fib4_route r = { 0x0b000000, 8, FIB4_STATIC, 2 };
	struct fib4 *old, *f, *next;

	(void)state;
	assert_int_equal(fib4_build_by(&line_engine, &first, 1, &old), 0);
	old->n_refs++; /* a reader has it, and sleeps */
	assert_int_equal(fib4_add(old, &r), -ENOSPC);
	assert_int_equal(fib4_rebuild(old, &f), 0);
	old->n_refs--;
	for (unsigned i = 0; i < FIB_SHELF_NOTES + 100; i++) {
		r.result = (uint16_t)(1 + i % 1000);
		assert_int_equal(fib4_add(f, &r), 0);
	}
	assert_int_equal(fib4_lookup(f, 0x0b000001), r.result);
	assert_int_equal(fib4_lookup(old, 0x0b000001), 0);
	assert_int_equal(n_lines, 2);
	fib4_free(old); /* it is of no use any more */
	assert_int_equal(n_lines, 1);
	f->n_refs++;
	r.result = 1001;
	assert_int_equal(fib4_add(f, &r), -ENOSPC);
	assert_int_equal(fib4_rebuild(f, &next), 0);
	assert_int_equal(fib4_lookup(next, 0x0b000001), 1001);
	assert_int_equal(fib4_lookup(next, 0x0a000001), 1);
	fib4_free(next);
	fib4_free(f);
	assert_int_equal(n_lines, 0);
}

/* --- DPDK ------------------------------------------------------------------ */

static void
what_is_not_there_is_said(void **state)
{
	struct err e;

	(void)state;
	assert_null(dpdk_get());
	assert_int_equal(
	    setenv("EUROPA_ROUTER_DPDK", "/nonexistent/x.so", 1), 0);
	assert_int_equal(dpdk_start(256, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/nonexistent/x.so"));
	assert_null(dpdk_get());
}

static void
rte_fib_says_what_ours_says(void **state)
{
	const struct dpdk *d = dpdk();

	(void)state;
	fib4_changes(&d->fib4, 1500);
}

static void
rte_fib6_says_what_ours_says(void **state)
{
	const struct dpdk *d = dpdk();

	(void)state;
	fib6_changes(&d->fib6, 1500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_keep_their_tables),
		cmocka_unit_test(who_misses_too_many_changes_is_made_anew),
		cmocka_unit_test(what_is_not_there_is_said),
		/* of DPDK: */
		cmocka_unit_test(rte_fib_says_what_ours_says),
		cmocka_unit_test(rte_fib6_says_what_ours_says),
	};
	size_t n = ARRAY_SIZE(tests) - (TEST_DPDK ? 0 : 2);

	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
