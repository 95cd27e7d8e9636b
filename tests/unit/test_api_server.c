/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_server: a server on a socket in a folder of its own, a handler of a
 * few lines, and clients that do what clients should not.
 *
 * Requests for the router "later" are kept, for the test to answer; all others
 * are answered at once with what the handler saw.
 */
#include "api/server.h"

#include "api_client.h"
#include "lib/base.h"
#include "lib/loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { MAX_KEPT = 8, DEADLINE_MS = 5000 };

static struct fixture {
	char dir[64];
	char socket[96];
	char web[96];
	unsigned tcp_port;
	struct api_server *server;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned n_handled;                 /* under the lock */
	unsigned n_kept;                    /* the same */
	struct api_request *kept[MAX_KEPT]; /* the same */
} fx = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static void
reply_with_what_was_seen(struct api_request *r)
{
	const json_t *body = api_body(r);
	const char *if_match = api_if_match(r);
	json_t *seen = json_pack("{s:i, s:s, s:s, s:b, s:b, s:s, s:s?, s:s?}",
	    "op", (int)api_op(r), "name", api_name(r), "subname",
	    api_subname(r), "dry_run", (int)api_dry_run(r), "async",
	    (int)api_respond_async(r), "id", api_request_id(r), "if_match",
	    if_match, "project", api_query(r, "project"));
	struct problem p;

	if (body)
		json_object_set_new(seen, "body", json_deep_copy(body));
	if (strcmp(api_name(r), "gone") == 0) {
		json_decref(seen);
		problem_init(&p);
		problem_set(&p, 503, "away", "wait", "it is away");
		api_reply_problem_at(r, &p, "/v1/routers/gone");
		return;
	}
	if (api_op(r) == API_ROUTER_DELETE) {
		json_decref(seen);
		api_reply(r, 204, NULL, NULL, NULL);
		return;
	}
	api_reply(r, api_op(r) == API_ROUTER_CREATE ? 201 : 200, seen, "7",
	    api_op(r) == API_ROUTER_CREATE ? "/v1/routers/x" : NULL);
}

static void
handle(void *arg, struct api_request *r)
{
	bool is_kept = strcmp(api_name(r), "later") == 0;

	assert_ptr_equal(arg, &fx);
	assert_int_equal(api_uid(r) == geteuid() || api_uid(r) == (uid_t)-1, 1);
	pthread_mutex_lock(&fx.lock);
	fx.n_handled++;
	if (is_kept)
		fx.kept[fx.n_kept++ % MAX_KEPT] = r;
	pthread_cond_broadcast(&fx.changed);
	pthread_mutex_unlock(&fx.lock);
	if (!is_kept)
		reply_with_what_was_seen(r);
}

/* Waits until the handler keeps n requests. */
static void
wait_for_kept(unsigned n)
{
	pthread_mutex_lock(&fx.lock);
	while (fx.n_kept < n)
		pthread_cond_wait(&fx.changed, &fx.lock);
	pthread_mutex_unlock(&fx.lock);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static unsigned
free_port(void)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	scoped_close int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(a);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	return ntohs(a.sin_port);
}

static void
start(void)
{
	struct api_config c = {
		.socket_path = fx.socket,
		.socket_group = "",
		.tcp_port = fx.tcp_port,
		.web_dir = fx.web,
		.version = "test",
		.handler = handle,
		.arg = &fx,
	};
	struct err e;

	fx.n_kept = 0;
	if (api_server_start(&c, &fx.server, &e) < 0)
		fail_msg("%s", e.msg);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(fx.dir, "/tmp/europa-api-XXXXXX");
	assert_non_null(mkdtemp(fx.dir));
	snprintf(fx.socket, sizeof(fx.socket), "%s/api.sock", fx.dir);
	snprintf(fx.web, sizeof(fx.web), "%s/web", fx.dir);
	assert_int_equal(mkdir(fx.web, 0700), 0);
	write_file(fx.web, "index.html", "<p>hello");
	write_file(fx.web, "app.css", "p {}");
	write_file(fx.web, "secret.txt", "no");
	write_file(fx.dir, "outside.html", "no");
	fx.tcp_port = free_port();
	start();
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "web/index.html", "web/app.css",
		"web/secret.txt", "web", "outside.html" };
	char path[256];

	(void)state;
	api_server_stop(fx.server);
	assert_int_not_equal(access(fx.socket, F_OK), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", fx.dir, files[i]);
		remove(path);
	}
	return rmdir(fx.dir);
}

