/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_lines: bodies that are not one JSON object: routes by lines, and
 * programs.
 */
#include "api_rig.h"

#include "api/route_lines.h"
#include "lib/base.h"
#include "lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { STREAMS = 4, FIRST_MS = 5000 };

/* --- lines alone ---------------------------------------------------------- */

/* Feeds text in pieces of step bytes; returns what route_lines_end() does. */
static int
feed(struct route_lines **l, bool change, const char *text, size_t step,
    struct problem *p)
{
	size_t n = strlen(text);

	problem_init(p);
	assert_int_equal(route_lines_new("/tmp", change, l), 0);
	for (size_t at = 0; at < n; at += step)
		route_lines_take(*l, text + at, MIN(step, n - at));
	return route_lines_end(*l, p);
}

static void
expect_file(const struct route_lines *l, const char *text)
{
	char got[1024] = "";
	ssize_t n = pread(route_lines_fd(l), got, sizeof(got) - 1, 0);

	assert_true(n >= 0);
	assert_string_equal(got, text);
	assert_int_equal(route_lines_bytes(l), strlen(text));
}

static void
lines_become_what_a_router_takes(void **state)
{
	static const char text[] =
	    "{\"prefix\": \"203.0.113.0/24\", \"via\": \"198.18.1.2\"}\n"
	    "\n  \r\n"
	    "{\"vnic\":\"eth1\",\"prefix\":\"2001:DB8::/32\"}\r\n"
	    "{\"prefix\":\"0.0.0.0/0\",\"via\":\"192.0.2.1\",\"vnic\":\"a\","
	    "\"source\":\"api\",\"active\":true}";
	static const size_t steps[] = { 1, 7, sizeof(text) };
	struct route_lines *l;
	struct problem p;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(feed(&l, false, text, steps[i], &p), 0);
		assert_int_equal(route_lines_count(l), 3);
		expect_file(l, "add 203.0.113.0/24 via 198.18.1.2\n"
			       "add 2001:db8::/32 dev eth1\n"
			       "add 0.0.0.0/0 via 192.0.2.1 dev a\n");
		route_lines_free(l);
	}
	assert_int_equal(feed(&l, false, "", 1, &p), 0);
	expect_file(l, "");
	route_lines_free(l);
}

static void
a_change_may_delete(void **state)
{
	static const char text[] =
	    "{\"op\":\"delete\",\"prefix\":\"203.0.113.0/24\"}\n"
	    "{\"op\":\"add\",\"prefix\":\"192.0.2.0/24\",\"vnic\":\"b\"}\n";
	struct route_lines *l;
	struct problem p;

	(void)state;
	assert_int_equal(feed(&l, true, text, 9, &p), 0);
	expect_file(l, "delete 203.0.113.0/24\nadd 192.0.2.0/24 dev b\n");
	route_lines_free(l);
	/* a table may not */
	assert_int_not_equal(feed(&l, false, text, 9, &p), 0);
	assert_int_equal(p.status, 422);
	assert_string_equal(p.error[0].pointer, "/0/op");
	problem_clear(&p);
	route_lines_free(l);
}

static void
a_wrong_line_is_named(void **state)
{
	static char longest[1100];
	static const struct {
		const char *text;
		int status;
		const char *pointer; /* NULL: the line in detail */
	} bad[] = {
		{ "{\"prefix\":\"1.2.3.0/24\",\"vnic\":\"a\"}\n{\"prefix\"\n",
		    400, NULL },
		{ "\n{\"prefix\":\"1.2.3.4/24\",\"vnic\":\"a\"}\n", 422,
		    "/1/prefix" },
		{ "{\"prefix\":\"1.2.3.0/24\"}\n", 422, "/0" },
		{ "{\"via\":\"1.2.3.4\"}\n", 422, "/0/prefix" },
		{ "{\"prefix\":\"1.2.3.0/24\",\"via\":\"::1\"}\n", 422,
		    "/0/via" },
		{ "{\"prefix\":\"1.2.3.0/24\",\"dev\":\"a\"}\n", 422,
		    "/0/dev" },
		{ "{\"prefix\":1,\"vnic\":\"a\"}\n", 422, "/0/prefix" },
		{ "[]\n", 422, "/0" },
		{ longest, 400, NULL },
	};
	struct route_lines *l;
	struct problem p;

	(void)state;
	memset(longest, ' ', sizeof(longest) - 1);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_not_equal(feed(&l, false, bad[i].text, 5, &p), 0);
		if (p.status != bad[i].status)
			fail_msg("%s gave %d", bad[i].text, p.status);
		if (bad[i].pointer)
			assert_string_equal(p.error[0].pointer, bad[i].pointer);
		else
			assert_non_null(strstr(p.detail, "line "));
		problem_clear(&p);
		route_lines_free(l);
	}
	assert_int_equal(
	    route_lines_new("/nowhere/at/all", false, &l), -ENOENT);
}

