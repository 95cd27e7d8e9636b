/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit: a client that has something of a router open, a command, a console, a
 * file or its log, beyond one question and one answer. There are only so many at
 * once; a router that goes, or a europad that stops, ends them.
 */
#ifndef AGENT_VISIT_H
#define AGENT_VISIT_H

#include "agent/router.h"

enum visit_limits {
	VISIT_MAX_ROUTER = 8, /* INIT_MAX_SESSIONS of init, too */
	VISIT_MAX_NODE = 48,  /* fewer than connections: others are answered */
	/* by tokens: the rest is the node's own, and of one project's tokens */
	VISIT_MAX_TOKENS = VISIT_MAX_NODE - VISIT_MAX_NODE / 4,
	VISIT_MAX_PROJECT = VISIT_MAX_NODE / 4,
};

struct visit {
	struct visit *next;
	struct router *router;
	bool by_token;                /* not by the unix socket */
	void (*end)(struct visit *v); /* frees it; told by visit_end_all() */
};

/* Whether there may be one more; false: rq is answered. */
bool visit_may_begin(const struct router *r, struct api_request *rq);
/* The same, and its container runs, and init is there. */
bool visit_may_enter(const struct router *r, struct api_request *rq);
void visit_begin(struct visit *v, struct router *r,
    const struct api_request *rq, void (*end)(struct visit *v));
/* It is over; the rest of it is its owner's to free. */
void visit_leave(struct visit *v);
void visit_end_all(struct router *r);

#endif
