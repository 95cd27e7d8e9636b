/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_parts: an answer that comes in parts, see server.h.
 *
 * Between the owner (H) and the listener (M) is a ring of bytes under the lock of
 * the stream. While it is empty the connection is suspended, and H resumes it;
 * that lock is held over both, so that no wake-up is lost. A client has to take
 * what there is within SERVER_ANSWER_MS, as of any answer; between parts it may
 * wait for ever.
 *
 * M's hold of the stream ends with the response, H's with api_parts_end().
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum {
	BLOCK_BYTES = 16 << 10, /* of a chunk */
	KEEP_S = 30,            /* of silence, then TCP asks */
};

struct api_parts {
	TAILQ_ENTRY(api_parts) link; /* under the server's lock */
	bool is_cut;                 /* the same */
	struct api_server *server;
	struct server_conn *conn;   /* M */
	struct MHD_Connection *mhd; /* M, and while suspended */
	int event_fd;
	int peer_fd;
	pthread_mutex_t lock;
	unsigned refs;
	bool is_suspended;
	bool is_gone;  /* M has done with it */
	bool is_ended; /* nothing more will be put */
	bool is_whole;
	size_t wanted; /* room that H waits for; 0 = none */
	size_t at, n;
	char bytes[API_PARTS_BYTES];
};

