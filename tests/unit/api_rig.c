/* SPDX-License-Identifier: Apache-2.0 */
/* api_rig: see api_rig.h. */
#include "api_rig.h"

#include "api/route_lines.h"
#include "lib/base.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

struct api_rig rig = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static void
reply_with_what_was_seen(struct api_request *r)
{
	const json_t *body = api_body(r);
	const char *if_match = api_if_match(r);
	size_t n_text = 0;
	const char *text = api_text(r, &n_text);
	json_t *seen = json_pack("{s:i, s:s, s:s, s:b, s:b, s:s, s:s?, s:s?}",
	    "op", (int)api_op(r), "name", api_name(r), "subname",
	    api_subname(r), "dry_run", (int)api_dry_run(r), "async",
	    (int)api_respond_async(r), "id", api_request_id(r), "if_match",
	    if_match, "project", api_query(r, "project"));
	struct problem p;

	json_object_set_new(seen, "token", json_string(api_token(r)));
	json_object_set_new(seen, "uid", json_integer((int)api_uid(r)));
	json_object_set_new(seen, "number", json_integer(api_number(r)));
	json_object_set_new(
	    seen, "text", json_integer(text ? (json_int_t)n_text : -1));
	json_object_set_new(seen, "lines",
	    json_integer(api_lines(r)
			     ? (json_int_t)route_lines_count(api_lines(r))
			     : -1));
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

void
rig_handle(void *arg, struct api_request *r)
{
	bool is_kept = strcmp(api_name(r), "later") == 0;

	assert_ptr_equal(arg, &rig);
	assert_int_equal(api_uid(r) == geteuid() || api_uid(r) == (uid_t)-1, 1);
	pthread_mutex_lock(&rig.lock);
	rig.n_handled++;
	if (is_kept)
		rig.kept[rig.n_kept++ % RIG_MAX_KEPT] = r;
	pthread_cond_broadcast(&rig.changed);
	pthread_mutex_unlock(&rig.lock);
	if (api_op(r) == API_EVENTS_GET)
		api_reply_events(r);
	else if (!is_kept)
		reply_with_what_was_seen(r);
}

static bool
rig_authenticate(void *arg, const char *secret, char id[API_TOKEN_ID_BYTES])
{
	assert_ptr_equal(arg, &rig);
	if (strcmp(secret, RIG_SECRET) != 0)
		return false;
	snprintf(id, API_TOKEN_ID_BYTES, "rig");
	return true;
}

/* Waits until the handler keeps n requests. */
void
rig_wait_for_kept(unsigned n)
{
	pthread_mutex_lock(&rig.lock);
	while (rig.n_kept < n)
		pthread_cond_wait(&rig.changed, &rig.lock);
	pthread_mutex_unlock(&rig.lock);
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

static uint64_t
rig_token_state(void *arg, const char *id)
{
	const struct api_rig *r = arg;

	(void)id;
	return !atomic_load(&r->token_ends);
}

void
rig_start(void)
{
	struct api_config c = {
		.socket_path = rig.socket,
		.socket_group = "",
		.tcp_port = rig.tcp_port,
		.web_dir = rig.web,
		.spool_dir = rig.dir,
		.version = "test",
		.handler = rig_handle,
		.authenticate = rig_authenticate,
		.token_state = rig_token_state,
		.arg = &rig,
	};
	struct err e;

	rig.n_kept = 0;
	if (api_server_start(&c, &rig.server, &e) < 0)
		fail_msg("%s", e.msg);
}

int
rig_setup(void **state)
{
	(void)state;
	strcpy(rig.dir, "/tmp/europa-api-XXXXXX");
	assert_non_null(mkdtemp(rig.dir));
	snprintf(rig.socket, sizeof(rig.socket), "%s/api.sock", rig.dir);
	snprintf(rig.web, sizeof(rig.web), "%s/web", rig.dir);
	assert_int_equal(mkdir(rig.web, 0700), 0);
	write_file(rig.web, "index.html", "<p>hello");
	write_file(rig.web, "app.css", "p {}");
	write_file(rig.web, "secret.txt", "no");
	write_file(rig.dir, "outside.html", "no");
	rig.tcp_port = free_port();
	rig_start();
	return 0;
}

int
rig_teardown(void **state)
{
	static const char *const files[] = { "web/index.html", "web/app.css",
		"web/secret.txt", "web", "outside.html" };
	char path[256];

	(void)state;
	api_server_stop(rig.server);
	assert_int_not_equal(access(rig.socket, F_OK), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", rig.dir, files[i]);
		remove(path);
	}
	return rmdir(rig.dir);
}

/* One request on a connection of its own. */
void
rig_ask(struct client_answer *a, const char *method, const char *target,
    const char *headers, const char *body)
{
	scoped_close int fd = client_unix(rig.socket);

	client_say(fd, "%s %s HTTP/1.1\r\nHost: europa\r\n%s", method, target,
	    headers);
	if (body)
		client_say(
		    fd, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		client_say(fd, "\r\n");
	client_read(fd, a, strcmp(method, "HEAD") == 0);
}

json_t *
rig_json_of(const struct client_answer *a)
{
	json_t *v = json_loads(a->body, 0, NULL);

	if (!v)
		fail_msg("no JSON: %s", a->body);
	return v;
}

void
rig_expect_code(struct client_answer *a, int status, const char *code)
{
	json_t *v;
	const char *s;

	if (a->status != status)
		fail_msg("%d instead of %d: %s", a->status, status, a->body);
	v = rig_json_of(a);
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

unsigned
rig_handled(void)
{
	unsigned n;

	pthread_mutex_lock(&rig.lock);
	n = rig.n_handled;
	pthread_mutex_unlock(&rig.lock);
	return n;
}
