/* SPDX-License-Identifier: Apache-2.0 */
/* test_textbits: bytes in pieces as members of JSON; nothing is lost or changed. */
#include "agent/textbits.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The line of these bytes is {key: value}, or none. */
static void
says(struct textbits *t, const char *bytes, size_t n, const char *key,
    const char *value)
{
	json_t *o = textbits_line(t, "out", (const uint8_t *)bytes, n);

	if (!key) {
		assert_null(o);
		return;
	}
	assert_non_null(o);
	assert_int_equal(json_object_size(o), 1);
	assert_non_null(json_object_get(o, key));
	assert_string_equal(json_string_value(json_object_get(o, key)), value);
	json_decref(o);
}

static void
characters_are_not_cut(void **state)
{
	struct textbits t = { 0 };

	(void)state;
	says(&t, "a\xc3", 2, "out", "a");
	says(&t, "\xa4z", 2, "out", "\xc3\xa4z");
	says(&t, "\xf0\x9f", 2, NULL, NULL);
	says(&t, "\x98", 1, NULL, NULL);
	says(&t, "\x80", 1, "out", "\xf0\x9f\x98\x80");
	says(&t, NULL, 0, NULL, NULL);
}

static void
what_is_no_text_is_base64(void **state)
{
	struct textbits t = { 0 };

	(void)state;
	says(&t, "\xff\xfe", 2, "out_base64", "//4=");
	says(&t, "\0", 1, "out_base64", "AA==");
	says(&t, "abc\x80", 4, "out_base64", "YWJjgA==");
	/* overlong, and a surrogate */
	says(&t, "\xc0\x80", 2, "out_base64", "wIA=");
	says(&t, "\xed\xa0\x80", 3, "out_base64", "7aCA");
	/* a beginning that nothing follows */
	says(&t, "x\xe2\x82", 3, "out", "x");
	says(&t, NULL, 0, "out_base64", "4oI=");
	says(&t, NULL, 0, NULL, NULL);
}

static void
base64_is_that_of_the_rfc(void **state)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		textbits_base64(
		    (const uint8_t *)pairs[i][0], strlen(pairs[i][0]), out);
		assert_string_equal(out, pairs[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_not_cut),
		cmocka_unit_test(what_is_no_text_is_base64),
		cmocka_unit_test(base64_is_that_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
