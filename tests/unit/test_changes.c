/* SPDX-License-Identifier: Apache-2.0 */
/* test_changes: what has changed since a generation, and when nobody knows. */
#include "agent/changes.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
note(struct changes *c, const char *old, const char *now, uint64_t generation)
{
	changes_note(
	    c, json_loads(old, 0, NULL), json_loads(now, 0, NULL), generation);
}

/* The list as text. */
static void
expect(const struct changes *c, uint64_t since, const char *want)
{
	json_t *list = changes_since(c, since);
	scoped_free char *text =
	    json_dumps(list, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, want);
	json_decref(list);
}

static void
members_are_told_since_they_are_known(void **state)
{
	struct changes c = { 0 };

	(void)state;
	expect(&c, 1, "null");
	note(&c, "{\"labels\": {}, \"spec\": {\"a\": 1, \"b\": [2], \"x\": 0}}",
	    "{\"labels\": {}, \"spec\": {\"a\": 1, \"b\": [3], \"y\": 0}}", 5);
	expect(&c, 3, "null");
	expect(&c, 4, "[\"/spec/b\",\"/spec/y\",\"/spec/x\"]");
	expect(&c, 5, "[]");
	note(&c, "{\"labels\": {}, \"spec\": {\"b\": 1}, \"status\": 1}",
	    "{\"labels\": {\"k\": \"v\"}, \"spec\": {\"b\": 1}}", 6);
	expect(&c, 5, "[\"/labels\"]");
	note(&c, "{\"spec\": {\"b\": 1}}", "{\"spec\": {\"b\": 2}}", 7);
	expect(&c, 6, "[\"/spec/b\"]");
	expect(&c, 5, "[\"/spec/b\",\"/labels\"]");
}

static void
what_does_not_fit_is_not_known(void **state)
{
	struct changes c = { 0 };
	char now[64];

	(void)state;
	for (unsigned i = 0; i < CHANGES_MEMBERS; i++) {
		snprintf(now, sizeof(now), "{\"spec\": {\"m%u\": %u}}", i, i);
		note(&c, "{\"spec\": {}}", now, i + 2);
	}
	expect(&c, CHANGES_MEMBERS, "[\"/spec/m15\"]");
	note(&c, "{\"spec\": {}}", "{\"spec\": {\"more\": 1}}", 18);
	expect(&c, 17, "null");
	expect(&c, 18, "[]");
	note(&c, "{\"spec\": {}}", "{\"spec\": {\"b\": 1}}", 19);
	expect(&c, 18, "[\"/spec/b\"]");
	note(&c, "{\"spec\": {}}",
	    "{\"spec\": {\"a_member_with_a_very_long_name\": 1}}", 20);
	expect(&c, 19, "null");
	changes_note(&c, NULL, json_object(), 21);
	expect(&c, 20, "null");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_told_since_they_are_known),
		cmocka_unit_test(what_does_not_fit_is_not_known),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
