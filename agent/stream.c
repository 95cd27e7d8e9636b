/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: see stream.h. A client that says no more, as one does that has gone, is
 * taken for gone: HTTP has no use for half a connection.
 */
#include "agent/stream.h"

#include "lib/base.h"

#include <sys/epoll.h>

struct stream {
	struct api_parts *api;
	struct stream_hooks hooks;
	struct loop_source *event, *peer;
};

static void
unwatch(struct stream *s)
{
	loop_del(s->event);
	loop_del(s->peer);
	s->event = s->peer = NULL;
}

static void
peer_left(void *arg, int fd, uint32_t events)
{
	struct stream *s = arg;

	(void)fd;
	(void)events;
	unwatch(s);
	s->hooks.on_gone(s->hooks.arg);
}

static void
event_came(void *arg, int fd, uint32_t events)
{
	struct stream *s = arg;
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	if (api_parts_room(s->api) == 0)
		peer_left(s, -1, 0);
	else if (s->hooks.on_room)
		s->hooks.on_room(s->hooks.arg);
}

struct stream *
stream_new(struct loop *l, struct api_request *rq, const char *media_type,
    const char *etag, const struct stream_hooks *hooks)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct problem p = { 0 };

	if (!s) {
		problem_set(&p, 503, "busy", "try again in a second",
		    "no memory for a stream");
		api_reply_problem(rq, &p);
		problem_clear(&p);
		return NULL;
	}
	s->hooks = *hooks;
	s->api = api_reply_parts(rq, media_type, etag);
	if (!s->api) {
		free(s);
		return NULL;
	}
	if (loop_add_fd(l, api_parts_event(s->api), EPOLLIN, event_came, s,
		&s->event) < 0 ||
	    loop_add_fd(l, api_parts_peer(s->api), EPOLLRDHUP, peer_left, s,
		&s->peer) < 0) {
		stream_end(s, false);
		return NULL;
	}
	return s;
}

size_t
stream_room(const struct stream *s)
{
	return api_parts_room(s->api);
}

void
stream_want_room(struct stream *s, size_t n)
{
	api_parts_want_room(s->api, n);
}

int
stream_put(struct stream *s, const void *bytes, size_t n)
{
	return api_parts_put(s->api, bytes, n);
}

void
stream_end(struct stream *s, bool whole)
{
	if (!s)
		return;
	unwatch(s);
	api_parts_end(s->api, whole);
	free(s);
}
