/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_routes: the table of routes against one that is a list, and the
 * journal of it against what a process that dies may leave.
 */
#include "router/journal.h"
#include "router/routes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { N_STEPS = 20000, MAX_NAIVE = N_STEPS };

static struct route naive[MAX_NAIVE];
static size_t n_naive;
static uint32_t seed = 1;

static uint32_t
random32(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static struct route
route4(uint32_t ip, unsigned len, uint32_t via)
{
	uint32_t mask = len ? UINT32_MAX << (32 - len) : 0;

	return (struct route){ .prefix = ip6_of_ip4(ip & mask),
		.via = ip6_of_ip4(via),
		.len = (uint8_t)len,
		.dev = ROUTE_NO_DEV };
}

/* Few prefixes, so that the same ones come again; near each other and far. */
static struct route
random_route(void)
{
	unsigned len = random32() % 33;
	struct route r =
	    route4(0xc6120000 + (random32() % 64 << 8 << random32() % 12), len,
		0xc6120001 + random32() % 20);

	if (random32() % 2 == 0)
		return r;
	r.is6 = true;
	r.len = (uint8_t)(random32() % 129);
	r.prefix = ip6_prefix(
	    (struct ip6){ UINT64_C(0x20010db800000000) +
			      ((uint64_t)random32() % 16 << random32() % 60),
		random32() % 4 },
	    r.len);
	r.via = (struct ip6){ 0x20010db8, random32() % 20 };
	r.dev = (uint8_t)(random32() % 3);
	return r;
}

static bool
is_same_prefix(const struct route *a, const struct route *b)
{
	return a->is6 == b->is6 && a->len == b->len &&
	       ip6_is_equal(a->prefix, b->prefix);
}

static struct route *
naive_find(const struct route *r)
{
	for (size_t i = 0; i < n_naive; i++)
		if (is_same_prefix(&naive[i], r))
			return &naive[i];
	return NULL;
}

static int
naive_change(const struct route *r, bool add)
{
	struct route *old = naive_find(r);

	if (!add) {
		if (!old)
			return -ENOENT;
		*old = naive[--n_naive];
		return 0;
	}
	if (old) {
		*old = *r;
		return 1;
	}
	assert_true(n_naive < MAX_NAIVE);
	naive[n_naive++] = *r;
	return 0;
}

static void
assert_same_way(const struct route *a, const struct route *b)
{
	assert_true(ip6_is_equal(a->via, b->via));
	assert_int_equal(a->dev, b->dev);
}

/* All of s, in order, is what the list has. */
static void
compare_all(const struct routes_set *s)
{
	size_t n = 0;

	for (unsigned is6 = 0; is6 < 2; is6++) {
		struct route r = { .is6 = is6, .len = ROUTES_BEFORE_ALL }, last;

		for (bool first = true; last = r, routes_set_next(s, &r);
		     first = false, n++) {
			const struct route *o = naive_find(&r);

			assert_int_equal(r.is6, is6);
			assert_non_null(o);
			assert_same_way(&r, o);
			assert_true(first ||
				    ip6_is_less(last.prefix, r.prefix) ||
				    (ip6_is_equal(last.prefix, r.prefix) &&
					last.len < r.len));
		}
	}
	assert_int_equal(n, n_naive);
	assert_int_equal(routes_set_count(s), n_naive);
}

static void
it_is_what_a_list_is(void **state)
{
	struct routes_set s = { 0 };

	(void)state;
	for (unsigned i = 0; i < N_STEPS; i++) {
		struct route r = random_route(), found = r;
		bool add = random32() % 3 > 0;
		const struct route *o = naive_find(&r);

		assert_int_equal(routes_set_find(&s, &found), o != NULL);
		if (o)
			assert_same_way(&found, o);
		assert_int_equal(
		    add ? routes_set_add(&s, &r) : routes_set_delete(&s, &r),
		    naive_change(&r, add));
		if (i % 1000 == 0)
			compare_all(&s);
	}
	compare_all(&s);
	routes_set_clear(&s);
	assert_int_equal(routes_set_count(&s), 0);
}

static void
ways_are_bounded_and_come_back(void **state)
{
	struct route r = route4(0xc6120000, 32, 1);
	struct routes_set s = { 0 };

	(void)state;
	for (uint32_t i = 0; i < ROUTES_MAX_WAYS; i++) {
		r = route4(0xc6120000 + i, 32, 0xc6130000 + i);
		assert_int_equal(routes_set_add(&s, &r), 0);
	}
	r = route4(0xc7000000, 32, 0xc7000001);
	assert_int_equal(routes_set_add(&s, &r), -E2BIG);
	assert_false(routes_set_find(&s, &r));
	/* one that is there already is no new one */
	r.via = ip6_of_ip4(0xc6130000);
	assert_int_equal(routes_set_add(&s, &r), 0);
	r = route4(0xc6120005, 32, 0);
	assert_int_equal(routes_set_delete(&s, &r), 0);
	r = route4(0xc7000000, 32, 0xc7000001);
	assert_int_equal(routes_set_add(&s, &r), 1);
	assert_true(routes_set_find(&s, &r));
	assert_int_equal((uint32_t)r.via.lo, 0xc7000001);
	routes_set_clear(&s);
}

static void
what_is_no_prefix_is_refused(void **state)
{
	struct route r = route4(0xc6120000, 15, 1);
	struct routes_set s = { 0 };

	(void)state;
	r.prefix.lo |= 1;
	assert_int_equal(routes_set_add(&s, &r), -EINVAL);
	r = route4(0xc6120000, 32, 1);
	r.len = 33;
	assert_int_equal(routes_set_add(&s, &r), -EINVAL);
	r = (struct route){ .is6 = true, .len = 129 };
	assert_int_equal(routes_set_add(&s, &r), -EINVAL);
	/* not ::ffff:a.b.c.d */
	r = (struct route){ .prefix = { 1, 0 }, .len = 8 };
	assert_int_equal(routes_set_add(&s, &r), -EINVAL);
	assert_int_equal(routes_set_count(&s), 0);
}

/* --- the journal ---------------------------------------------------------- */

static char folder[] = "/tmp/europa-routes-XXXXXX";
static char conf[sizeof(folder) + 32], path[sizeof(folder) + 32];

static int
take(void *arg, struct route *r, bool add)
{
	struct routes_set *s = arg;

	assert_int_equal(r->source, ROUTE_API);
	return add ? MIN(routes_set_add(s, r), 0)
		   : (routes_set_delete(s, r), 0);
}

/* What another process finds. */
static void
read_again(struct routes_set *s)
{
	struct journal j;

	routes_set_clear(s);
	assert_int_equal(journal_open(&j, conf, take, s), 0);
	while (j.rewriting)
		journal_turn(&j, s);
	journal_close(&j);
}

static void
change_at_random(struct journal *j, struct routes_set *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct route r = random_route();
		bool add = random32() % 3 > 0;
		int rc = add ? routes_set_add(s, &r) : routes_set_delete(s, &r);

		assert_int_equal(rc, naive_change(&r, add));
		if (rc >= 0)
			journal_put(j, &r, add);
	}
}

