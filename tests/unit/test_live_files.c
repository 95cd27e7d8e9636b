/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_live_files: pipelines and run-time routes on disk: what a function has
 * said is there is there for who opens it next.
 */
#include "agent/pipelines.h"
#include "agent/routefile.h"

#include "lib/base.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static char dir[64];
static char router[80];

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-live-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(router, sizeof(router), "%s/uid", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	durable_remove(router);
	return rmdir(dir);
}

static void
reopen(struct pipelines *p)
{
	struct err e = { 0 };

	if (pipelines_open(p, router, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Adds a text that says its number; returns that. */
static unsigned
add(struct pipelines *p, const char *text)
{
	struct pipeline_revision v = { .author = "me", .time = "now" };
	struct err e = { 0 };

	sha256_hex(text, strlen(text), v.digest);
	if (pipelines_add(p, &v, text, strlen(text), &e) < 0)
		fail_msg("%s", e.msg);
	return v.number;
}

static void
expect_text(const struct pipelines *p, unsigned number, const char *text)
{
	size_t n = 0;
	char *got = pipelines_text(p, number, &n);

	assert_non_null(got);
	assert_string_equal(got, text);
	assert_int_equal(n, strlen(text));
	free(got);
}

static void
a_revision_is_there_after_a_restart(void **state)
{
	struct pipelines p;
	struct err e;

	(void)state;
	reopen(&p);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.wanted, 0);
	assert_int_equal(add(&p, "one"), 1);
	assert_int_equal(add(&p, "two"), 2);
	reopen(&p);
	assert_int_equal(p.wanted, 2);
	expect_text(&p, 1, "one");
	expect_text(&p, 2, "two");
	assert_int_equal(pipelines_find(&p, 1)->state, PIPELINE_REPLACED);
	assert_int_equal(pipelines_find(&p, 2)->previous, 1);
	assert_string_equal(pipelines_find(&p, 2)->author, "me");

	assert_int_equal(pipelines_want(&p, 1, &e), 0);
	assert_int_equal(pipelines_want(&p, 9, &e), -ENOENT);
	reopen(&p);
	assert_int_equal(p.wanted, 1);
	assert_int_equal(pipelines_find(&p, 1)->state, PIPELINE_RUNNING);
	assert_int_equal(pipelines_find(&p, 2)->state, PIPELINE_REPLACED);
	/* the one before it */
	assert_int_equal(pipelines_find(&p, 1)->previous, 2);
	assert_int_equal(pipelines_want(&p, 0, &e), 0);
	assert_int_equal(add(&p, "three"), 3);
	assert_int_equal(pipelines_find(&p, 3)->previous, 0);
}

static void
one_that_failed_is_not_wanted_any_more(void **state)
{
	char why[300];
	struct pipelines p;
	struct err e;

	(void)state;
	reopen(&p);
	add(&p, "good");
	add(&p, "crashes");
	/* a tenant's words, of any length, cut within a letter */
	memset(why, 'x', sizeof(why));
	memcpy(why, "it crashed ", 11);
	memcpy(why + 254, "\xc3\xa4", 3);
	assert_int_equal(pipelines_fail(&p, why, 1, &e), 0);
	reopen(&p);
	assert_int_equal(p.wanted, 1);
	assert_int_equal(pipelines_find(&p, 2)->state, PIPELINE_FAILED);
	assert_memory_equal(pipelines_find(&p, 2)->report, "it crashed ", 11);
	/* one that is unknown here is the template's */
	assert_int_equal(pipelines_fail(&p, "it too", 77, &e), 0);
	assert_int_equal(p.wanted, 0);
	assert_int_equal(pipelines_fail(&p, "nothing to fail", 0, &e), 0);
}

static void
the_oldest_are_forgotten_but_the_wanted_one(void **state)
{
	char text[32], path[160];
	struct pipelines p;
	struct err e;

	(void)state;
	reopen(&p);
	assert_int_equal(add(&p, "first"), 1);
	for (unsigned i = 2; i <= PIPELINES_KEPT; i++) {
		snprintf(text, sizeof(text), "%u", i);
		add(&p, text);
	}
	assert_int_equal(pipelines_want(&p, 1, &e), 0);
	add(&p, "more");
	assert_int_equal(p.n, PIPELINES_KEPT);
	expect_text(&p, 1, "first");
	assert_null(pipelines_find(&p, 2));
	snprintf(path, sizeof(path), "%s/pipelines/2.lua", router);
	assert_int_equal(access(path, F_OK), -1);
	add(&p, "still more");
	assert_null(pipelines_find(&p, 1));
	reopen(&p);
	assert_int_equal(p.n, PIPELINES_KEPT);
	/* numbers do not come again */
	assert_int_equal(p.next, PIPELINES_KEPT + 3);
}

static void
a_list_that_makes_no_sense_is_told(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{\"next\":1}",
		"{\"next\":2,\"wanted\":1,\"revisions\":[]}",
		"{\"next\":1,\"wanted\":0,\"revisions\":[{}]}" };
	struct pipelines p;
	struct err e;
	char path[160];

	(void)state;
	reopen(&p);
	add(&p, "one");
	snprintf(path, sizeof(path), "%s/pipelines", router);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(durable_write(path, "list.json", bad[i],
				     strlen(bad[i]), &e),
		    0);
		assert_int_equal(pipelines_open(&p, router, &e), -EBADMSG);
		assert_int_equal(p.n, 0);
	}
}

static void
what_cannot_be_written_changes_nothing(void **state)
{
	struct pipeline_revision v = { .author = "me", .time = "now" };
	struct pipelines p;
	struct err e = { 0 };
	char path[160];

	(void)state;
	reopen(&p);
	add(&p, "one");
	snprintf(path, sizeof(path), "%s/pipelines/.new", router);
	assert_int_equal(mkdir(path, 0700), 0); /* in the way */
	assert_true(pipelines_add(&p, &v, "two", 3, &e) < 0);
	assert_true(e.no < 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.wanted, 1);
	assert_true(pipelines_want(&p, 0, &e) < 0);
	assert_int_equal(p.wanted, 1);
	rmdir(path);
	assert_int_equal(add(&p, "two"), 2);
}

/* --- routes --------------------------------------------------------------- */

static void
open_routes(struct routefile *f)
{
	struct err e = { 0 };

	if (routefile_open(f, router, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
replace(struct routefile *f, const char *text)
{
	scoped_close int fd = open(dir, O_RDWR | O_TMPFILE, 0600);
	struct err e = { 0 };

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (routefile_replace(f, fd, strlen(text), &e) < 0)
		fail_msg("%s", e.msg);
}

static void
expect_routes(const struct routefile *f, const char *text)
{
	scoped_close int fd = routefile_read(f);
	char got[1024] = "";

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_string_equal(got, text);
	assert_int_equal(f->bytes, strlen(text));
}

static void
routes_are_there_after_a_restart(void **state)
{
	static const char change[] = "delete 1.0.0.0/8\nadd 2.0.0.0/8 dev b\n";
	struct routefile f;
	struct err e;

	(void)state;
	open_routes(&f);
	assert_int_equal(routefile_read(&f), -1);
	replace(&f, "add 1.0.0.0/8 dev a\n");
	assert_int_equal(routefile_append(&f, change, strlen(change), &e), 0);
	open_routes(&f);
	expect_routes(&f, "add 1.0.0.0/8 dev a\nthen\n# 37\n"
			  "delete 1.0.0.0/8\nadd 2.0.0.0/8 dev b\n");
	assert_int_equal(f.table, strlen("add 1.0.0.0/8 dev a\nthen\n"));
	replace(&f, "");
	expect_routes(&f, "then\n");
	open_routes(&f);
	assert_int_equal(f.table, 5);
}

static void
a_change_may_come_first(void **state)
{
	static const char change[] = "add 2.0.0.0/8 dev b\n";
	struct routefile f;
	struct err e;

	(void)state;
	open_routes(&f);
	assert_int_equal(routefile_append(&f, change, strlen(change), &e), 0);
	open_routes(&f);
	expect_routes(&f, "then\n# 20\nadd 2.0.0.0/8 dev b\n");
}

static void
write_raw(const char *text)
{
	struct err e;

	durable_folder(router, &e);
	assert_int_equal(
	    durable_write(router, "routes", text, strlen(text), &e), 0);
}

static void
a_torn_line_is_dropped(void **state)
{
	static const char next[] = "add 3.0.0.0/8 dev c\n";
	struct routefile f;
	struct err e;

	(void)state;
	write_raw("add 1.0.0.0/8 dev a\nthen\nadd 2.0.0.0/8 dev b\nadd 3.0");
	open_routes(&f);
	assert_int_equal(routefile_append(&f, next, strlen(next), &e), 0);
	expect_routes(&f, "add 1.0.0.0/8 dev a\nthen\nadd 2.0.0.0/8 dev b\n"
			  "# 20\nadd 3.0.0.0/8 dev c\n");
	write_raw("add 1.0.0.0/8 dev a\nth");
	assert_int_equal(routefile_open(&f, router, &e), -EBADMSG);
	assert_int_equal(routefile_read(&f), -1);
}

/* However much of it is on disk: a change is there as a whole or not at all. */
static void
a_torn_change_leaves_nothing(void **state)
{
	static const char whole[] =
	    "add 1.0.0.0/8 dev a\nthen\n"
	    "# 20\nadd 2.0.0.0/8 dev b\n"
	    "# 37\ndelete 2.0.0.0/8\nadd 3.0.0.0/8 dev c\n";
	static const char *const bad[] = { "#", "# ", "# \n", "# x\n", "#1\na",
		"# -1\nadd 3.0.0.0/8 dev c\n", "nonsense\n",
		"# 99999999999999999999\n" };
	const size_t second = (size_t)(strstr(whole, "# 37") - whole);
	char text[sizeof(whole) + 32];
	struct routefile f;

	(void)state;
	for (size_t n = second; n < sizeof(whole) - 1; n++) {
		memcpy(text, whole, n);
		text[n] = '\0';
		write_raw(text);
		open_routes(&f);
		text[second] = '\0';
		expect_routes(&f, text);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(
		    text, sizeof(text), "%.*s%s", (int)second, whole, bad[i]);
		write_raw(text);
		open_routes(&f);
		text[second] = '\0';
		expect_routes(&f, text);
	}
	write_raw(whole);
	open_routes(&f);
	expect_routes(&f, whole);
}

static void
there_is_room_for_so_much(void **state)
{
	struct routefile f = { .bytes = ROUTEFILE_MAX_BYTES - (64 << 10) };

	(void)state;
	assert_true(routefile_has_room(&f, 60 << 10));
	assert_false(routefile_has_room(&f, 64 << 10));
	assert_false(routefile_has_room(&f, SIZE_MAX));
}

static void
append_many(struct routefile *f, unsigned i)
{
	static char many[64 << 10];
	struct err e = { 0 };
	char line[80];
	size_t n = 0;

	while (n < sizeof(many) - sizeof(line))
		n += (size_t)sprintf(
		    many + n, "add 2.0.0.0/8 dev b%u\ndelete 1.0.0.0/8\n", i);
	assert_int_equal(routefile_append(f, many, n, &e), 0);
}

/*
 * Changes that are far longer than the table become one table, while others
 * come: those are behind it.
 */
static void
many_changes_are_folded(void **state)
{
	size_t largest = 0;
	struct routefile f;
	char got[200] = "";
	unsigned i = 0;

	(void)state;
	open_routes(&f);
	replace(&f, "add 1.0.0.0/8 dev a\nadd 9.0.0.0/8 dev a\n");
	for (; !f.fold; i++) {
		append_many(&f, i);
		assert_true(i < 1000);
	}
	assert_true(f.bytes > ROUTEFILE_FOLD_BYTES);
	for (; f.bytes >= largest; i++) {
		largest = f.bytes;
		append_many(&f, i);
		assert_true(i < 2000);
		usleep(10000);
	}
	assert_true(f.table < 100);
	assert_true(f.bytes > f.table + (60 << 10));
	{
		scoped_close int fd = routefile_read(&f);

		assert_true(read(fd, got, sizeof(got) - 1) > 0);
	}
	assert_null(strstr(got, "add 1.0.0.0/8"));
	assert_non_null(strstr(got, "add 2.0.0.0/8 dev b"));
	assert_non_null(strstr(got, "add 9.0.0.0/8 dev a\nthen\n# 65"));
	/* who opens it sees the same */
	largest = f.bytes;
	open_routes(&f);
	assert_int_equal(f.bytes, largest);
}

/* A table that comes meanwhile is not replaced by what was before it. */
static void
what_is_folded_does_not_come_back(void **state)
{
	struct routefile f;
	struct err e;

	(void)state;
	open_routes(&f);
	for (unsigned i = 0; !f.fold; i++)
		append_many(&f, i);
	replace(&f, "add 9.0.0.0/8 dev a\n");
	usleep(100000);
	assert_int_equal(routefile_append(&f, "", 0, &e), 0);
	expect_routes(&f, "add 9.0.0.0/8 dev a\nthen\n");
	for (unsigned i = 0; !f.fold; i++)
		append_many(&f, i);
	routefile_close(&f);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(a_revision_is_there_after_a_restart),
		TEST(one_that_failed_is_not_wanted_any_more),
		TEST(the_oldest_are_forgotten_but_the_wanted_one),
		TEST(a_list_that_makes_no_sense_is_told),
		TEST(what_cannot_be_written_changes_nothing),
		TEST(routes_are_there_after_a_restart),
		TEST(a_change_may_come_first),
		TEST(a_torn_line_is_dropped),
		TEST(a_torn_change_leaves_nothing),
		TEST(there_is_room_for_so_much),
		TEST(many_changes_are_folded),
		TEST(what_is_folded_does_not_come_back),
	};

	return cmocka_run_group_tests_name("live files", tests, NULL, NULL);
}
