/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_logs: what a router's container wrote, GET .../logs. A follower has a place
 * in the ring; what it is too slow for is passed over, and costs nobody more.
 */
#include "agent/ops.h"

#include "agent/stream.h"
#include "agent/visit.h"
#include "lib/base.h"

#include <stdio.h>

enum { BLOCK_BYTES = 16 << 10 };

struct follower {
	struct visit visit;
	struct stream *stream;
	uint64_t place;
	bool follows;
	bool waits; /* for room */
};

static void
follower_ends(struct follower *f, bool whole)
{
	visit_leave(&f->visit);
	stream_end(f->stream, whole);
	free(f);
}

/* f may be gone then. */
static void
pump(struct follower *f)
{
	static char block[BLOCK_BYTES];
	ssize_t n;

	if (f->waits)
		return;
	for (;;) {
		if (stream_room(f->stream) < sizeof(block)) {
			f->waits = true;
			stream_want_room(f->stream, sizeof(block));
			return;
		}
		n = logring_read(&f->visit.router->log.ring, &f->place, block,
		    sizeof(block));
		if (n <= 0 || stream_put(f->stream, block, (size_t)n) < 0)
			break;
	}
	if (n != 0 || !f->follows)
		follower_ends(f, n == 0);
}

static void
room_again(void *arg)
{
	struct follower *f = arg;

	f->waits = false;
	pump(f);
}

static void
client_left(void *arg)
{
	follower_ends(arg, false);
}

/* The router goes, or europad stops: that was all. */
static void
visit_ends(struct visit *v)
{
	follower_ends(CONTAINER_OF(v, struct follower, visit), true);
}

void
router_tell_followers(struct router *r)
{
	struct visit *v = r->visits, *next;

	for (; v; v = next) {
		next = v->next;
		if (v->end == visit_ends)
			pump(CONTAINER_OF(v, struct follower, visit));
	}
}

static bool
says_yes(const char *s)
{
	return s && strcmp(s, "true") == 0; /* 1 is true by now */
}

void
op_logs_get(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	struct follower *f;
	struct problem p;

	if (!r || !visit_may_begin(r, rq))
		return;
	f = calloc(1, sizeof(*f));
	if (!f) {
		problem_init(&p);
		problem_set(
		    &p, 503, "busy", "try again in a second", "out of memory");
		op_problem(rq, &p);
		return;
	}
	f->follows = says_yes(api_query(rq, "follow"));
	f->stream = stream_new(n->loop, rq, "text/plain; charset=utf-8", NULL,
	    &(const struct stream_hooks){
		.on_room = room_again,
		.on_gone = client_left,
		.arg = f,
	    });
	if (!f->stream) {
		free(f);
		return;
	}
	visit_begin(&f->visit, r, rq, visit_ends);
	pump(f);
}
