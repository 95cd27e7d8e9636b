/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: an answer in parts (api_parts of api/server.h) as the loop sees it:
 * who writes it is told when there is room again, and when its client is gone.
 */
#ifndef AGENT_STREAM_H
#define AGENT_STREAM_H

#include "api/server.h"
#include "lib/loop.h"

struct stream;

/* The stream may be ended within each. */
struct stream_hooks {
	void (*on_room)(void *arg); /* may be NULL */
	/* nobody reads any more; what is left is to end it */
	void (*on_gone)(void *arg);
	void *arg;
};

/* etag may be NULL. Answers rq with 200, or with a problem: then it returns NULL. */
struct stream *stream_new(struct loop *l, struct api_request *rq,
    const char *media_type, const char *etag, const struct stream_hooks *hooks);
size_t stream_room(const struct stream *s);
/* on_room is called once, when n bytes can be put. */
void stream_want_room(struct stream *s, size_t n);
/* Returns 0, -EAGAIN (no room) or -EPIPE. */
int stream_put(struct stream *s, const void *bytes, size_t n);
/* whole: that was all; else the client sees that it is cut. NULL is allowed. */
void stream_end(struct stream *s, bool whole);

#endif
