/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_care: restart_policy, protected and lease of a router's spec. */
#include "model_rig.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
defaults_are_filled_in(void **state)
{
	struct model_router r = rig_read_router("{\"name\": \"r1\"}");
	json_t *spec = model_router_spec(&r);

	(void)state;
	assert_int_equal(r.restart.mode, MODEL_RESTART_ALWAYS);
	assert_false(r.is_protected);
	assert_false(r.lease.is_there);
	assert_true(json_is_null(json_object_get(spec, "lease")));
	json_decref(spec);
	model_router_clear(&r);
}

static void
what_is_read_is_written(void **state)
{
	static const char text[] =
	    "{\"lease\": {\"expires_at\": \"2031-02-28T23:59:59Z\","
	    " \"on_expiry\": \"stop\"}, \"protected\": true,"
	    " \"restart_policy\": {\"mode\": \"on-failure\","
	    " \"max_per_hour\": 5}}";
	json_t *want = rig_parse(text), *spec, *v;
	struct model_router r;
	char body[512];
	const char *key;

	(void)state;
	snprintf(body, sizeof(body), "{\"name\": \"r1\", \"spec\": %s}", text);
	r = rig_read_router(body);
	spec = model_router_spec(&r);
	json_object_foreach(want, key, v)
		assert_true(json_equal(json_object_get(spec, key), v));
	json_decref(spec);
	json_decref(want);
	model_router_clear(&r);
}

static void
errors_are_told_where_they_are(void **state)
{
	static const struct {
		const char *spec, *at, *part;
	} cases[] = {
		{ "\"protected\": 1", "/spec/protected", "true or false" },
		{ "\"restart_policy\": []", "/spec/restart_policy", "object" },
		{ "\"restart_policy\": {\"mode\": \"sometimes\"}",
		    "/spec/restart_policy/mode", "on-failure" },
		{ "\"restart_policy\": {\"max_per_hour\": 61}",
		    "/spec/restart_policy/max_per_hour", "60" },
		{ "\"restart_policy\": {\"max\": 1}",
		    "/spec/restart_policy/max", "unknown" },
		{ "\"lease\": 60", "/spec/lease", "object" },
		{ "\"lease\": {}", "/spec/lease/seconds", "missing" },
		{ "\"lease\": {\"seconds\": 0}", "/spec/lease/seconds",
		    "1 to" },
		{ "\"lease\": {\"seconds\": 1, \"expires_at\": "
		  "\"2031-01-01T00:00:00Z\"}",
		    "/spec/lease/expires_at", "one way" },
		{ "\"lease\": {\"seconds\": 1, \"on_expiry\": \"pause\"}",
		    "/spec/lease/on_expiry", "delete or stop" },
		{ "\"lease\": {\"seconds\": 1}, \"protected\": true",
		    "/spec/lease/on_expiry", "protected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];

		snprintf(text, sizeof(text),
		    "{\"name\": \"r1\", \"spec\": {%s}}", cases[i].spec);
		rig_expect_error(text, cases[i].at, cases[i].part);
	}
}

static void
times_are_strict(void **state)
{
	static const char *const bad[] = { "", "now", "2031-01-01",
		"2031-01-01T00:00:00", "2031-01-01T00:00:00+01:00",
		"2031-01-01T00:00:00.5Z", "2031-02-30T00:00:00Z",
		"2031-1-01T00:00:00Z", " 2031-01-01T00:00:00Z",
		"2031-01-01T00:00:00Zx", "2031-01-01T24:00:00Z" };
	int64_t t;
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(model_time_parse(bad[i], &t));
	assert_true(model_time_parse("2001-09-09T01:46:40Z", &t));
	assert_int_equal(t, 1000000000);
	model_time_text(t, text, sizeof(text));
	assert_string_equal(text, "2001-09-09T01:46:40Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(what_is_read_is_written),
		cmocka_unit_test(errors_are_told_where_they_are),
		cmocka_unit_test(times_are_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
