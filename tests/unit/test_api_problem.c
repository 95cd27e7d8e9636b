/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_problem: what a client is told; above all, that it is JSON. */
#include "api/problem.h"

#include "api/json_read.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *
text_of(const json_t *doc, const char *key)
{
	const char *s = json_string_value(json_object_get(doc, key));

	assert_non_null(s);
	return s;
}

static void
a_set_problem_is_told_whole(void **state)
{
	struct problem p;
	json_t *doc;

	(void)state;
	problem_init(&p);
	assert_int_equal(problem_set(&p, 507, "no-memory-left",
			     "ask for at most 512 MiB", "%d MiB wanted", 900),
	    -EINVAL);
	p.extra = json_pack("{s:i, s:i}", "wanted", 900, "best", 512);
	doc = problem_json(&p, "/v1/routers", "abc");
	assert_string_equal(
	    text_of(doc, "type"), "urn:europa:problem:no-memory-left");
	assert_string_equal(text_of(doc, "title"), "The machine is full");
	assert_string_equal(text_of(doc, "detail"), "900 MiB wanted");
	assert_string_equal(text_of(doc, "code"), "no-memory-left");
	assert_string_equal(text_of(doc, "remedy"), "ask for at most 512 MiB");
	assert_string_equal(text_of(doc, "instance"), "/v1/routers");
	assert_string_equal(text_of(doc, "request_id"), "abc");
	assert_int_equal(
	    json_integer_value(json_object_get(doc, "status")), 507);
	assert_int_equal(json_integer_value(json_object_get(doc, "best")), 512);
	assert_null(json_object_get(doc, "errors"));
	json_decref(doc);
	problem_clear(&p);
	assert_int_equal(p.status, 0);
}

static void
extra_members_replace_nothing(void **state)
{
	struct problem p;
	json_t *doc;

	(void)state;
	problem_init(&p);
	problem_set(&p, 409, "exists", NULL, "taken");
	p.extra = json_pack("{s:i}", "status", 200);
	doc = problem_json(&p, NULL, NULL);
	assert_int_equal(
	    json_integer_value(json_object_get(doc, "status")), 409);
	assert_null(json_object_get(doc, "remedy"));
	assert_null(json_object_get(doc, "instance"));
	json_decref(doc);
	problem_clear(&p);
}

static void
the_first_pointer_makes_it_invalid(void **state)
{
	struct problem p;

	(void)state;
	problem_init(&p);
	assert_int_equal(problem_add(&p, "/a", "is %s", "bad"), -EINVAL);
	assert_int_equal(p.status, 422);
	assert_string_equal(p.code, "invalid");
	assert_string_equal(p.detail, "/a: is bad");
	problem_add(&p, "/b", "too");
	assert_string_equal(p.detail, "2 errors, the first: /a: is bad");
	assert_int_equal(p.n_errors, 2);
	problem_clear(&p);
}

static void
a_pointer_keeps_the_status_that_was_set(void **state)
{
	struct problem p;

	(void)state;
	problem_init(&p);
	problem_set(&p, 409, "exists", "take another", "the name is taken");
	problem_add(&p, "/name", "is taken");
	problem_add(&p, "/spec", "for example");
	assert_int_equal(p.status, 409);
	assert_string_equal(p.code, "exists");
	assert_string_equal(p.detail, "the name is taken");
	assert_int_equal(p.n_errors, 2);
	problem_clear(&p);
}

static void
errors_beyond_the_list_are_counted(void **state)
{
	struct problem p;
	json_t *doc;

	(void)state;
	problem_init(&p);
	for (int i = 0; i < PROBLEM_MAX_ERRORS + 5; i++)
		problem_add(&p, "/x", "number %d", i);
	assert_int_equal(p.n_errors, PROBLEM_MAX_ERRORS);
	assert_string_equal(p.detail, "37 errors, the first: /x: number 0");
	doc = problem_json(&p, "/", "id");
	assert_int_equal(json_array_size(json_object_get(doc, "errors")),
	    PROBLEM_MAX_ERRORS);
	assert_int_equal(
	    json_integer_value(json_object_get(doc, "more_errors")), 5);
	json_decref(doc);
	problem_clear(&p);
}

/* 255 bytes end in the middle of a two-byte letter. */
static void
text_cut_inside_a_letter_stays_json(void **state)
{
	char longer[600];
	struct problem p;
	json_t *doc;
	char *dump;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(longer); i += 2)
		memcpy(longer + i, "\xc3\xa4", 3);
	problem_init(&p);
	problem_add(&p, longer, "%s", longer);
	doc = problem_json(&p, longer, longer);
	assert_non_null(doc);
	dump = json_dumps(doc, 0);
	assert_non_null(dump);
	assert_int_equal(json_array_size(json_object_get(doc, "errors")), 1);
	free(dump);
	json_decref(doc);
	problem_clear(&p);
}

static void
expect_depth(const char *text, unsigned depth)
{
	assert_int_equal(json_read_depth(text, strlen(text)), depth);
}

static void
depth_is_measured_outside_of_strings(void **state)
{
	(void)state;
	expect_depth("1", 0);
	expect_depth("{}", 1);
	expect_depth("[[],[[]]]", 3);
	expect_depth("\"[[[[\"", 0);
	expect_depth("[\"\\\"[[\"]", 1);
	expect_depth("]]]][", 1);
	expect_depth("\"\\", 0);
}

static void
expect_not_json(const char *text, size_t n)
{
	struct problem p;

	problem_init(&p);
	assert_null(json_read(text, n, &p));
	assert_int_equal(p.status, 400);
	assert_string_equal(p.code, "not-json");
	problem_clear(&p);
}

static void
what_is_not_json_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "{\"a\":1,}", "{a:1}",
		"{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":1e999}",
		"{\"a\":99999999999999999999}", "\"\\u0000\"", "\"\xff\"",
		"\xef\xbb\xbf{}", "NaN", "'a'" };
	char deep[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_not_json(bad[i], strlen(bad[i]));
	expect_not_json("{}\0{}", 5);
	memset(deep, '[', 33);
	memset(deep + 33, ']', 33);
	expect_not_json(deep, 66);
}

static void
what_is_json_is_read(void **state)
{
	char deep[64];
	struct problem p;
	json_t *v;

	(void)state;
	problem_init(&p);
	memset(deep, '[', 32);
	memset(deep + 32, ']', 32);
	v = json_read(deep, 64, &p);
	assert_true(json_is_array(v));
	json_decref(v);
	v = json_read(" 7 ", 3, &p);
	assert_int_equal(json_integer_value(v), 7);
	json_decref(v);
	assert_int_equal(p.status, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_problem_is_told_whole),
		cmocka_unit_test(extra_members_replace_nothing),
		cmocka_unit_test(the_first_pointer_makes_it_invalid),
		cmocka_unit_test(a_pointer_keeps_the_status_that_was_set),
		cmocka_unit_test(errors_beyond_the_list_are_counted),
		cmocka_unit_test(text_cut_inside_a_letter_stays_json),
		cmocka_unit_test(depth_is_measured_outside_of_strings),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(what_is_json_is_read),
	};

	return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
