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

#include "api/json_write.h"
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

void
reply_common_headers(const struct api_request *r, struct MHD_Response *response,
    const char *media_type)
{
	if (media_type)
		reply_header(response, "Content-Type", media_type);
	reply_header(response, "X-Request-Id", r->id);
	reply_header(response, "Cache-Control", "no-store");
	reply_header(response, "X-Content-Type-Options", "nosniff");
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
	reply_common_headers(r, response, n > 0 ? media_type : NULL);
	return response;
}

/* Takes body; the text of n bytes, NULL for none. */
static char *
text_of(json_t *body, size_t *n)
{
	char *text;

	*n = 0;
	text = body ? json_write(body, n) : NULL;
	json_decref(body);
	return text;
}

void
reply_etag(struct MHD_Response *response, const char *etag)
{
	char quoted[128];

	if (!etag)
		return;
	snprintf(quoted, sizeof(quoted), *etag == '"' ? "%s" : "\"%s\"", etag);
	reply_header(response, "ETag", quoted);
}

/* Takes text, which is that of a. */
static struct MHD_Response *
response_of(const struct api_request *r, const struct api_answer *a, char *text)
{
	struct MHD_Response *response =
	    response_with(r, text, a->n, a->media_type);

	if (!response)
		return NULL;
	reply_etag(response, a->etag);
	if (a->location)
		reply_header(response, "Location", a->location);
	if (a->status == 503)
		reply_header(response, "Retry-After", "1");
	if (a->status == 401)
		reply_header(
		    response, "WWW-Authenticate", "Bearer realm=\"europa\"");
	if (a->status == 405)
		reply_header(response, "Allow", r->match.allow);
	return response;
}

static const char problem_type[] = "application/problem+json";

static struct MHD_Response *
problem_response(const struct api_request *r, const struct problem *p)
{
	struct api_answer a = {
		.status = p->status,
		.media_type = problem_type,
	};
	char *text = text_of(problem_json(p, r->path, r->id), &a.n);

	return response_of(r, &a, text);
}

void
reply_now(struct api_request *r, const struct problem *p)
{
	r->status = p->status;
	r->response = problem_response(r, p);
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
	return problem_response(r, &p);
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
void
reply_send(struct api_request *r, int status, struct MHD_Response *response)
{
	struct api_server *s = r->server;
	bool is_ours;

	if (r->on_result)
		r->on_result(r->on_result_arg, r, status);
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

void
api_on_result(struct api_request *r,
    void (*fn)(void *arg, const struct api_request *r, int status), void *arg)
{
	r->on_result = fn;
	r->on_result_arg = arg;
}

/* Whoever wants to know hears of it first. Takes text, which is that of a. */
static void
tell_and_answer(struct api_request *r, const struct api_answer *a, char *text)
{
	if (r->on_answer)
		r->on_answer(r->on_answer_arg, a);
	reply_send(r, a->status, response_of(r, a, text));
}

void
api_reply(struct api_request *r, int status, json_t *body, const char *etag,
    const char *location)
{
	struct api_answer a = {
		.status = status,
		.media_type = "application/json",
		.etag = etag,
		.location = location,
	};
	char *text = text_of(body, &a.n);

	a.text = text;
	tell_and_answer(r, &a, text);
}

void
api_reply_written(struct api_request *r, char *text, size_t n)
{
	const struct api_answer a = {
		.status = 200,
		.text = text,
		.n = n,
		.media_type = "application/json",
	};

	tell_and_answer(r, &a, text);
}

static void
reply_copy(struct api_request *r, const char *media_type, const char *text,
    size_t n, const char *etag)
{
	struct api_answer a = {
		.status = 200,
		.media_type = media_type,
		.etag = etag,
	};
	char *copy = malloc(n + 1);

	if (copy) {
		memcpy(copy, text, n);
		a.n = n;
	}
	a.text = copy;
	tell_and_answer(r, &a, copy);
}

void
api_reply_text(
    struct api_request *r, const char *text, size_t n, const char *etag)
{
	reply_copy(r, "text/x-lua", text, n, etag);
}

void
api_reply_media(
    struct api_request *r, const char *media_type, const char *text, size_t n)
{
	reply_copy(r, media_type, text, n, NULL);
}

void
api_reply_problem_at(
    struct api_request *r, const struct problem *p, const char *location)
{
	struct api_answer a = {
		.status = p->status,
		.media_type = problem_type,
		.location = location,
	};
	char *text = text_of(problem_json(p, r->path, r->id), &a.n);

	a.text = text;
	tell_and_answer(r, &a, text);
}

void
api_reply_problem(struct api_request *r, const struct problem *p)
{
	api_reply_problem_at(r, p, NULL);
}

void
api_reply_again(struct api_request *r, const struct api_answer *a)
{
	struct MHD_Response *response;
	char *copy = malloc(a->n + 1);

	if (copy)
		memcpy(copy, a->text, a->n);
	response = copy ? response_of(r, a, copy) : NULL;
	if (response)
		reply_header(response, "Idempotent-Replayed", "true");
	reply_send(r, a->status, response);
}
