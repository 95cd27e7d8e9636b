/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_stream: answers that go on, of GET /v1/events.
 *
 * A stream that has nothing to say is suspended; what happens, the heart's beat
 * and the end of the server resume it. It holds one event at a time: what waits
 * for a slow reader waits in the ring that all share. One that takes nothing
 * for a while is hung up on, and can come back with the last id it saw.
 *
 * Who sets asleep is the listener's thread, after it has suspended; who clears
 * it, under the lock, is the one who resumes.
 */
#include "api/server_int.h"

#include "lib/base.h"

#include <microhttpd.h>
#include <stdio.h>

enum {
	BLOCK_BYTES = 16 << 10,
	STALL_MS = 30000, /* without taking anything */
	MAX_ASLEEP = SERVER_READERS,
};

struct stream {
	LIST_ENTRY(stream) link; /* this and the next ones under the lock */
	bool asleep;
	bool beats;   /* a sign of life is due */
	bool is_over; /* says what there is, and ends */
	bool is_cut;  /* its project is gone: says nothing more, and ends */
	struct events_place at;

	/* M alone */
	struct api_server *server;
	struct server_conn *conn;
	struct MHD_Connection *mhd;
	enum events_form form;
	uid_t uid;
	char token[API_TOKEN_ID_BYTES]; /* "": none */
	char project[MODEL_NAME_BYTES];
	char *out; /* the event that is being said */
	size_t n_out, n_said;
};

/* --- waking ----------------------------------------------------------------- */

/* The lock is held: takes those who sleep, and lets go of the lock. */
static void
wake_all(struct api_server *s)
{
	struct MHD_Connection *mhd[MAX_ASLEEP];
	struct stream *st;
	unsigned n = 0;

	LIST_FOREACH(st, &s->readers, link)
	{
		if (!st->asleep || n == MAX_ASLEEP)
			continue;
		st->asleep = false;
		mhd[n++] = st->mhd;
	}
	pthread_mutex_unlock(&s->lock);
	/* suspended, so they are there until somebody resumes them: us */
	while (n > 0)
		MHD_resume_connection(mhd[--n]);
}

void
api_event(
    struct api_server *s, const char *type, const char *project, json_t *data)
{
	if (!s) { /* nobody can listen yet */
		json_decref(data);
		return;
	}
	pthread_mutex_lock(&s->lock);
	events_add(s->events, type, project, data);
	wake_all(s);
}

void
api_events_forget(struct api_server *s, const char *project)
{
	struct stream *st;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	events_forget(s->events, project);
	LIST_FOREACH(st, &s->readers, link)
	st->is_cut |= strcmp(st->project, project) == 0;
	wake_all(s);
}

void
api_events_beat(struct api_server *s)
{
	struct stream *st;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	LIST_FOREACH(st, &s->readers, link)
	st->beats = true;
	wake_all(s);
}

void
stream_end_all(struct api_server *s)
{
	pthread_mutex_lock(&s->lock);
	wake_all(s); /* they see that the server stops */
}

/* --- saying ----------------------------------------------------------------- */

static const char *
beat_text(const struct stream *st)
{
	return st->form == EVENTS_SSE ? ": alive\n\n"
				      : "{\"type\":\"heartbeat\"}\n";
}

/* The lock is held. Finds what to say next; false: nothing now. */
static bool
find_words(struct stream *st)
{
	free(steal_ptr(st->out));
	st->n_said = st->n_out = 0;
	if (st->is_cut)
		return false;
	st->out = events_next(
	    st->server->events, &st->at, st->project, st->form, &st->n_out);
	if (st->out) {
		st->beats = false;
		return true;
	}
	if (!st->beats)
		return false;
	st->beats = false;
	st->out = strdup(beat_text(st));
	st->n_out = st->out ? strlen(st->out) : 0;
	return st->n_out > 0;
}

static bool
is_over(const struct stream *st)
{
	return st->is_over || st->is_cut || st->server->is_stopping;
}

/* Nothing to say: sleeps until there is, unless it came up just now. */
static void
fall_asleep(struct stream *st)
{
	struct api_server *s = st->server;
	bool stays_awake;

	conn_set_deadline(st->conn, 0);
	MHD_suspend_connection(st->mhd);
	pthread_mutex_lock(&s->lock);
	stays_awake = find_words(st) || is_over(st);
	st->asleep = !stays_awake;
	pthread_mutex_unlock(&s->lock);
	if (stays_awake)
		MHD_resume_connection(st->mhd);
}