/* Changes while it is written anew are neither lost nor undone. */
static void
a_journal_says_what_there_was(void **state)
{
	struct routes_set s = { 0 }, read = { 0 };
	struct journal j;

	(void)state;
	n_naive = 0;
	assert_int_equal(journal_open(&j, conf, take, &s), 0);
	change_at_random(&j, &s, N_STEPS / 2);
	journal_turn(&j, &s);
	read_again(&read);
	compare_all(&read);
	journal_close(&j);

	routes_set_clear(&s);
	assert_int_equal(journal_open(&j, conf, take, &s), 0);
	compare_all(&s);
	assert_true(j.rewriting);
	for (unsigned i = 0; j.rewriting; i++) {
		change_at_random(&j, &s, 100);
		journal_turn(&j, &s);
		assert_true(i < 100);
	}
	change_at_random(&j, &s, 100);
	journal_turn(&j, &s);
	journal_close(&j);
	read_again(&read);
	compare_all(&read);
	routes_set_clear(&read);
	routes_set_clear(&s);
}

static void
a_journal_is_bounded(void **state)
{
	struct route r = route4(0xc6120000, 32, 0xc6120001);
	struct routes_set s = { 0 };
	size_t largest = 0;
	struct journal j;

	(void)state;
	unlink(path);
	assert_int_equal(journal_open(&j, conf, take, &s), 0);
	for (unsigned i = 0; i < 10 * JOURNAL_SLACK / 12; i++) {
		r.via.lo ^= 1;
		assert_true(routes_set_add(&s, &r) >= 0);
		journal_put(&j, &r, true);
		journal_turn(&j, &s);
		largest = MAX(largest, j.bytes);
	}
	assert_true(largest < JOURNAL_SLACK + 100);
	assert_true(largest > JOURNAL_SLACK / 2);
	journal_close(&j);
	routes_set_clear(&s);
}

