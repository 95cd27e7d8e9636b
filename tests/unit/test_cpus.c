/* SPDX-License-Identifier: Apache-2.0 */
/* test_cpus: lists of cores, and what is none. */
#include "lib/cpus.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
lists_are_sets(void **state)
{
	struct cpus c;

	(void)state;
	assert_true(cpus_parse("0", &c));
	assert_int_equal(cpus_count(&c), 1);
	assert_int_equal(c.word[0], 1);
	assert_true(cpus_parse("1-3,5", &c));
	assert_int_equal(c.word[0], 0x2e);
	assert_true(cpus_parse("2,1-3,64,1023", &c));
	assert_int_equal(cpus_count(&c), 5);
	assert_int_equal(c.word[1], 1);
	assert_true(cpus_parse("0-1023", &c));
	assert_int_equal(cpus_count(&c), 1024);
}

static void
nonsense_is_none(void **state)
{
	static const char *const nonsense[] = { "", ",", "-", "1,", ",1", "1-",
		"-1", "3-1", "1--2", "1-2-3", " 1", "1 ", "0x1", "+1", "a",
		"1024", "0-1024", "99999999999999999999", "1;2", "1\n" };
	struct cpus c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++)
		if (cpus_parse(nonsense[i], &c))
			fail_msg("\"%s\" is taken", nonsense[i]);
}

static void
sets_are_compared(void **state)
{
	struct cpus some, all;

	(void)state;
	assert_true(cpus_parse("1,3", &some) && cpus_parse("0-3,70", &all));
	assert_true(cpus_are_within(&some, &all));
	assert_true(cpus_are_within(&some, &some));
	assert_false(cpus_are_within(&all, &some));
	assert_true(cpus_are_equal("0-2,4", "4,2,0,1"));
	assert_false(cpus_are_equal("0-2,4", "0-2"));
	assert_false(cpus_are_equal("0-2", "0-2,4"));
	assert_false(cpus_are_equal("", ""));
	assert_false(cpus_are_equal("x", "x"));
}

static void
sets_are_lists(void **state)
{
	static const char *const lists[] = { "0", "0-1", "1,3", "0-2,4,6-7",
		"63-64", "1023", "0-1023" };
	char text[CPUS_TEXT], many[5 * CPUS_MAX] = "0";
	struct cpus c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		assert_true(cpus_parse(lists[i], &c));
		assert_true(cpus_format(&c, text));
		assert_string_equal(text, lists[i]);
	}
	for (unsigned i = 2; i < CPUS_MAX; i += 2)
		snprintf(many + strlen(many), 8, ",%u", i);
	assert_true(cpus_parse(many, &c));
	assert_false(cpus_format(&c, text));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_sets),
		cmocka_unit_test(nonsense_is_none),
		cmocka_unit_test(sets_are_compared),
		cmocka_unit_test(sets_are_lists),
	};

	return cmocka_run_group_tests_name("cpus", tests, NULL, NULL);
}