/* Context: M */
static ssize_t
on_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct stream *st = cls;
	bool has_words = st->n_said < st->n_out, ends = false;
	size_t n;

	(void)pos;
	if (!has_words) {
		pthread_mutex_lock(&st->server->lock);
		has_words = find_words(st);
		ends = !has_words && is_over(st);
		pthread_mutex_unlock(&st->server->lock);
	}
	if (ends)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!has_words) {
		fall_asleep(st);
		return 0;
	}
	n = MIN(max, st->n_out - st->n_said);
	memcpy(buf, st->out + st->n_said, n);
	st->n_said += n;
	conn_set_deadline(st->conn, STALL_MS);
	return (ssize_t)n;
}

static void
on_free(void *cls)
{
	struct stream *st = cls;

	pthread_mutex_lock(&st->server->lock);
	LIST_REMOVE(st, link);
	pthread_mutex_unlock(&st->server->lock);
	free(st->out);
	free(st);
}

/* --- beginning -------------------------------------------------------------- */

/* Root has all places; others a part of them, and tokens of a project, too. */
static bool
has_place(const struct api_server *s, const struct stream *new)
{
	unsigned n = 0, n_of_asker = 0, n_of_tokens = 0, n_of_project = 0;
	const struct stream *st;

	LIST_FOREACH(st, &s->readers, link)
	{
		bool has_token = *st->token != '\0';

		n++;
		n_of_asker +=
		    st->uid == new->uid &&strcmp(st->token, new->token) == 0;
		n_of_tokens += has_token;
		n_of_project +=
		    has_token && strcmp(st->project, new->project) == 0;
	}
	if (n >= SERVER_READERS)
		return false;
	if (*new->token != '\0' && (n_of_tokens >= SERVER_READERS_TOKENS ||
				       n_of_project >= SERVER_READERS_OF_ONE))
		return false;
	return new->uid == 0 || n_of_asker < SERVER_READERS_OF_ONE;
}

/* Returns false if there are too many already. */
static bool
enlist(struct stream *st, const char *last_id)
{
	struct api_server *s = st->server;
	bool fits;

	pthread_mutex_lock(&s->lock);
	fits = has_place(s, st);
	if (fits) {
		st->at = events_place(s->events, last_id, st->is_over);
		st->beats = !st->is_over; /* so that it sees it has begun */
		LIST_INSERT_HEAD(&s->readers, st, link);
	}
	pthread_mutex_unlock(&s->lock);
	return fits;
}

static void
refuse(struct api_request *r)
{
	struct problem p;

	api_events_beat(r->server); /* finds those who have gone */
	problem_init(&p);
	problem_set(&p, 503, "busy",
	    "end one of them, or try again in a second",
	    "too many read events already");
	api_reply_problem(r, &p);
}

static struct stream *
stream_new(const struct api_request *r)
{
	const char *follow = api_query(r, "follow");
	const char *project = api_query(r, "project");
	struct stream *st = calloc(1, sizeof(*st));

	if (!st)
		return NULL;
	st->server = r->server;
	st->conn = r->conn;
	st->mhd = r->mhd;
	st->uid = r->uid;
	memcpy(st->token, r->token, sizeof(st->token));
	st->form = r->wants_lines ? EVENTS_LINES : EVENTS_SSE;
	st->is_over = follow && strcmp(follow, "false") == 0;
	snprintf(st->project, sizeof(st->project), "%s",
	    project ? project : "default");
	return st;
}

/* HEAD: the headers of a reader who never reads. */
static void
reply_head(struct api_request *r, const char *media_type)
{
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

	if (response)
		reply_common_headers(r, response, media_type);
	reply_send(r, 200, response);
}

void
api_reply_events(struct api_request *r)
{
	const char *media_type =
	    r->wants_lines ? "application/x-ndjson" : "text/event-stream";
	struct stream *st;
	struct MHD_Response *response;

	if (strcmp(r->method, "HEAD") == 0) {
		reply_head(r, media_type);
		return;
	}
	st = stream_new(r);
	if (!st || !enlist(st, r->last_id)) {
		free(st);
		refuse(r);
		return;
	}
	response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_read, st, on_free);
	if (!response)
		on_free(st);
	else
		reply_common_headers(r, response, media_type);
	conn_guard(r);
	reply_send(r, 200, response);
}
