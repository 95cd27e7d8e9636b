/* SPDX-License-Identifier: Apache-2.0 */
/* test_answers: the answers to requests with a key, in memory and on disk. */
#include "agent/answers.h"

#include "agent/durable.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char dir[64];
static struct answers *answers;
static int64_t now;

static void
reopen(void)
{
	struct err e = { 0 };

	answers_close(answers);
	if (answers_open(dir, now, &answers, &e) < 0)
		fail_msg("%s", e.msg);
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/europa-answers-XXXXXX");
	assert_non_null(mkdtemp(dir));
	answers = NULL;
	now = 1000000;
	reopen();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	answers_close(answers);
	durable_remove(dir);
	return 0;
}

/* What becomes of a request whose digest is made of one letter. */
static enum answers_what
ask(const char *who, const char *key, char c, struct answers_entry **x)
{
	char digest[65] = "";

	memset(digest, c, sizeof(digest) - 1);
	return answers_begin(answers, who, key, digest, now, x);
}

static void
keep(struct answers_entry *x, const char *text, const char *etag)
{
	const struct api_answer a = {
		.status = 201,
		.text = text,
		.n = strlen(text),
		.media_type = "application/json",
		.etag = etag,
	};
	struct err e = { 0 };

	if (answers_keep(answers, x, &a, &e) < 0)
		fail_msg("%s", e.msg);
}

static void
do_one(const char *key, const char *text)
{
	struct answers_entry *x;

	assert_int_equal(ask("me", key, 'a', &x), ANSWERS_NEW);
	keep(x, text, NULL);
}

static void
expect(const char *key, const char *text)
{
	struct answers_entry *x;
	json_t *o;

	assert_int_equal(ask("me", key, 'a', &x), ANSWERS_KNOWN);
	o = answers_read(answers, x);
	assert_non_null(o);
	assert_string_equal(
	    json_string_value(json_object_get(o, "body")), text);
	assert_int_equal(json_integer_value(json_object_get(o, "status")), 201);
	json_decref(o);
}

static void
a_key_has_one_answer_also_after_a_start(void **state)
{
	struct answers_entry *x, *y;
	json_t *o;

	(void)state;
	assert_int_equal(ask("me", "k", 'a', &x), ANSWERS_NEW);
	assert_int_equal(ask("me", "k", 'a', &y), ANSWERS_UNDER_WAY);
	assert_int_equal(ask("me", "k", 'b', &y), ANSWERS_OTHER);
	keep(x, "{\"name\": \"\xc3\xa4\"}\n", "1-2");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask("me", "k", 'b', &y), ANSWERS_OTHER);
		assert_int_equal(ask("me", "k", 'a', &y), ANSWERS_KNOWN);
		o = answers_read(answers, y);
		assert_string_equal(
		    json_string_value(json_object_get(o, "body")),
		    "{\"name\": \"\xc3\xa4\"}\n");
		assert_string_equal(
		    json_string_value(json_object_get(o, "etag")), "1-2");
		assert_true(json_is_null(json_object_get(o, "location")));
		json_decref(o);
		reopen();
	}
}

static void
what_has_no_answer_is_new_after_a_start(void **state)
{
	struct answers_entry *x;

	(void)state;
	assert_int_equal(ask("me", "k", 'a', &x), ANSWERS_NEW);
	reopen();
	assert_int_equal(ask("me", "k", 'a', &x), ANSWERS_NEW);
	answers_drop(answers, x);
	assert_int_equal(ask("me", "k", 'b', &x), ANSWERS_NEW);
}

static void
keys_are_those_of_who_sent_them(void **state)
{
	struct answers_entry *x;

	(void)state;
	do_one("k", "mine");
	assert_int_equal(ask("you", "k", 'a', &x), ANSWERS_NEW);
	keep(x, "yours", NULL);
	expect("k", "mine");
}

static void
a_day_later_it_is_forgotten(void **state)
{
	struct answers_entry *x;
	size_t n;

	(void)state;
	do_one("old", "1");
	now += ANSWERS_KEEP_S - 1;
	do_one("young", "2");
	expect("old", "1");
	now += 1;
	assert_int_equal(ask("me", "old", 'a', &x), ANSWERS_NEW);
	answers_drop(answers, x);
	now += ANSWERS_KEEP_S;
	reopen();
	assert_int_equal(ask("me", "young", 'a', &x), ANSWERS_NEW);
	answers_drop(answers, x);
	/* nothing is left of them */
	assert_null(durable_read(dir, "no-such", 1, &n));
	reopen();
	assert_int_equal(rmdir(dir), 0);
}

