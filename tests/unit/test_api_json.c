/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_json: what is written is what jansson writes, byte by byte. */
#include "api/json_write.h"

#include "lib/base.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Takes v. */
static void
expect_same(json_t *v)
{
	scoped_free char *want = json_dumps(
	    v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	size_t n = 0;
	scoped_free char *got = json_write(v, &n);

	assert_non_null(want);
	assert_non_null(got);
	assert_int_equal(n, strlen(want) + 1);
	assert_memory_equal(got, want, n - 1);
	assert_string_equal(got + n - 1, "\n");
	json_decref(v);
}

static void
values(void **state)
{
	static const json_int_t numbers[] = { 0, 1, -1, 9, 10, -10, 4294967296,
		LLONG_MAX, LLONG_MIN };
	static const double reals[] = { 0.0, 0.1, -2.5, 1e300, 1e-7, 3.0,
		123456789.123456789, 1.0 / 3 };

	(void)state;
	expect_same(json_true());
	expect_same(json_false());
	expect_same(json_null());
	expect_same(json_object());
	expect_same(json_array());
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		expect_same(json_integer(numbers[i]));
	for (size_t i = 0; i < ARRAY_SIZE(reals); i++)
		expect_same(json_real(reals[i]));
}

static void
strings(void **state)
{
	char one[2] = "";

	(void)state;
	expect_same(json_string(""));
	expect_same(json_string("a \"word\" \\ and / more\n"));
	expect_same(json_string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x80"));
	expect_same(json_stringn("zero \0 inside", 13));
	for (int c = 1; c < 128; c++) {
		one[0] = (char)c;
		expect_same(json_string(one));
		expect_same(json_pack("{s:s}", one, one));
	}
}

static void
what_is_nested_and_long(void **state)
{
	json_t *list = json_array();

	(void)state;
	for (int i = 0; i < 3000; i++)
		json_array_append_new(
		    list, json_pack("{s:s, s:[i, b, n], s:{s:{}, s:[]}}", "z",
			      "in the order in which they came", "a", i, i % 2,
			      "m", "o", "l"));
	expect_same(list);
}

/* Takes v, and returns it in so many lists. */
static json_t *
wrapped(json_t *v, unsigned lists)
{
	while (lists-- > 0)
		v = json_pack("[o]", v);
	return v;
}

static void
what_is_too_deep_is_nothing(void **state)
{
	json_t *deep = wrapped(json_true(), JSON_WRITE_DEPTH + 1);
	size_t n;

	(void)state;
	expect_same(wrapped(json_true(), JSON_WRITE_DEPTH));
	assert_null(json_write(deep, &n));
	assert_null(json_write(NULL, &n));
	json_decref(deep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(strings),
		cmocka_unit_test(what_is_nested_and_long),
		cmocka_unit_test(what_is_too_deep_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
