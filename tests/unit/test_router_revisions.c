/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_revisions: who is in force after each of them came, failed, or was
 * forgotten; and the next process knows it.
 */
#include "lib/base.h"
#include "router/revisions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char dir[64];
static char list[80];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-revisions-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(list, sizeof(list), "%s/list", dir);
	return 0;
}

static void
path_of(unsigned number, char path[96])
{
	snprintf(path, 96, "%s/%u.lua", dir, number);
}

static int
remove_dir(void **state)
{
	char path[96];

	(void)state;
	unlink(list);
	for (unsigned i = 1; i <= 3 * REVISIONS_KEPT; i++) {
		path_of(i, path);
		unlink(path);
	}
	return rmdir(dir);
}

static void
open_all(struct revisions *r)
{
	assert_int_equal(revisions_open(r, dir), 0);
}

static unsigned
add(struct revisions *r)
{
	const struct script_text t = { .text = "return 1", .len = 8 };
	struct revision *v = revisions_add(r, &t, "somebody");

	assert_non_null(v);
	return v->number;
}

static void
add_and_run(struct revisions *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		revisions_run(r, add(r));
}

static void
expect_state(struct revisions *r, unsigned number, enum revision_state state)
{
	const struct revision *v = revisions_find(r, number);

	assert_non_null(v);
	assert_string_equal(
	    revision_state_name(v->state), revision_state_name(state));
}

static unsigned
count_running(const struct revisions *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++)
		n += r->list[i].state == REVISION_RUNNING;
	return n;
}

static void
who_comes_replaces_who_ran(void **state)
{
	struct revisions r;

	(void)state;
	open_all(&r);
	assert_int_equal(revisions_running(&r), 0);
	add_and_run(&r, 2);
	assert_int_equal(revisions_running(&r), 2);
	expect_state(&r, 1, REVISION_REPLACED);
	assert_int_equal(revisions_find(&r, 2)->previous, 1);
}

static void
who_fails_gives_way_to_who_ran_before(void **state)
{
	struct revisions r;

	(void)state;
	open_all(&r);
	add_and_run(&r, 3);
	assert_int_equal(revisions_fail(&r, 3, "threw"), 2);
	assert_int_equal(revisions_fail(&r, 2, "threw"), 1);
	assert_int_equal(revisions_fail(&r, 1, "threw"), 0);
	assert_int_equal(revisions_running(&r), 0);
}

/* It threw, and then it is seen that it stands still, too. */
static void
who_fails_twice_fails_once(void **state)
{
	struct revisions r;

	(void)state;
	open_all(&r);
	add_and_run(&r, 3);
	assert_int_equal(revisions_fail(&r, 3, "threw"), 2);
	assert_int_equal(revisions_fail(&r, 3, "stood still"), 2);
	expect_state(&r, 2, REVISION_RUNNING);
	expect_state(&r, 1, REVISION_REPLACED);
	assert_int_equal(count_running(&r), 1);
}

/* Who ran before the one that failed does not take its successor's place. */
static void
who_fails_late_takes_nobody_along(void **state)
{
	struct revisions r;

	(void)state;
	open_all(&r);
	add_and_run(&r, 3);
	assert_int_equal(revisions_fail(&r, 2, "stood still"), 3);
	assert_int_equal(revisions_running(&r), 3);
	assert_int_equal(revisions_fail(&r, 3, "threw"), 1);
}

static void
the_next_process_knows_all(void **state)
{
	struct revisions r, next;

	(void)state;
	open_all(&r);
	add_and_run(&r, 2);
	revisions_fail(&r, 2, "two\nlines");
	assert_int_equal(add(&r), 3); /* its check does not end */
	open_all(&next);
	assert_int_equal(next.n, 2);
	expect_state(&next, 2, REVISION_FAILED);
	assert_string_equal(revisions_find(&next, 2)->why, "two lines");
	assert_string_equal(revisions_find(&next, 1)->author, "somebody");
	assert_int_equal(revisions_running(&next), 1);
}

/* Who runs, and who would run if it failed, are not the oldest, however old. */
static void
the_oldest_are_forgotten_but_who_is_needed(void **state)
{
	struct revisions r;
	char path[96];

	(void)state;
	open_all(&r);
	add_and_run(&r, 2);
	for (unsigned i = 0; i < 2 * REVISIONS_KEPT; i++)
		revisions_set(&r, add(&r), REVISION_REFUSED, "no");
	assert_int_equal(r.n, REVISIONS_KEPT);
	assert_int_equal(revisions_running(&r), 2);
	path_of(3, path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(revisions_fail(&r, 2, "threw"), 1);
	path_of(1, path);
	assert_int_equal(access(path, F_OK), 0);
}

static void
write_list_text(const char *text)
{
	FILE *out = fopen(list, "we");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void
a_list_without_sense_is_an_empty_one(void **state)
{
	struct revisions r;

	(void)state;
	write_list_text("1 replaced 0 0 d a -\n2 dancing 1 0 d a -\n");
	open_all(&r);
	assert_int_equal(r.n, 0);
}

/* The list is the tenant's to write. */
static void
a_chain_that_goes_in_a_circle_ends(void **state)
{
	struct revisions r;

	(void)state;
	write_list_text("1 failed 2 0 d a -\n2 failed 1 0 d a -\n"
			"3 running 2 0 d a -\n");
	open_all(&r);
	assert_int_equal(revisions_fail(&r, 3, "threw"), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_comes_replaces_who_ran),
		CASE(who_fails_gives_way_to_who_ran_before),
		CASE(who_fails_twice_fails_once),
		CASE(who_fails_late_takes_nobody_along),
		CASE(the_next_process_knows_all),
		CASE(the_oldest_are_forgotten_but_who_is_needed),
		CASE(a_list_without_sense_is_an_empty_one),
		CASE(a_chain_that_goes_in_a_circle_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
