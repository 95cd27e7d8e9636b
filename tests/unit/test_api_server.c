/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_server: requests and answers as they should be, and what is refused.
 */
#include "api_rig.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

static void
a_request_is_answered(void **state)
{
	static struct client_answer a;
	struct stat st;
	json_t *v;

	(void)state;
	assert_int_equal(stat(rig.socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	rig_ask(&a, "PUT", "/v1/routers/r%31?dry_run=true&project=default",
	    "If-Match: \"42\"\r\nPrefer: wait=5, respond-async\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n",
	    "{\"spec\": {}}");
	assert_int_equal(a.status, 200);
	v = rig_json_of(&a);
	assert_true(json_is_true(json_object_get(v, "dry_run")));
	assert_true(json_is_true(json_object_get(v, "async")));
	assert_string_equal(
	    json_string_value(json_object_get(v, "name")), "r1");
	assert_string_equal(
	    json_string_value(json_object_get(v, "if_match")), "42");
	assert_string_equal(
	    json_string_value(json_object_get(v, "project")), "default");
	assert_true(json_is_object(
	    json_object_get(json_object_get(v, "body"), "spec")));
	assert_string_equal(client_header(&a, "ETag"), "\"7\"");
	assert_string_equal(
	    client_header(&a, "Content-Type"), "application/json");
	assert_string_equal(client_header(&a, "X-Request-Id"),
	    json_string_value(json_object_get(v, "id")));
	json_decref(v);
}

static void
answers_have_their_headers(void **state)
{
	static struct client_answer a;

	(void)state;
	rig_ask(&a, "POST", "/v1/routers", "", "{}");
	assert_int_equal(a.status, 201);
	assert_string_equal(client_header(&a, "Location"), "/v1/routers/x");
	rig_ask(&a, "DELETE", "/v1/routers/r1", "If-Match: *\r\n", NULL);
	assert_int_equal(a.status, 204);
	assert_int_equal(a.n_body, 0);
	rig_ask(&a, "HEAD", "/v1/routers/r1", "", NULL);
	assert_int_equal(a.status, 200);
	assert_true(atoi(client_header(&a, "Content-Length")) > 0);
	rig_ask(&a, "GET", "/v1/routers/gone", "", NULL);
	rig_expect_code(&a, 503, "away");
	assert_string_equal(client_header(&a, "Retry-After"), "1");
	assert_string_equal(client_header(&a, "Location"), "/v1/routers/gone");
	rig_ask(&a, "DELETE", "/v1/routers", "", NULL);
	rig_expect_code(&a, 405, "bad-method");
	assert_string_equal(client_header(&a, "Allow"), "GET, HEAD, POST");
	assert_non_null(strstr(a.body, "has no DELETE, only GET, HEAD, POST"));
}

static void
what_curl_sends_is_json(void **state)
{
	static struct client_answer a;
	static const char *const types[] = { "",
		"Content-Type: application/x-www-form-urlencoded\r\n",
		"Content-Type: application/merge-patch+json\r\n",
		"Content-Type: Application/JSON\r\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		rig_ask(
		    &a, "POST", "/v1/routers", types[i], "{\"a\": \"b&c=d\"}");
		assert_int_equal(a.status, 201);
		assert_non_null(strstr(a.body, "b&c=d"));
	}
}

/* None of these may reach the handler. */
static void
bad_requests_stop_at_the_door(void **state)
{
	static const struct {
		const char *method, *target, *headers, *body;
		int status;
		const char *code;
	} bad[] = {
		{ "GET", "/v1/nothing", "", NULL, 404, "not-found" },
		{ "GET", "/v1/routers/..", "", NULL, 404, "not-found" },
		{ "GET", "/v1/routers/%2e%2e%2f", "", NULL, 404, "not-found" },
		{ "GET", "/v1/routers/R1", "", NULL, 404, "not-found" },
		{ "GET", "/v1/routers/a%00b", "", NULL, 404, "not-found" },
		{ "GET", "/v1?x=1", "", NULL, 400, "bad-query" },
		{ "GET", "/v1?dry_run=true", "", NULL, 400, "bad-query" },
		{ "GET", "/v1?project=other", "", NULL, 404, "not-found" },
		{ "GET", "/v1?project=%zz", "", NULL, 400, "bad-query" },
		{ "GET", "/v1?project=default&project=default", "", NULL, 400,
		    "bad-query" },
		{ "GET", "/healthz?project=default", "", NULL, 400,
		    "bad-query" },
		{ "DELETE", "/v1/routers/a?dry_run=yes", "", NULL, 400,
		    "bad-query" },
		{ "DELETE", "/v1/routers/a?dry_run", "", NULL, 400,
		    "bad-query" },
		{ "DELETE", "/v1/routers/a", "If-Match: \"1\", \"2\"\r\n", NULL,
		    400, "bad-header" },
		{ "POST", "/v1/routers", "", NULL, 400, "no-body" },
		{ "POST", "/v1/routers", "", "", 400, "no-body" },
		{ "POST", "/v1/routers", "", "name=r1", 400, "not-json" },
		{ "POST", "/v1/routers", "", "{\"a\":1,\"a\":1}", 400,
		    "not-json" },
		{ "POST", "/v1/routers", "Content-Type: text/plain\r\n", "{}",
		    415, "media-type" },
		{ "POST", "/v1/routers", "Content-Type: application/jsonx\r\n",
		    "{}", 415, "media-type" },
		{ "POST", "/v1/routers", "Content-Encoding: gzip\r\n", "{}",
		    415, "media-type" },
		{ "POST", "/", "", "{}", 404, "not-found" },
	};
	static struct client_answer a;
	unsigned before = rig_handled();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		rig_ask(&a, bad[i].method, bad[i].target, bad[i].headers,
		    bad[i].body);
		rig_expect_code(&a, bad[i].status, bad[i].code);
	}
	assert_int_equal(rig_handled(), before);
}

