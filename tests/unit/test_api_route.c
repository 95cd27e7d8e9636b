/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_route: paths to operations, and the table against openapi.yaml. */
#include "api/route.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct route_match
find(const char *method, const char *path)
{
	struct route_match m;

	route_find(method, path, &m);
	return m;
}

static void
every_row_is_found(void **state)
{
	static const char name[] = "r-1";
	bool seen[API_N_OPS] = { false };
	const char *method, *pattern;
	enum api_op op;

	(void)state;
	for (unsigned i = 0; route_row(i, &method, &pattern, &op); i++) {
		char path[128];
		size_t n = 0;

		for (const char *p = pattern; *p; p++)
			if (*p == '{') {
				n +=
				    (size_t)snprintf(path + n, sizeof(path) - n,
					"%s", p[1] == 'n' ? "17" : name);
				p = strchr(p, '}');
			} else {
				path[n++] = *p;
			}
		path[n] = '\0';
		assert_int_equal(find(method, path).status, 200);
		assert_int_equal(find(method, path).op, op);
		assert_false(seen[op]);
		seen[op] = true;
	}
	for (unsigned i = 0; i < API_N_OPS; i++)
		assert_true(seen[i]);
}

static void
names_come_out_decoded(void **state)
{
	struct route_match m = find("GET", "/v1/routers/r%31/vnics/eth%30");

	(void)state;
	assert_int_equal(m.status, 200);
	assert_int_equal(m.op, API_VNIC_GET);
	assert_string_equal(m.name, "r1");
	assert_string_equal(m.subname, "eth0");
	assert_int_equal(find("HEAD", "/v1").op, API_NODE_GET);
	assert_int_equal(find("HEAD", "/v1").status, 200);
}

static void
what_is_no_path_is_404(void **state)
{
	static const char *const bad[] = { "", "*", "/", "//", "v1", "/v1/",
		"/v2", "/v1/routers/", "/v1//routers", "/v1/routers/R1",
		"/v1/routers/-a", "/v1/routers/a-", "/v1/routers/a.b",
		"/v1/routers/..", "/v1/routers/../ports", "/v1/routers/%2e%2e",
		"/v1/routers/a%2fvnics", "/v1/routers/a%00", "/v1/routers/a%",
		"/v1/routers/a%3", "/v1/routers/a%zz", "/v1/routers/a/vnic",
		"/v1/routers/a/vnics/sixteen-letters0",
		"/v1/routers/a/vnics/b/c", "/v1/routers/1a",
		"/v1/routers/a234567890123456789012345678901234567890123456789"
		"01234567890123x",
		"/V1/routers", "/v1/routers/a\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(find("GET", bad[i]).status, 404);
	/* 63 letters are a name */
	assert_int_equal(
	    find("GET",
		"/v1/routers/a2345678901234567890123456789012345678901234567890"
		"1234567890123")
		.status,
	    200);
}

static void
other_methods_are_405_with_allow(void **state)
{
	struct route_match m = find("BREW", "/v1/routers/r1");

	(void)state;
	assert_int_equal(m.status, 405);
	assert_string_equal(m.allow, "GET, HEAD, PUT, PATCH, DELETE");
	m = find("get", "/v1/routers/r1/power");
	assert_int_equal(m.status, 405);
	assert_string_equal(m.allow, "PUT");
	assert_int_equal(find("DELETE", "/v1/routers").status, 405);
}

/* Whether the text has this method under this path. */
static bool
is_described(const char *yaml, const char *method, const char *pattern)
{
	char line[128];
	const char *at, *end, *found;

	snprintf(line, sizeof(line), "\n  %s:\n", pattern);
	at = strstr(yaml, line);
	if (!at)
		return false;
	at += strlen(line) - 1;
	end = strstr(at, "\n  /");
	snprintf(line, sizeof(line), "\n    %s:\n", method);
	for (char *c = line; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	found = strstr(at, line);
	return found && (!end || found < end);
}

static void
the_description_has_every_operation_and_no_other(void **state)
{
	const char *dir = getenv("EUROPA_SRCDIR");
	static char yaml[256 << 10];
	unsigned n_rows = 0, n_described = 0;
	const char *method, *pattern;
	char path[512];
	enum api_op op;
	FILE *f;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), "%s/api/openapi.yaml", dir ? dir : ".");
	f = fopen(path, "r");
	if (!f)
		skip();
	n = fread(yaml, 1, sizeof(yaml) - 1, f);
	fclose(f);
	yaml[n] = '\0';
	for (; route_row(n_rows, &method, &pattern, &op); n_rows++)
		if (!is_described(yaml, method, pattern))
			fail_msg("not described: %s %s", method, pattern);
	for (const char *at = yaml; (at = strstr(at, "operationId:")); at++)
		n_described++;
	assert_int_equal(n_rows, n_described);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_found),
		cmocka_unit_test(names_come_out_decoded),
		cmocka_unit_test(what_is_no_path_is_404),
		cmocka_unit_test(other_methods_are_405_with_allow),
		cmocka_unit_test(
		    the_description_has_every_operation_and_no_other),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