static void
many_wrong_lines_are_counted_up_to_a_bound(void **state)
{
	struct route_lines *l;
	struct problem p;

	(void)state;
	problem_init(&p);
	assert_int_equal(route_lines_new("/tmp", false, &l), 0);
	for (unsigned i = 0; i < 1000; i++)
		route_lines_take(l, "{}\n", 3);
	assert_int_not_equal(route_lines_end(l, &p), 0);
	assert_int_equal(p.n_errors, PROBLEM_MAX_ERRORS);
	problem_clear(&p);
	route_lines_free(l);
}

/* --- by HTTP -------------------------------------------------------------- */

#define NDJSON "Content-Type: application/x-ndjson\r\n"
#define ROUTES "/v1/routers/a/routes"
#define PIPELINE "/v1/routers/a/pipeline"

static json_int_t
seen(struct client_answer *a, const char *key)
{
	json_t *v = rig_json_of(a);
	json_int_t n = json_integer_value(json_object_get(v, key));

	json_decref(v);
	return n;
}

static void
routes_come_as_json_or_as_lines(void **state)
{
	static struct client_answer a;
	static const char one[] = "{\"prefix\":\"1.2.3.0/24\",\"vnic\":\"x\"}";

	(void)state;
	rig_ask(&a, "PUT", ROUTES, NDJSON, one);
	assert_int_equal(a.status, 200);
	assert_int_equal(seen(&a, "lines"), 1);
	/* JSON stays JSON where the operation has both */
	rig_ask(&a, "PUT", ROUTES, "Content-Type: application/json\r\n", one);
	assert_int_equal(a.status, 200);
	assert_int_equal(seen(&a, "lines"), -1);
	/* a change is lines, whatever it is called */
	rig_ask(&a, "PATCH", ROUTES, "", one);
	assert_int_equal(a.status, 200);
	assert_int_equal(seen(&a, "lines"), 1);
	rig_ask(&a, "PATCH", ROUTES, "Content-Type: text/xml\r\n", one);
	rig_expect_code(&a, 415, "media-type");
	rig_ask(&a, "PUT", "/v1/routers/a/power", NDJSON, one);
	rig_expect_code(&a, 415, "media-type");
	rig_ask(&a, "PUT", ROUTES, NDJSON, "{\"prefix\":\"1.2.3.4/8\"}");
	rig_expect_code(&a, 422, "invalid");
	rig_ask(&a, "PUT", ROUTES, NDJSON, "[1, 2");
	rig_expect_code(&a, 400, "not-json");
	/* what curl -d makes of two lines, and lines that are not said to be */
	rig_ask(&a, "PUT", ROUTES, NDJSON, "{\"a\": 1}{\"b\": 2}");
	rig_expect_code(&a, 400, "not-json");
	assert_non_null(strstr(a.body, "\"line 1: column 9: "));
	assert_non_null(strstr(a.body, "--data-binary"));
	rig_ask(&a, "PUT", ROUTES, "", "{\"a\": 1}\n{\"b\": 2}\n");
	rig_expect_code(&a, 400, "not-json");
	assert_non_null(strstr(a.body, "application/x-ndjson"));
}