static void
requests_follow_each_other(void **state)
{
	static struct client_answer a;
	int fd = client_unix(rig.socket);

	(void)state;
	client_say(fd, "GET /v1/routers/a HTTP/1.1\r\nHost: e\r\n\r\n"
		       "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Content-Length: 2\r\n\r\n{}"
		       "GET /v1/nothing HTTP/1.1\r\nHost: e\r\n\r\n"
		       "GET /v1/routers/b HTTP/1.1\r\nHost: e\r\n\r\n");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "\"a\""));
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 201);
	client_read(fd, &a, 0);
	rig_expect_code(&a, 404, "not-found");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "\"b\""));
	close(fd);
}

static void
answers_come_in_any_order(void **state)
{
	static struct client_answer a;
	int first = client_unix(rig.socket), second = client_unix(rig.socket);

	(void)state;
	rig.n_kept = 0;
	client_say(first, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	rig_wait_for_kept(1);
	client_say(second, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	rig_wait_for_kept(2);
	rig_ask(
	    &a, "GET", "/v1/routers/now", "", NULL); /* nobody waits for them */
	assert_int_equal(a.status, 200);
	api_reply(rig.kept[1], 200, json_pack("{s:i}", "n", 2), NULL, NULL);
	client_read(second, &a, 0);
	assert_string_equal(a.body, "{\"n\":2}\n");
	api_reply(rig.kept[0], 200, json_pack("{s:i}", "n", 1), NULL, NULL);
	client_read(first, &a, 0);
	assert_string_equal(a.body, "{\"n\":1}\n");
	close(first);
	close(second);
}

static void
the_page_is_served_and_nothing_beside_it(void **state)
{
	static const char *const others[] = { "/secret.txt", "/outside.html",
		"/../outside.html", "/%2e%2e/outside.html", "/.index.html",
		"/index.html/", "//index.html", "/web/index.html" };
	static struct client_answer a;

	(void)state;
	rig_ask(&a, "GET", "/", "", NULL);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "<p>hello");
	assert_string_equal(
	    client_header(&a, "Content-Type"), "text/html; charset=utf-8");
	assert_non_null(
	    strstr(client_header(&a, "Content-Security-Policy"), "'none'"));
	rig_ask(&a, "GET", "/app.css", "", NULL);
	assert_string_equal(a.body, "p {}");
	rig_ask(&a, "HEAD", "/index.html", "", NULL);
	assert_int_equal(a.status, 200);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		rig_ask(&a, "GET", others[i], "", NULL);
		rig_expect_code(&a, 404, "not-found");
	}
}