/* One request on a connection of its own. */
static void
ask(struct client_answer *a, const char *method, const char *target,
    const char *headers, const char *body)
{
	scoped_close int fd = client_unix(fx.socket);

	client_say(fd, "%s %s HTTP/1.1\r\nHost: europa\r\n%s", method, target,
	    headers);
	if (body)
		client_say(
		    fd, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		client_say(fd, "\r\n");
	client_read(fd, a, strcmp(method, "HEAD") == 0);
}

static json_t *
json_of(const struct client_answer *a)
{
	json_t *v = json_loads(a->body, 0, NULL);

	if (!v)
		fail_msg("no JSON: %s", a->body);
	return v;
}

static void
expect_code(struct client_answer *a, int status, const char *code)
{
	json_t *v;
	const char *s;

	if (a->status != status)
		fail_msg("%d instead of %d: %s", a->status, status, a->body);
	v = json_of(a);
	s = json_string_value(json_object_get(v, "code"));
	assert_non_null(s);
	assert_string_equal(s, code);
	assert_int_equal(
	    json_integer_value(json_object_get(v, "status")), status);
	assert_string_equal(
	    client_header(a, "Content-Type"), "application/problem+json");
	assert_string_equal(client_header(a, "X-Request-Id"),
	    json_string_value(json_object_get(v, "request_id")));
	json_decref(v);
}

static unsigned
handled(void)
{
	unsigned n;

	pthread_mutex_lock(&fx.lock);
	n = fx.n_handled;
	pthread_mutex_unlock(&fx.lock);
	return n;
}

static void
a_request_is_answered(void **state)
{
	static struct client_answer a;
	struct stat st;
	json_t *v;

	(void)state;
	assert_int_equal(stat(fx.socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	ask(&a, "PUT", "/v1/routers/r%31?dry_run=true&project=default",
	    "If-Match: \"42\"\r\nPrefer: wait=5, respond-async\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n",
	    "{\"spec\": {}}");
	assert_int_equal(a.status, 200);
	v = json_of(&a);
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
	ask(&a, "POST", "/v1/routers", "", "{}");
	assert_int_equal(a.status, 201);
	assert_string_equal(client_header(&a, "Location"), "/v1/routers/x");
	ask(&a, "DELETE", "/v1/routers/r1", "If-Match: *\r\n", NULL);
	assert_int_equal(a.status, 204);
	assert_int_equal(a.n_body, 0);
	ask(&a, "HEAD", "/v1/routers/r1", "", NULL);
	assert_int_equal(a.status, 200);
	assert_true(atoi(client_header(&a, "Content-Length")) > 0);
	ask(&a, "GET", "/v1/routers/gone", "", NULL);
	expect_code(&a, 503, "away");
	assert_string_equal(client_header(&a, "Retry-After"), "1");
	assert_string_equal(client_header(&a, "Location"), "/v1/routers/gone");
	ask(&a, "DELETE", "/v1/routers", "", NULL);
	expect_code(&a, 405, "bad-method");
	assert_string_equal(client_header(&a, "Allow"), "GET, HEAD, POST");
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
		ask(&a, "POST", "/v1/routers", types[i], "{\"a\": \"b&c=d\"}");
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
	unsigned before = handled();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ask(&a, bad[i].method, bad[i].target, bad[i].headers,
		    bad[i].body);
		expect_code(&a, bad[i].status, bad[i].code);
	}
	assert_int_equal(handled(), before);
}

static void
a_body_has_64_kib(void **state)
{
	static struct client_answer a;
	static char body[(64 << 10) + 1];
	int fd;

	(void)state;
	memset(body, ' ', sizeof(body));
	body[0] = '{';
	body[(64 << 10) - 1] = '}';
	fd = client_unix(fx.socket);
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %d\r\n\r\n",
	    64 << 10);
	client_send(fd, body, 64 << 10);
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 201);
	close(fd);

	/* announced: refused before it is sent */
	fd = client_unix(fx.socket);
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %d\r\nExpect: 100-continue\r\n\r\n",
	    (64 << 10) + 1);
	client_read(fd, &a, 0);
	expect_code(&a, 413, "too-large");
	close(fd);

	/* in chunks: refused when it is over */
	fd = client_unix(fx.socket);
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n10001\r\n");
	client_send(fd, body, sizeof(body));
	client_say(fd, "\r\n0\r\n\r\n");
	client_read(fd, &a, 0);
	expect_code(&a, 413, "too-large");
	close(fd);
}

