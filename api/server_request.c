/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_request: from bytes to a request that the handler gets.
 *
 * Everything here runs on a listener's thread, for one request at a time and in
 * one order: begin, take ..., finish. What is refused is answered here and the
 * handler never hears of it.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <microhttpd.h>
#include <stdio.h>
#include <sys/random.h>

static void
make_id(char out[SERVER_REQUEST_ID_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[(SERVER_REQUEST_ID_BYTES - 1) / 2] = { 0 };

	/* eight bytes from a pool that is ready: never short, never blocks */
	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		log_warn("no random bytes for a request's id");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * sizeof(bytes)] = '\0';
}

static char *
printable(const char *s)
{
	char *copy = strdup(s);

	for (char *c = copy; c && *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return copy;
}

struct api_request *
request_new(struct server_conn *c, struct MHD_Connection *mhd,
    const char *method, const char *path)
{
	struct api_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->server = c->listener->server;
	r->conn = c;
	r->mhd = mhd;
	r->refs = 1;
	r->uid = c->uid;
	r->began_ms = loop_now_ms();
	r->method = printable(method);
	r->path = printable(path);
	make_id(r->id);
	if (!r->method || !r->path) {
		request_unref(r);
		return NULL;
	}
	return r;
}

void
request_unref(struct api_request *r)
{
	if (!server_drop(&r->server->lock, &r->refs))
		return;
	if (r->socket)
		upgrade_release(r);
	if (r->response)
		MHD_destroy_response(r->response);
	json_decref(r->json);
	json_decref(r->query);
	free(r->if_match);
	free(r->key);
	body_free(r);
	free(r->path);
	free(r->method);
	free(r);
}

bool
request_begin(struct api_request *r)
{
	struct problem p;

	problem_init(&p);
	if (!r->conn->is_allowed) {
		problem_set(&p, 403, "forbidden",
		    "ask as root, or as a member of the group of the socket",
		    "this user may not use the interface");
		reply_now(r, &p);
		return false;
	}
	/* before the body: it says how long that may be */
	route_find(r->method, r->path, &r->match);
	if (!auth_check(r, &p)) {
		reply_now(r, &p);
		return false;
	}
	return body_begin(r);
}

static int
find_operation(struct api_request *r, struct problem *p)
{
	if (r->match.status == 404)
		return problem_set(p, 404, "not-found",
		    "GET /v1/openapi.json has all paths", "there is no %.200s",
		    r->path);
	if (r->match.status == 405)
		return problem_set(p, 405, "bad-method",
		    "use one of these methods", "%.200s has no %.20s, only %s",
		    r->path, r->method, r->match.allow);
	return 0;
}

static int
understand(struct api_request *r, struct problem *p)
{
	int rc = find_operation(r, p);

	if (rc == 0)
		rc = headers_read_query(r, p);
	if (rc == 0)
		rc = headers_read_conditions(r, p);
	if (rc == 0)
		rc = headers_read_key(r, p);
	if (rc == 0)
		rc = body_finish(r, p);
	return rc;
}

/* Of method, path, query and body; false without memory. */
static bool
make_digest(struct api_request *r)
{
	scoped_free char *query =
	    json_dumps(r->query, JSON_COMPACT | JSON_SORT_KEYS);
	scoped_free char *all = NULL;
	char *grown;
	int n = asprintf(
	    &all, "%s %s\n%s\n", r->method, r->path, query ? query : "");

	if (n < 0) {
		all = NULL;
		return false;
	}
	grown = realloc(all, (size_t)n + r->n_body + 1);
	if (!grown)
		return false;
	all = grown;
	memcpy(all + n, r->body ? r->body : "", r->n_body);
	sha256_hex(all, (size_t)n + r->n_body, r->digest);
	return true;
}

void
request_finish(struct api_request *r)
{
	struct api_server *s = r->server;
	struct problem p;

	problem_init(&p);
	if (body_is_too_large(r, &p)) {
		reply_now(r, &p);
		return;
	}
	if (!headers_host_is_ours(r, &p)) {
		reply_now(r, &p);
		return;
	}
	if (static_serve(r))
		return;
	if (understand(r, &p) < 0 || !auth_may_wait(r, &p)) {
		reply_now(r, &p);
		problem_clear(&p);
		return;
	}
	if (r->key && !make_digest(r))
		return; /* no memory: hang up */
	if (!(r->match.flags & (ROUTE_LUA | ROUTE_BYTES)))
		free(steal_ptr(r->body));
	conn_set_deadline(r->conn, 0);
	r->is_handed = true;
	MHD_suspend_connection(r->mhd);
	if (reply_expect(r))
		s->handler(s->arg, r);
}

const char *
api_method(const struct api_request *r)
{
	return r->method;
}

const char *
api_path(const struct api_request *r)
{
	return r->path;
}

bool
api_is_change(const struct api_request *r)
{
	return r->match.flags & (ROUTE_WRITES | ROUTE_SOCKET) &&
	       !api_dry_run(r);
}

enum api_op
api_op(const struct api_request *r)
{
	return r->match.op;
}

const char *
api_name(const struct api_request *r)
{
	return r->match.name;
}

const char *
api_project(const struct api_request *r)
{
	const char *name = api_query(r, "project");

	if (!(r->match.flags & ROUTE_PROJECT))
		return NULL;
	return name ? name : "default";
}

const char *
api_subname(const struct api_request *r)
{
	return r->match.subname;
}

unsigned
api_number(const struct api_request *r)
{
	return r->match.number;
}

const char *
api_query(const struct api_request *r, const char *key)
{
	return json_string_value(json_object_get(r->query, key));
}

const json_t *
api_query_all(const struct api_request *r)
{
	return r->query;
}

const json_t *
api_body(const struct api_request *r)
{
	return r->json;
}

const char *
api_text(const struct api_request *r, size_t *n)
{
	*n = r->n_body;
	return r->match.flags & ROUTE_LUA ? r->body : NULL;
}

const void *
api_bytes(const struct api_request *r, size_t *n)
{
	*n = r->n_body;
	return r->match.flags & ROUTE_BYTES ? r->body : NULL;
}

struct route_lines *
api_lines(const struct api_request *r)
{
	return r->lines;
}

bool
api_wants_text(const struct api_request *r)
{
	return r->wants_text;
}

const char *
api_if_match(const struct api_request *r)
{
	return r->if_match;
}

const char *
api_key(const struct api_request *r)
{
	return r->key;
}

const char *
api_digest(const struct api_request *r)
{
	return r->digest;
}

void
api_on_answer(struct api_request *r,
    void (*fn)(void *arg, const struct api_answer *answer), void *arg)
{
	r->on_answer = fn;
	r->on_answer_arg = arg;
}

bool
api_dry_run(const struct api_request *r)
{
	const char *s = api_query(r, "dry_run");

	return s && strcmp(s, "true") == 0;
}

bool
api_respond_async(const struct api_request *r)
{
	return r->is_async;
}

const char *
api_request_id(const struct api_request *r)
{
	return r->id;
}

uid_t
api_uid(const struct api_request *r)
{
	return r->uid;
}