/* A disk that was full for a while: what comes then is not all that there is. */
static void
a_journal_that_failed_holds_all_or_nothing(void **state)
{
	const struct rlimit none = { 4, RLIM_INFINITY };
	struct routes_set s = { 0 }, read = { 0 };
	struct rlimit was;
	struct journal j;

	(void)state;
	unlink(path);
	n_naive = 0;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(journal_open(&j, conf, take, &s), 0);
	change_at_random(&j, &s, 100);
	journal_turn(&j, &s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	change_at_random(&j, &s, 100);
	journal_turn(&j, &s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_false(journal_is_behind(&j)); /* nobody waits for it */
	change_at_random(&j, &s, 10);
	while (j.rewriting)
		journal_turn(&j, &s);
	journal_close(&j);
	read_again(&read);
	compare_all(&read);
	routes_set_clear(&read);
	routes_set_clear(&s);
}

static void
write_file(const void *p, size_t n)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(fwrite(p, 1, n, out), n);
	fclose(out);
}

/* A process that died, and whatever else is in the file. */
static void
what_is_no_record_is_left_out(void **state)
{
	uint8_t good[] =
	    JOURNAL_MAGIC "a\x18\xff\x00\xc0\x00\x02\x00\xc6\x12\x00"
			  "\x01"
			  "a\x19\xff\x00\xc0\x00\x02";
	struct routes_set s = { 0 };
	struct journal j;

	(void)state;
	for (size_t n = 0; n < sizeof(good); n++) {
		write_file(good, n);
		read_again(&s);
		assert_int_equal(routes_set_count(&s), n >= 20);
	}
	for (unsigned at = 0; at < 20; at++) {
		good[at] ^= 0x20;
		write_file(good, sizeof(good) - 1);
		read_again(&s);
		assert_true(routes_set_count(&s) <= 1);
		good[at] ^= 0x20;
	}
	/* and it goes on with what there is */
	write_file("x", 1);
	routes_set_clear(&s);
	assert_int_equal(journal_open(&j, conf, take, &s), 0);
	while (j.rewriting)
		journal_turn(&j, &s);
	n_naive = 0;
	change_at_random(&j, &s, 100);
	journal_turn(&j, &s);
	journal_close(&j);
	read_again(&s);
	compare_all(&s);
	routes_set_clear(&s);
}

static int
set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(conf, sizeof(conf), "%s/router.conf", folder);
	snprintf(path, sizeof(path), "%s/routes.api", folder);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_a_list_is),
		cmocka_unit_test(ways_are_bounded_and_come_back),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(a_journal_says_what_there_was),
		cmocka_unit_test(a_journal_is_bounded),
		cmocka_unit_test(a_journal_that_failed_holds_all_or_nothing),
		cmocka_unit_test(what_is_no_record_is_left_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
