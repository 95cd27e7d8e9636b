/* SPDX-License-Identifier: Apache-2.0 */
/* test_cpus: lists of cores, and what is none. */
#include "agent/cpus.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>

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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_sets),
		cmocka_unit_test(nonsense_is_none),
	};

	return cmocka_run_group_tests_name("cpus", tests, NULL, NULL);
}
