/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_reply: from an answer to bytes, and back onto the listener's thread.
 *
 * A request is pending from the moment its connection is suspended until
 * somebody answers it: the handler's side, or the thread that stops the server.
 * Who takes it off the list of pending requests, under the lock, is the one who
 * resumes the connection; it is resumed once.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"

#include <microhttpd.h>
#include <stdio.h>

void
reply_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_warn("cannot set header %s", name);
}

/* Takes text, of n bytes; NULL: none. */
static struct MHD_Response *
response_with(
    const struct api_request *r, char *text, size_t n, const char *media_type)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(text);
		return NULL;
	}
	if (n > 0)
		reply_header(response, "Content-Type", media_type);
	reply_header(response, "X-Request-Id", r->id);
	reply_header(response, "Cache-Control", "no-store");
	reply_header(response, "X-Content-Type-Options", "nosniff");
	return response;
}

/* Takes body. */
static struct MHD_Response *
response_of(const struct api_request *r, json_t *body, const char *media_type)
{
	char *text = NULL, *line;
	size_t n = 0;

	if (body) {
		/* 0.1 shall be 0.1 and not what is nearest to it */
		text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15));
		json_decref(body);
		n = text ? strlen(text) : 0;
		line = text ? realloc(text, n + 2) : NULL;
		if (line) { /* kind to terminals */
			text = line;
			memcpy(text + n++, "\n", 2);
		}
	}
	return response_with(r, text, n, media_type);
}

struct MHD_Response *
reply_problem_response(
    const struct api_request *r, const struct problem *p, const char *location)
{
	struct MHD_Response *response = response_of(
	    r, problem_json(p, r->path, r->id), "application/problem+json");

	if (!response)
		return NULL;
	if (location)
		reply_header(response, "Location", location);
	if (p->status == 503)
		reply_header(response, "Retry-After", "1");
	if (p->status == 405)
		reply_header(response, "Allow", r->match.allow);
	return response;
}

void
reply_now(struct api_request *r, const struct problem *p)
{
	r->status = p->status;
	r->response = reply_problem_response(r, p, NULL);
}

/* The lock is held; r leaves the list of pending requests. */
static void
take_pending(struct api_request *r)
{
	TAILQ_REMOVE(&r->server->pending, r, link);
	r->is_pending = false;
}

/* The caller took r off the list. response may be NULL: M then hangs up. */
static void
resume(struct api_request *r, int status, struct MHD_Response *response)
{
	struct api_server *s = r->server;

	r->status = status;
	r->response = response;
	conn_set_deadline(r->conn, SERVER_ANSWER_MS);
	pthread_mutex_lock(&s->lock);
	s->n_sending++;
	pthread_mutex_unlock(&s->lock);
	MHD_resume_connection(r->mhd);
	/* r may be gone but for a hold of the caller's */
	pthread_mutex_lock(&s->lock);
	s->n_pending--;
	pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

static struct MHD_Response *
stopped_response(const struct api_request *r)
{
	struct problem p = { 0 };

	problem_set(&p, 503, "stopping", "try again when the node is back",
	    "the control plane stops; what the request began may still happen");
	return reply_problem_response(r, &p, NULL);
}

bool
reply_expect(struct api_request *r)
{
	struct api_server *s = r->server;
	bool is_stopping;

	pthread_mutex_lock(&s->lock);
	s->n_pending++;
	is_stopping = s->is_stopping;
	if (!is_stopping) {
		TAILQ_INSERT_TAIL(&s->pending, r, link);
		r->is_pending = true;
		r->refs++; /* the handler's */
		s->refs++;
	}
	pthread_mutex_unlock(&s->lock);
	if (is_stopping)
		resume(r, 503, stopped_response(r));
	return !is_stopping;
}

void
reply_all_stopped(struct api_server *s)
{
	struct api_request *r;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		r = TAILQ_FIRST(&s->pending);
		if (r) {
			take_pending(r);
			r->refs++; /* ours */
		}
		pthread_mutex_unlock(&s->lock);
		if (!r)
			return;
		resume(r, 503, stopped_response(r));
		request_unref(r);
	}
}

/* The one end of every answer from the handler's side. */
static void
answer(struct api_request *r, int status, struct MHD_Response *response)
{
	struct api_server *s = r->server;
	bool is_ours;

	pthread_mutex_lock(&s->lock);
	is_ours = r->is_pending;
	if (is_ours)
		take_pending(r);
	pthread_mutex_unlock(&s->lock);
	if (is_ours)
		resume(r, status, response);
	else if (response)
		MHD_destroy_response(response);
	request_unref(r);
	server_unref(s);
}

static void
add_etag(struct MHD_Response *response, const char *etag)
{
	char quoted[128];

	if (!response || !etag)
		return;
	snprintf(quoted, sizeof(quoted), *etag == '"' ? "%s" : "\"%s\"", etag);
	reply_header(response, "ETag", quoted);
}

void
api_reply(struct api_request *r, int status, json_t *body, const char *etag,
    const char *location)
{
	struct MHD_Response *response =
	    response_of(r, body, "application/json");

	add_etag(response, etag);
	if (response && location)
		reply_header(response, "Location", location);
	answer(r, status, response);
}

void
api_reply_text(
    struct api_request *r, const char *text, size_t n, const char *etag)
{
	char *copy = malloc(n + 1);
	struct MHD_Response *response = NULL;

	if (copy) {
		memcpy(copy, text, n);
		response = response_with(r, copy, n, "text/x-lua");
	}
	add_etag(response, etag);
	answer(r, 200, response);
}

void
api_reply_problem_at(
    struct api_request *r, const struct problem *p, const char *location)
{
	answer(r, p->status, reply_problem_response(r, p, location));
}

void
api_reply_problem(struct api_request *r, const struct problem *p)
{
	api_reply_problem_at(r, p, NULL);
}