static void
ask_tcp(struct client_answer *a, const char *host, const char *origin)
{
	scoped_close int fd = client_tcp(rig.tcp_port);

	client_say(fd, "GET /v1/routers/a HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
	    host, *origin ? "Origin: " : "", origin, *origin ? "\r\n" : "");
	client_read(fd, a, 0);
}

static void
tcp_is_for_this_machine_and_page(void **state)
{
	static struct client_answer a;
	char ours[64], origin[96];

	(void)state;
	snprintf(ours, sizeof(ours), "127.0.0.1:%u", rig.tcp_port);
	snprintf(origin, sizeof(origin), "http://localhost:%u", rig.tcp_port);
	ask_tcp(&a, ours, "");
	assert_int_equal(a.status, 200);
	ask_tcp(&a, "localhost", origin);
	assert_int_equal(a.status, 200);
	ask_tcp(&a, "evil.example", "");
	rig_expect_code(&a, 403, "bad-host");
	ask_tcp(&a, "localhost.evil.example", "");
	rig_expect_code(&a, 403, "bad-host");
	ask_tcp(&a, "127.0.0.1:1", "");
	rig_expect_code(&a, 403, "bad-host");
	ask_tcp(&a, ours, "http://evil.example");
	rig_expect_code(&a, 403, "bad-origin");
	ask_tcp(&a, ours, "null");
	rig_expect_code(&a, 403, "bad-origin");
}

static void
a_second_server_does_not_take_the_socket(void **state)
{
	struct api_config c = {
		.socket_path = rig.socket,
		.socket_group = "",
		.web_dir = "",
		.handler = rig_handle,
		.arg = &rig,
	};
	static struct client_answer a;
	struct api_server *other = NULL;
	struct err e;

	(void)state;
	assert_int_equal(api_server_start(&c, &other, &e), -EADDRINUSE);
	assert_null(other);
	rig_ask(&a, "GET", "/v1", "", NULL);
	assert_int_equal(a.status, 200);
}

/* Somebody else's: it is there afterwards, and what comes meanwhile waits. */
static void
a_socket_that_is_handed_over_outlives_the_server(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct api_config c = {
		.socket_path = a.sun_path,
		.handler = rig_handle,
		.arg = &rig,
	};
	struct api_server *server = NULL;
	struct err e;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/given", rig.dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	c.inherited_fd = dup(fd);
	assert_int_equal(api_server_start(&c, &server, &e), -ENOTSOCK);
	assert_int_equal(listen(fd, 8), 0);
	for (int i = 0; i < 2; i++) {
		static struct client_answer answer;
		int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(
		    connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
		c.inherited_fd = dup(fd);
		assert_int_equal(api_server_start(&c, &server, &e), 0);
		client_say(client, "GET /v1 HTTP/1.1\r\nHost: e\r\n\r\n");
		client_read(client, &answer, 0);
		assert_int_equal(answer.status, 200);
		close(client);
		api_server_stop(server);
		assert_int_equal(access(a.sun_path, F_OK), 0);
	}
	close(fd);
	unlink(a.sun_path);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(answers_have_their_headers),
		cmocka_unit_test(what_curl_sends_is_json),
		cmocka_unit_test(bad_requests_stop_at_the_door),
		cmocka_unit_test(requests_follow_each_other),
		cmocka_unit_test(answers_come_in_any_order),
		cmocka_unit_test(the_page_is_served_and_nothing_beside_it),
		cmocka_unit_test(tcp_is_for_this_machine_and_page),
		cmocka_unit_test(a_second_server_does_not_take_the_socket),
		cmocka_unit_test(
		    a_socket_that_is_handed_over_outlives_the_server),
	};

	return cmocka_run_group_tests_name(
	    "server", tests, rig_setup, rig_teardown);
}
