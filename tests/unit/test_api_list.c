/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_list: pages, labels and fields of lists. */
#include "api/list.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Items out of order, with a label each, and what is nested. */
static json_t *
some(void)
{
	return json_pack("[{s:s,s:{s:s,s:s},s:{s:s,s:i}},{s:s,s:{s:s},s:{s:s}},"
			 "{s:s,s:{}},{s:s,s:{s:s}}]",
	    "name", "c", "labels", "team", "red", "site", "x=y", "status",
	    "state", "running", "pid", 7, "name", "a", "labels", "team", "red",
	    "status", "state", "failed", "name", "d", "labels", "name", "b",
	    "labels", "team", "blue");
}

static json_t *
page_of(json_t *items, json_t *query, bool is_sorted)
{
	struct problem p;
	json_t *page;

	problem_init(&p);
	page = list_page(items, query, "name", is_sorted, &p);
	if (!page)
		assert_int_equal(p.status, 400);
	json_decref(query);
	return page;
}

/* The names of a page and its next, as in "a b > b". */
static void
expect(json_t *page, const char *want)
{
	const char *next = json_string_value(json_object_get(page, "next"));
	char got[128] = "";
	json_t *v;
	size_t i, n = 0;

	assert_non_null(page);
	json_array_foreach(json_object_get(page, "items"), i, v) n +=
	    (size_t)snprintf(got + n, sizeof(got) - n, "%s ",
		json_string_value(json_object_get(v, "name")));
	snprintf(got + n, sizeof(got) - n, "> %s", next ? next : "");
	assert_string_equal(got, want);
	json_decref(page);
}

static void
a_list_is_whole_and_sorted_by_itself(void **state)
{
	(void)state;
	expect(page_of(some(), NULL, true), "a b c d > ");
	expect(page_of(some(), NULL, false), "c a d b > ");
	expect(page_of(json_array(), NULL, true), "> ");
}

static void
pages_follow_each_other(void **state)
{
	(void)state;
	expect(page_of(some(), json_pack("{s:s}", "limit", "3"), true),
	    "a b c > c");
	expect(page_of(some(),
		   json_pack("{s:s,s:s}", "limit", "3", "cursor", "c"), true),
	    "d > ");
	/* exactly full: nothing is behind it */
	expect(page_of(some(), json_pack("{s:s}", "limit", "4"), true),
	    "a b c d > ");
	/* what the cursor names may have gone */
	expect(page_of(some(), json_pack("{s:s}", "cursor", "bb"), true),
	    "c d > ");
	expect(page_of(some(), json_pack("{s:s}", "cursor", "z"), true), "> ");
	expect(page_of(some(),
		   json_pack("{s:s,s:s}", "limit", "2", "cursor", "c"), false),
	    "a d > d");
	assert_null(page_of(some(), json_pack("{s:s}", "cursor", "bb"), false));
}

static void
numbers_are_keys_too(void **state)
{
	struct problem p;
	json_t *query = json_pack("{s:s,s:s}", "limit", "1", "cursor", "12");
	json_t *page = list_page(
	    json_pack("[{s:i},{s:i},{s:i}]", "n", 12, "n", 11, "n", 10), query,
	    "n", false, &p);

	(void)state;
	assert_non_null(page);
	assert_string_equal(
	    json_string_value(json_object_get(page, "next")), "11");
	json_decref(page);
	json_decref(query);
}

static void
labels_have_to_be_there_all(void **state)
{
	(void)state;
	expect(page_of(some(), json_pack("{s:[s]}", "label", "team=red"), true),
	    "a c > ");
	expect(
	    page_of(some(),
		json_pack("{s:[s,s]}", "label", "team=red", "site=x=y"), true),
	    "c > ");
	expect(page_of(some(), json_pack("{s:[s]}", "label", "team="), true),
	    "> ");
	/* the limit counts what is left, and next leads on to the others */
	expect(page_of(some(),
		   json_pack("{s:[s],s:s}", "label", "team=red", "limit", "1"),
		   true),
	    "a > a");
	expect(page_of(some(),
		   json_pack("{s:[s],s:s,s:s}", "label", "team=red", "limit",
		       "1", "cursor", "a"),
		   true),
	    "c > ");
}

static void
fields_leave_the_others_out(void **state)
{
	json_t *page = page_of(some(),
	    json_pack("{s:s}", "fields", "name,status.state,none,labels.no.x"),
	    true);
	json_t *items = json_object_get(page, "items");
	json_t *want = json_pack("[{s:s,s:{s:s}},{s:s},{s:s,s:{s:s}},{s:s}]",
	    "name", "a", "status", "state", "failed", "name", "b", "name", "c",
	    "status", "state", "running", "name", "d");
	json_t *labels;

	(void)state;
	for (size_t i = 0; i < json_array_size(items); i++) {
		/* a path that ends nowhere leaves its beginning empty */
		labels = json_object_get(json_array_get(items, i), "labels");
		assert_int_equal(json_object_size(labels), 0);
		json_object_del(json_array_get(items, i), "labels");
	}
	assert_true(json_equal(items, want));
	json_decref(want);
	json_decref(page);
}