/* k0, k1... of who, all answered. */
static void
do_many(const char *who, int n)
{
	struct answers_entry *x;
	char key[16];

	for (int i = 0; i < n; i++) {
		now += i % 2;
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(ask(who, key, 'a', &x), ANSWERS_NEW);
		keep(x, "x", NULL);
	}
}

static void
of_too_many_ones_own_oldest_go(void **state)
{
	struct answers_entry *busy, *x;

	(void)state;
	assert_int_equal(ask("you", "k", 'a', &x), ANSWERS_NEW);
	keep(x, "y", NULL);
	assert_int_equal(ask("me", "busy", 'a', &busy), ANSWERS_NEW);
	do_many("me", ANSWERS_OF_ONE);
	assert_int_equal(ask("me", "busy", 'a', &x), ANSWERS_UNDER_WAY);
	answers_drop(answers, busy);
	reopen(); /* whose they are is on disk, too */
	do_one("more", "x");
	do_one("and more", "x");
	expect("k127", "x");
	expect("k3", "x");
	/* the first ones made room; what is others' did not */
	assert_int_equal(ask("you", "k", 'a', &x), ANSWERS_KNOWN);
	assert_int_equal(ask("me", "k0", 'a', &x), ANSWERS_NEW);
	answers_drop(answers, x);
}

static void
of_too_many_who_has_most_gives(void **state)
{
	struct answers_entry *x;
	char who[16];

	(void)state;
	for (int i = 0; i < ANSWERS_MAX / ANSWERS_OF_ONE; i++) {
		snprintf(who, sizeof(who), "u%d", i);
		do_many(who, ANSWERS_OF_ONE);
	}
	/* it is all full: who has most gives one, the oldest */
	assert_int_equal(ask("me", "new", 'a', &x), ANSWERS_NEW);
	keep(x, "x", NULL);
	assert_int_equal(ask("u0", "k1", 'a', &x), ANSWERS_KNOWN);
	assert_int_equal(ask("u0", "k0", 'a', &x), ANSWERS_NEW);
	keep(x, "x", NULL);
	assert_int_equal(ask("u1", "k0", 'a', &x), ANSWERS_NEW);
	keep(x, "x", NULL);
	/* and not who has one, when he asks for another */
	assert_int_equal(ask("me", "newer", 'a', &x), ANSWERS_NEW);
	keep(x, "x", NULL);
	assert_int_equal(ask("me", "new", 'a', &x), ANSWERS_KNOWN);
	assert_int_equal(ask("me", "newer", 'a', &x), ANSWERS_KNOWN);
	reopen(); /* as much is on disk */
	assert_int_equal(ask("me", "new", 'a', &x), ANSWERS_KNOWN);
}

static void
too_many_under_way_are_refused(void **state)
{
	struct answers_entry *x, *last = NULL;
	char key[16];

	(void)state;
	for (int i = 0; i < ANSWERS_OF_ONE; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(ask("me", key, 'a', &last), ANSWERS_NEW);
	}
	assert_int_equal(ask("me", "more", 'a', &x), ANSWERS_FULL);
	assert_int_equal(ask("you", "more", 'a', &x), ANSWERS_NEW);
	answers_drop(answers, last);
	assert_int_equal(ask("me", "more", 'a', &x), ANSWERS_NEW);
}

static void
damaged_files_are_no_answers(void **state)
{
	struct answers_entry *x;
	static const char name[] =
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct err e;

	(void)state;
	do_one("k", "x");
	assert_int_equal(durable_write(dir, name, "{\"digest", 8, &e), 0);
	assert_int_equal(durable_write(dir, "other", "x", 1, &e), 0);
	reopen();
	expect("k", "x");
	now += ANSWERS_KEEP_S;
	reopen();
	assert_int_equal(ask("me", "k", 'a', &x), ANSWERS_NEW);
	answers_drop(answers, x);
	assert_int_equal(rmdir(dir), 0); /* the damaged ones went, too */
}

static void
a_file_that_is_gone_is_no_answer(void **state)
{
	struct answers_entry *x;

	(void)state;
	do_one("k", "x");
	durable_remove(dir);
	assert_int_equal(ask("me", "k", 'a', &x), ANSWERS_KNOWN);
	assert_null(answers_read(answers, x));
	assert_int_equal(ask("me", "k", 'a', &x), ANSWERS_NEW);
}

int
main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		EACH(a_key_has_one_answer_also_after_a_start),
		EACH(what_has_no_answer_is_new_after_a_start),
		EACH(keys_are_those_of_who_sent_them),
		EACH(a_day_later_it_is_forgotten),
		EACH(of_too_many_ones_own_oldest_go),
		EACH(of_too_many_who_has_most_gives),
		EACH(too_many_under_way_are_refused),
		EACH(damaged_files_are_no_answers),
		EACH(a_file_that_is_gone_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