static void
a_stream_may_be_long(void **state)
{
	static struct client_answer a;
	static char chunk[32 << 10];
	size_t n = 0, before = rig_handled();
	int fd = client_unix(rig.socket);

	(void)state;
	while (n < sizeof(chunk) - 64)
		n += (size_t)sprintf(chunk + n,
		    "{\"prefix\":\"10.%u.%u.0/24\",\"vnic\":\"a\"}\n",
		    (unsigned)(n & 255), (unsigned)(n >> 8 & 255));
	client_say(fd, "PUT " ROUTES " HTTP/1.1\r\nHost: e\r\n" NDJSON
		       "Transfer-Encoding: chunked\r\n\r\n");
	for (unsigned i = 0; i < 64; i++) { /* 2 MiB */
		client_say(fd, "%zx\r\n", n);
		client_send(fd, chunk, n);
		client_say(fd, "\r\n");
	}
	client_say(fd, "0\r\n\r\n");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	assert_true(seen(&a, "lines") > 40000);
	assert_int_equal(rig_handled(), before + 1);
	close(fd);
	/* announced as longer than it may be: refused before it is sent */
	fd = client_unix(rig.socket);
	client_say(fd,
	    "PUT " ROUTES " HTTP/1.1\r\nHost: e\r\n" NDJSON
	    "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n",
	    (128 << 20) + 1);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	close(fd);
}

/* A byte now and then is no stream: it ends soon after its first 5 s. */
static void
a_slow_stream_ends(void **state)
{
	int fd = client_unix(rig.socket);
	uint64_t began = loop_now_ms();

	(void)state;
	client_say(fd, "PUT " ROUTES " HTTP/1.1\r\nHost: e\r\n" NDJSON
		       "Transfer-Encoding: chunked\r\n\r\n");
	while (loop_now_ms() - began < FIRST_MS - 1000) {
		client_say(fd, "1\r\n \r\n");
		usleep(100000);
	}
	assert_true(client_is_hung_up(fd, FIRST_MS + 3000));
	close(fd);
}

static void
a_few_streams_come_at_once(void **state)
{
	static struct client_answer a;
	int fd[STREAMS];

	(void)state;
	for (unsigned i = 0; i < STREAMS; i++) {
		fd[i] = client_unix(rig.socket);
		client_say(fd[i],
		    "PUT " ROUTES " HTTP/1.1\r\nHost: e\r\n" NDJSON
		    "Content-Length: 2\r\n\r\n ");
	}
	a.status = 200;
	for (unsigned i = 0; i < 500 && a.status == 200; i++) {
		/* until the last of them has its place */
		rig_ask(&a, "PUT", ROUTES, NDJSON, " ");
	}
	rig_expect_code(&a, 503, "busy");
	/* a change is short: it does not wait for them */
	rig_ask(&a, "PATCH", ROUTES, NDJSON,
	    "{\"prefix\":\"1.2.3.0/24\",\"vnic\":\"x\"}");
	assert_int_equal(a.status, 200);
	client_say(fd[0], "\n");
	client_read(fd[0], &a, 0);
	assert_int_equal(a.status, 200);
	for (unsigned i = 0; i < STREAMS; i++)
		close(fd[i]);
	for (unsigned i = 0; i < 500; i++) { /* the places are free again */
		rig_ask(&a, "PUT", ROUTES, NDJSON, " ");
		if (a.status == 200)
			return;
		usleep(10000);
	}
	fail();
}

/* Tables whose routers take their time keep no others from arriving. */
static void
a_stream_that_has_come_leaves_its_place(void **state)
{
	static struct client_answer a;
	int fd[STREAMS], status;

	(void)state;
	for (unsigned i = 0; i < STREAMS; i++) {
		fd[i] = client_unix(rig.socket);
		client_say(fd[i],
		    "PUT /v1/routers/later/routes HTTP/1.1\r\nHost: "
		    "e\r\n" NDJSON "Content-Length: 1\r\n\r\n\n");
		rig_wait_for_kept(i + 1);
	}
	rig_ask(&a, "PUT", ROUTES, NDJSON, "\n");
	status = a.status; /* who waits is answered in any case */
	for (unsigned i = 0; i < STREAMS; i++) {
		api_reply(rig.kept[i], 200, json_object(), NULL, NULL);
		client_read(fd[i], &a, 0);
		close(fd[i]);
	}
	rig.n_kept = 0;
	assert_int_equal(status, 200);
}

static void
a_long_change_is_refused(void **state)
{
	static struct client_answer a;
	int fd = client_unix(rig.socket);

	(void)state;
	client_say(fd,
	    "PATCH " ROUTES " HTTP/1.1\r\nHost: e\r\n" NDJSON
	    "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n",
	    (256 << 10) + 1);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 413, "too-large");
	close(fd);
}