static void
a_member_and_its_parts_do_not_disturb_each_other(void **state)
{
	static const char *const both[] = { "status,status.pid",
		"status.pid,status" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		json_t *page = page_of(
		    some(), json_pack("{s:s}", "fields", both[i]), true);
		json_t *item =
		    json_array_get(json_object_get(page, "items"), 2);

		assert_int_equal(
		    json_object_size(json_object_get(item, "status")), 2);
		json_decref(page);
	}
}

struct made {
	unsigned n;
	bool fails;
};

static json_t *
make(void *arg, const void *object)
{
	struct made *m = arg;

	m->n++;
	return m->fails ? NULL : json_pack("{s:s}", "name", object);
}

/* The page as it is read, or NULL. */
static json_t *
written(struct list_item *items, size_t n, const json_t *query, struct made *m,
    struct problem *p)
{
	const struct list_maker maker = { make, m };
	struct json_text text = { .bytes = NULL };
	json_t *page = NULL;

	if (list_write_page(items, n, query, &maker, &text, p) == 0) {
		page = json_loadb(text.bytes, text.n, 0, NULL);
		assert_non_null(page);
		assert_int_equal(text.bytes[text.n - 1], '\n');
	}
	free(text.bytes);
	return page;
}

static json_t *
page_made(struct made *m, json_t *query, struct problem *p)
{
	json_t *red = json_pack("{s:s}", "team", "red");
	struct list_item items[] = { { "c", red, "c" }, { "a", red, "a" },
		{ "d", NULL, "d" }, { "b", NULL, "b" } };
	json_t *page;

	problem_init(p);
	page = written(items, ARRAY_SIZE(items), query, m, p);
	json_decref(query);
	json_decref(red);
	return page;
}

static void
only_what_is_on_the_page_is_made(void **state)
{
	struct made m = { 0 };
	struct problem p;

	(void)state;
	expect(page_made(&m, NULL, &p), "a b c d > ");
	assert_int_equal(m.n, 4);
	m.n = 0;
	expect(page_made(&m, json_pack("{s:s}", "limit", "1"), &p), "a > a");
	assert_int_equal(m.n, 1);
	m.n = 0;
	expect(page_made(&m, json_pack("{s:[s]}", "label", "team=red"), &p),
	    "a c > ");
	assert_int_equal(m.n, 2);
	m.n = 0;
	expect(page_made(&m, json_pack("{s:s}", "cursor", "c"), &p), "d > ");
	assert_int_equal(m.n, 1);
	expect(written(NULL, 0, NULL, &m, &p), "> ");
}

static void
what_cannot_be_made_is_no_page(void **state)
{
	struct made m = { .fails = true };
	struct problem p;

	(void)state;
	assert_null(page_made(&m, NULL, &p));
	assert_int_equal(m.n, 1);
	assert_int_equal(p.status, 503);
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[][2] = { { "limit", "" }, { "limit", "0" },
		{ "limit", "1001" }, { "limit", "-1" }, { "limit", "1x" },
		{ "limit", "10000" }, { "fields", "" }, { "fields", "," },
		{ "fields", "a,,b" }, { "fields", "a," }, { "fields", ".a" },
		{ "fields", "a." }, { "fields", "a b" }, { "label", "" },
		{ "label", "k" }, { "label", "=v" } };
	static const char *const good[][2] = { { "limit", "1" },
		{ "limit", "1000" }, { "fields", "a" }, { "fields", "a.b,c" },
		{ "label", "k=" }, { "label", "k=v=w" },
		{ "cursor", "anything" } };
	struct problem p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		problem_init(&p);
		if (list_check_parameter(bad[i][0], bad[i][1], &p) == 0)
			fail_msg("%s=%s", bad[i][0], bad[i][1]);
		assert_int_equal(p.status, 400);
		assert_string_equal(p.code, "bad-query");
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(
		    list_check_parameter(good[i][0], good[i][1], &p), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_whole_and_sorted_by_itself),
		cmocka_unit_test(pages_follow_each_other),
		cmocka_unit_test(numbers_are_keys_too),
		cmocka_unit_test(labels_have_to_be_there_all),
		cmocka_unit_test(fields_leave_the_others_out),
		cmocka_unit_test(
		    a_member_and_its_parts_do_not_disturb_each_other),
		cmocka_unit_test(only_what_is_on_the_page_is_made),
		cmocka_unit_test(what_cannot_be_made_is_no_page),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