static void
parts_unref(struct api_parts *s)
{
	if (!server_drop(&s->lock, &s->refs))
		return;
	base_close(s->event_fd);
	base_close(s->peer_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* The lock is held. */
static void
look_for_room(struct api_parts *s)
{
	if (s->wanted == 0 || sizeof(s->bytes) - s->n < s->wanted)
		return;
	s->wanted = 0;
	server_raise(s->event_fd);
}

/* The lock is held. */
static void
resume(struct api_parts *s)
{
	if (!s->is_suspended)
		return;
	s->is_suspended = false;
	MHD_resume_connection(s->mhd);
}

/* The lock is held. */
static size_t
take(struct api_parts *s, char *out, size_t max)
{
	size_t n = MIN(max, s->n), first = MIN(n, sizeof(s->bytes) - s->at);

	memcpy(out, s->bytes + s->at, first);
	memcpy(out + first, s->bytes, n - first);
	s->at = (s->at + n) % sizeof(s->bytes);
	s->n -= n;
	look_for_room(s);
	return n;
}

/* Context: M */
static ssize_t
on_wanted(void *cls, uint64_t pos, char *out, size_t max)
{
	struct api_parts *s = cls;
	ssize_t n;

	(void)pos;
	pthread_mutex_lock(&s->lock);
	n = (ssize_t)take(s, out, max);
	if (n == 0 && s->is_ended)
		n = s->is_whole ? MHD_CONTENT_READER_END_OF_STREAM
				: MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0) {
		s->is_suspended = true;
		MHD_suspend_connection(s->mhd);
	}
	pthread_mutex_unlock(&s->lock);
	conn_set_deadline(s->conn, n == 0 ? 0 : SERVER_ANSWER_MS);
	return n;
}

/* The response is over, or never was. Context: M; H if it never was */
static void
on_done(void *cls)
{
	struct api_parts *s = cls;

	pthread_mutex_lock(&s->server->lock);
	TAILQ_REMOVE(&s->server->parts, s, link);
	pthread_mutex_unlock(&s->server->lock);
	pthread_mutex_lock(&s->lock);
	s->is_gone = true;
	server_raise(s->event_fd);
	pthread_mutex_unlock(&s->lock);
	parts_unref(s);
}

/* A client that is switched off says nothing at all. */
static void
keep_alive(int fd)
{
	const int on = 1, seconds = KEEP_S;

	/* of a unix socket neither is anything; that one needs them not */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
}

static struct api_parts *
parts_new(struct api_request *r)
{
	struct api_parts *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->server = r->server;
	s->conn = r->conn;
	s->mhd = r->mhd;
	s->refs = 2; /* the owner, the response */
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->peer_fd = fcntl(r->conn->fd, F_DUPFD_CLOEXEC, 0);
	if (s->event_fd < 0 || s->peer_fd < 0 ||
	    pthread_mutex_init(&s->lock, NULL) != 0) {
		base_close(s->event_fd);
		base_close(s->peer_fd);
		free(s);
		return NULL;
	}
	keep_alive(s->peer_fd);
	pthread_mutex_lock(&s->server->lock);
	TAILQ_INSERT_TAIL(&s->server->parts, s, link);
	pthread_mutex_unlock(&s->server->lock);
	return s;
}

struct api_parts *
api_reply_parts(struct api_request *r, const char *media_type, const char *etag)
{
	struct MHD_Response *response = NULL;
	struct problem p = { 0 };
	struct api_parts *s;
	bool is_pending;

	/* its connection is there as long as nobody else has answered */
	pthread_mutex_lock(&r->server->lock);
	is_pending = r->is_pending;
	pthread_mutex_unlock(&r->server->lock);
	s = is_pending ? parts_new(r) : NULL;
	if (s && strcmp(r->method, "HEAD") == 0) {
		/* the library would send what comes: the headers are all */
		response = MHD_create_response_from_buffer(
		    0, NULL, MHD_RESPMEM_PERSISTENT);
		if (response)
			on_done(s);
	} else if (s)
		response = MHD_create_response_from_callback(
		    MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_wanted, s, on_done);
	if (!response) {
		if (s) {
			on_done(s);
			parts_unref(s);
		}
		problem_set(&p, 503, "busy", "try again in a second",
		    "no memory for a stream");
		api_reply_problem(r, &p);
		problem_clear(&p);
		return NULL;
	}
	reply_common_headers(r, response, media_type);
	reply_etag(response, etag);
	conn_guard(r);
	reply_send(r, 200, response);
	return s;
}

size_t
api_parts_room(struct api_parts *s)
{
	size_t room;

	pthread_mutex_lock(&s->lock);
	room = s->is_gone || s->is_ended ? 0 : sizeof(s->bytes) - s->n;
	pthread_mutex_unlock(&s->lock);
	return room;
}

int
api_parts_put(struct api_parts *s, const void *bytes, size_t n)
{
	size_t to, first;
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	if (s->is_gone || s->is_ended) {
		rc = -EPIPE;
	} else if (n > sizeof(s->bytes) - s->n) {
		rc = -EAGAIN;
	} else {
		to = (s->at + s->n) % sizeof(s->bytes);
		first = MIN(n, sizeof(s->bytes) - to);
		memcpy(s->bytes + to, bytes, first);
		memcpy(s->bytes, (const char *)bytes + first, n - first);
		s->n += n;
		resume(s);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void
api_parts_want_room(struct api_parts *s, size_t n)
{
	pthread_mutex_lock(&s->lock);
	s->wanted = MIN(n, sizeof(s->bytes));
	look_for_room(s);
	pthread_mutex_unlock(&s->lock);
}

int
api_parts_event(const struct api_parts *s)
{
	return s->event_fd;
}

int
api_parts_peer(const struct api_parts *s)
{
	return s->peer_fd;
}

static void
finish(struct api_parts *s, bool whole)
{
	pthread_mutex_lock(&s->lock);
	if (!s->is_ended) {
		s->is_ended = true;
		s->is_whole = whole;
	}
	resume(s);
	pthread_mutex_unlock(&s->lock);
}

void
api_parts_end(struct api_parts *s, bool whole)
{
	finish(s, whole);
	parts_unref(s);
}

/* One that was not cut yet, held; NULL: there is none. */
static struct api_parts *
next_to_cut(struct api_server *server)
{
	struct api_parts *s;

	pthread_mutex_lock(&server->lock);
	TAILQ_FOREACH(s, &server->parts, link)
		if (!s->is_cut)
			break;
	if (s) {
		s->is_cut = true;
		pthread_mutex_lock(&s->lock);
		s->refs++;
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_unlock(&server->lock);
	return s;
}

void
parts_cut_all(struct api_server *server)
{
	struct api_parts *s;

	while ((s = next_to_cut(server)) != NULL) {
		finish(s, false);
		parts_unref(s);
	}
}