static void
a_program_is_text_of_256_kib(void **state)
{
	static struct client_answer a;
	static char text[(256 << 10) + 1];
	int fd;

	(void)state;
	rig_ask(
	    &a, "PUT", PIPELINE, "Content-Type: text/x-lua\r\n", "return 1");
	assert_int_equal(a.status, 200);
	assert_int_equal(seen(&a, "text"), 8);
	rig_ask(&a, "PUT", PIPELINE, "", "return 12");
	assert_int_equal(seen(&a, "text"), 9);
	rig_ask(&a, "PUT", PIPELINE, "", "--[[mine]] return 12");
	assert_int_equal(a.status, 200);
	rig_ask(&a, "PUT", PIPELINE, "", "-- mine return 12");
	rig_expect_code(&a, 422, "invalid");
	assert_non_null(strstr(a.body, "--data-binary"));
	rig_ask(&a, "PUT", PIPELINE, "", NULL);
	rig_expect_code(&a, 400, "no-body");
	rig_ask(&a, "PUT", PIPELINE, "Content-Type: application/json\r\n", "1");
	rig_expect_code(&a, 415, "media-type");
	rig_ask(&a, "PUT", PIPELINE, "", "-- \xff");
	rig_expect_code(&a, 422, "invalid");
	fd = client_unix(rig.socket);
	client_say(fd, "PUT " PIPELINE " HTTP/1.1\r\nHost: e\r\n"
		       "Content-Length: 3\r\n\r\n");
	client_send(fd, "a\0b", 3);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 422, "invalid");
	close(fd);

	memset(text, '-', sizeof(text));
	text[2] = '\n';
	for (unsigned more = 0; more < 2; more++) {
		fd = client_unix(rig.socket);
		client_say(fd,
		    "PUT " PIPELINE " HTTP/1.1\r\nHost: e\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    sizeof(text) - 1 + more);
		client_send(fd, text, sizeof(text) - 1 + more);
		client_read(fd, &a, 0);
		assert_int_equal(a.status, more ? 413 : 200);
		close(fd);
	}
}

static void
numbers_and_pages_are_in_the_path_and_query(void **state)
{
	static struct client_answer a;

	(void)state;
	rig_ask(&a, "GET", PIPELINE "/revisions/17", "", NULL);
	assert_int_equal(a.status, 200);
	assert_int_equal(seen(&a, "number"), 17);
	rig_ask(&a, "GET", PIPELINE "/revisions/017", "", NULL);
	rig_expect_code(&a, 404, "not-found");
	rig_ask(&a, "GET", PIPELINE "/revisions/4294967296", "", NULL);
	rig_expect_code(&a, 404, "not-found");
	rig_ask(&a, "GET", PIPELINE "/revisions/-1", "", NULL);
	rig_expect_code(&a, 404, "not-found");
	rig_ask(&a, "GET", ROUTES "?source=api&cursor=x", "", NULL);
	assert_int_equal(a.status, 200);
	rig_ask(&a, "GET", PIPELINE "?source=api", "", NULL);
	rig_expect_code(&a, 400, "bad-query");
	/* a body that need not be there */
	rig_ask(&a, "POST", PIPELINE "/rollback", "", NULL);
	assert_int_equal(a.status, 200);
	rig_ask(&a, "POST", PIPELINE "/rollback", "", "{\"revision\":0}");
	assert_int_equal(a.status, 200);
	rig_ask(&a, "POST", PIPELINE "/rollback", "", "{");
	rig_expect_code(&a, 400, "not-json");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_what_a_router_takes),
		cmocka_unit_test(a_change_may_delete),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(many_wrong_lines_are_counted_up_to_a_bound),
		cmocka_unit_test(routes_come_as_json_or_as_lines),
		cmocka_unit_test(a_stream_may_be_long),
		cmocka_unit_test(a_slow_stream_ends),
		cmocka_unit_test(a_few_streams_come_at_once),
		cmocka_unit_test(a_stream_that_has_come_leaves_its_place),
		cmocka_unit_test(a_long_change_is_refused),
		cmocka_unit_test(a_program_is_text_of_256_kib),
		cmocka_unit_test(numbers_and_pages_are_in_the_path_and_query),
	};

	return cmocka_run_group_tests_name(
	    "lines", tests, rig_setup, rig_teardown);
}