static void
an_endless_body_is_hung_up_on(void **state)
{
	static char chunk[1 << 16];
	int fd = client_unix(fx.socket);
	uint64_t began = loop_now_ms();

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 64; i++) {
		client_say(fd, "10000\r\n");
		client_send(fd, chunk, sizeof(chunk));
		client_say(fd, "\r\n");
	}
	assert_true(client_is_hung_up(fd, DEADLINE_MS));
	assert_true(loop_now_ms() - began < DEADLINE_MS - 500);
	close(fd);
}

static void
large_heads_are_431(void **state)
{
	static struct client_answer a;
	static char field[40 << 10];
	int fd = client_unix(fx.socket);

	(void)state;
	memset(field, 'x', sizeof(field));
	client_say(fd, "GET /v1 HTTP/1.1\r\nHost: e\r\nX: ");
	client_send(fd, field, sizeof(field));
	client_say(fd, "\r\n\r\n");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 431);
	close(fd);
}

static void
a_depth_bomb_is_defused(void **state)
{
	static struct client_answer a;
	static char bomb[60 << 10];
	int fd = client_unix(fx.socket);

	(void)state;
	memset(bomb, '[', sizeof(bomb));
	client_say(fd,
	    "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    sizeof(bomb));
	client_send(fd, bomb, sizeof(bomb));
	client_read(fd, &a, 0);
	expect_code(&a, 400, "not-json");
	assert_non_null(strstr(a.body, "32 levels"));
	close(fd);
}

static void
requests_follow_each_other(void **state)
{
	static struct client_answer a;
	int fd = client_unix(fx.socket);

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
	expect_code(&a, 404, "not-found");
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "\"b\""));
	close(fd);
}

static void
half_a_connection_gets_its_answer(void **state)
{
	static struct client_answer a;
	int fd = client_unix(fx.socket);

	(void)state;
	client_say(fd, "GET /v1/routers/a HTTP/1.1\r\nHost: e\r\n\r\n");
	shutdown(fd, SHUT_WR);
	client_read(fd, &a, 0);
	assert_int_equal(a.status, 200);
	close(fd);
	/* half a request, and then nothing more */
	fd = client_unix(fx.socket);
	client_say(fd, "POST /v1/routers HTTP/1.1\r\nHost: e\r\n"
		       "Content-Length: 100\r\n\r\n{");
	shutdown(fd, SHUT_WR);
	/* the end may hide behind the byte: then the deadline finds it */
	assert_true(client_is_hung_up(fd, DEADLINE_MS + 1500));
	close(fd);
}

static void
answers_come_in_any_order(void **state)
{
	static struct client_answer a;
	int first = client_unix(fx.socket), second = client_unix(fx.socket);

	(void)state;
	fx.n_kept = 0;
	client_say(first, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	wait_for_kept(1);
	client_say(second, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	wait_for_kept(2);
	ask(&a, "GET", "/v1/routers/now", "", NULL); /* nobody waits for them */
	assert_int_equal(a.status, 200);
	api_reply(fx.kept[1], 200, json_pack("{s:i}", "n", 2), NULL, NULL);
	client_read(second, &a, 0);
	assert_string_equal(a.body, "{\"n\":2}\n");
	api_reply(fx.kept[0], 200, json_pack("{s:i}", "n", 1), NULL, NULL);
	client_read(first, &a, 0);
	assert_string_equal(a.body, "{\"n\":1}\n");
	close(first);
	close(second);
}

static void
a_client_that_left_harms_nobody(void **state)
{
	static struct client_answer a;
	int fd = client_unix(fx.socket);

	(void)state;
	fx.n_kept = 0;
	client_say(fd, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	wait_for_kept(1);
	close(fd);
	api_reply(fx.kept[0], 200, json_object(), NULL, NULL);
	ask(&a, "GET", "/v1/routers/now", "", NULL);
	assert_int_equal(a.status, 200);
}

static void
the_page_is_served_and_nothing_beside_it(void **state)
{
	static const char *const others[] = { "/secret.txt", "/outside.html",
		"/../outside.html", "/%2e%2e/outside.html", "/.index.html",
		"/index.html/", "//index.html", "/web/index.html" };
	static struct client_answer a;

	(void)state;
	ask(&a, "GET", "/", "", NULL);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "<p>hello");
	assert_string_equal(
	    client_header(&a, "Content-Type"), "text/html; charset=utf-8");
	assert_non_null(
	    strstr(client_header(&a, "Content-Security-Policy"), "'none'"));
	ask(&a, "GET", "/app.css", "", NULL);
	assert_string_equal(a.body, "p {}");
	ask(&a, "HEAD", "/index.html", "", NULL);
	assert_int_equal(a.status, 200);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		ask(&a, "GET", others[i], "", NULL);
		expect_code(&a, 404, "not-found");
	}
}

static void
ask_tcp(struct client_answer *a, const char *host, const char *origin)
{
	scoped_close int fd = client_tcp(fx.tcp_port);

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
	snprintf(ours, sizeof(ours), "127.0.0.1:%u", fx.tcp_port);
	snprintf(origin, sizeof(origin), "http://localhost:%u", fx.tcp_port);
	ask_tcp(&a, ours, "");
	assert_int_equal(a.status, 200);
	ask_tcp(&a, "localhost", origin);
	assert_int_equal(a.status, 200);
	ask_tcp(&a, "evil.example", "");
	expect_code(&a, 403, "bad-host");
	ask_tcp(&a, "localhost.evil.example", "");
	expect_code(&a, 403, "bad-host");
	ask_tcp(&a, "127.0.0.1:1", "");
	expect_code(&a, 403, "bad-host");
	ask_tcp(&a, ours, "http://evil.example");
	expect_code(&a, 403, "bad-origin");
	ask_tcp(&a, ours, "null");
	expect_code(&a, 403, "bad-origin");
}

static void
a_second_server_does_not_take_the_socket(void **state)
{
	struct api_config c = {
		.socket_path = fx.socket,
		.socket_group = "",
		.web_dir = "",
		.handler = handle,
		.arg = &fx,
	};
	static struct client_answer a;
	struct api_server *other = NULL;
	struct err e;

	(void)state;
	assert_int_equal(api_server_start(&c, &other, &e), -EADDRINUSE);
	assert_null(other);
	ask(&a, "GET", "/v1", "", NULL);
	assert_int_equal(a.status, 200);
}

/* Sends a byte to each now and then, until all are hung up on. */
static void
drip(const int *fds, size_t n)
{
	uint64_t began = loop_now_ms();
	size_t n_open = n;
	bool is_open[16];

	memset(is_open, true, sizeof(is_open));
	while (n_open > 0) {
		for (size_t i = 0; i < n; i++) {
			if (!is_open[i])
				continue;
			client_send(fds[i], "x", 1);
			if (client_is_hung_up(fds[i], 5)) {
				is_open[i] = false;
				n_open--;
				assert_in_range(loop_now_ms() - began,
				    DEADLINE_MS - 1000, DEADLINE_MS + 2000);
			}
		}
		if (loop_now_ms() - began > DEADLINE_MS + 3000)
			fail_msg("%zu still open", n_open);
		usleep(100000);
	}
}

static void
who_drips_is_hung_up_on(void **state)
{
	static struct client_answer a;
	int fds[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client_unix(fx.socket);
		if (i % 4 == 1)
			client_say(fds[i], "GET /v1 HTTP/1.1\r\nHost: e\r\nX-");
		if (i % 4 == 2)
			client_say(fds[i], "POST /v1/routers HTTP/1.1\r\n"
					   "Host: e\r\nContent-Length: "
					   "60000\r\n\r\n{");
		if (i % 4 == 3)
			client_say(fds[i], "POST /v1/routers HTTP/1.1\r\n"
					   "Host: e\r\nTransfer-Encoding: "
					   "chunked\r\n\r\nffff\r\n{");
	}
	ask(&a, "GET", "/v1", "", NULL); /* others do not notice */
	assert_int_equal(a.status, 200);
	drip(fds, ARRAY_SIZE(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* As many as can be kept at a time: none is overwritten. */
enum { N_CLIENTS = MAX_KEPT, N_EACH = 40 };

/* A client of many: every other request is answered by another thread. */
static void *
ask_often(void *arg)
{
	struct client_answer *a = calloc(1, sizeof(*a));
	size_t *n_good = arg;

	for (unsigned i = 0; i < N_EACH; i++) {
		ask(a, "GET", i % 2 ? "/v1/routers/later" : "/v1/routers/now",
		    "", NULL);
		*n_good += a->status == 200;
	}
	free(a);
	return NULL;
}

static void *
answer_all_kept(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < N_CLIENTS * N_EACH / 2; i++) {
		struct api_request *r;

		wait_for_kept(i + 1);
		pthread_mutex_lock(&fx.lock);
		r = fx.kept[i % MAX_KEPT];
		pthread_mutex_unlock(&fx.lock);
		api_reply(r, 200, json_object(), "1", NULL);
	}
	return NULL;
}

static void
many_clients_are_served_at_once(void **state)
{
	pthread_t clients[N_CLIENTS], answerer;
	size_t n_good[N_CLIENTS] = { 0 };

	(void)state;
	fx.n_kept = 0;
	assert_int_equal(
	    pthread_create(&answerer, NULL, answer_all_kept, NULL), 0);
	for (size_t i = 0; i < N_CLIENTS; i++)
		assert_int_equal(
		    pthread_create(&clients[i], NULL, ask_often, &n_good[i]),
		    0);
	for (size_t i = 0; i < N_CLIENTS; i++) {
		pthread_join(clients[i], NULL);
		assert_int_equal(n_good[i], N_EACH);
	}
	pthread_join(answerer, NULL);
}

static void *
answer_kept(void *arg)
{
	struct api_request *r = arg;

	usleep(200000);
	api_reply(r, 200, json_object(), NULL, NULL);
	return NULL;
}

/* The last one: the server is started anew for the teardown. */
static void
a_stop_answers_who_waits(void **state)
{
	static struct client_answer a;
	int soon = client_unix(fx.socket), never = client_unix(fx.socket);
	int idle = client_unix(fx.socket);
	pthread_t thread;
	uint64_t began;

	(void)state;
	fx.n_kept = 0;
	client_say(idle, "GET /v1 HTTP/1.1\r\nHost: e\r\n\r\n");
	client_read(idle, &a, 0);
	client_say(soon, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	wait_for_kept(1);
	client_say(never, "GET /v1/routers/later HTTP/1.1\r\nHost: e\r\n\r\n");
	wait_for_kept(2);
	began = loop_now_ms();
	assert_int_equal(
	    pthread_create(&thread, NULL, answer_kept, fx.kept[0]), 0);
	api_server_stop(fx.server);
	assert_in_range(loop_now_ms() - began, 900, 3000);
	pthread_join(thread, NULL);
	client_read(soon, &a, 0);
	assert_int_equal(a.status, 200);
	client_read(never, &a, 0);
	expect_code(&a, 503, "stopping");
	assert_true(client_is_hung_up(idle, 1000));
	/* the agent's answer comes too late, and is not lost but dropped */
	api_reply(fx.kept[1], 200, json_object(), NULL, NULL);
	close(soon);
	close(never);
	close(idle);
	start();
	ask(&a, "GET", "/v1", "", NULL);
	assert_int_equal(a.status, 200);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(answers_have_their_headers),
		cmocka_unit_test(what_curl_sends_is_json),
		cmocka_unit_test(bad_requests_stop_at_the_door),
		cmocka_unit_test(a_body_has_64_kib),
		cmocka_unit_test(an_endless_body_is_hung_up_on),
		cmocka_unit_test(large_heads_are_431),
		cmocka_unit_test(a_depth_bomb_is_defused),
		cmocka_unit_test(requests_follow_each_other),
		cmocka_unit_test(half_a_connection_gets_its_answer),
		cmocka_unit_test(answers_come_in_any_order),
		cmocka_unit_test(a_client_that_left_harms_nobody),
		cmocka_unit_test(the_page_is_served_and_nothing_beside_it),
		cmocka_unit_test(tcp_is_for_this_machine_and_page),
		cmocka_unit_test(a_second_server_does_not_take_the_socket),
		cmocka_unit_test(many_clients_are_served_at_once),
		cmocka_unit_test(who_drips_is_hung_up_on),
		cmocka_unit_test(a_stop_answers_who_waits),
	};

	return cmocka_run_group_tests_name("server", tests, setup, teardown);
}
