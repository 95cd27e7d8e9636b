/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errand: a visit that has init do something in the container: what commands,
 * files and consoles have in common. A request that waits, a session, and a
 * timer, which fires first if init does not begin in time.
 */
#ifndef AGENT_ERRAND_H
#define AGENT_ERRAND_H

#include "agent/session.h"
#include "agent/visit.h"

enum { ERRAND_START_MS = 10000 };

struct errand {
	struct visit visit;
	struct api_request *rq; /* until it is answered */
	struct session *session;
	struct loop_source *timer;
};

struct errand_plan {
	struct session_config session; /* without link and arg */
	loop_timer_fn on_time;
	void (*end)(struct visit *v); /* see visit.h */
};

/*
 * Begins it; arg is for the hooks and for on_time. Returns 0, or negative errno:
 * then it has to be left all the same, and rq to be answered (errand_cannot()).
 */
int errand_begin(struct errand *x, struct router *r, struct api_request *rq,
    const struct errand_plan *plan, void *arg);
/* One more word of what init is to do. Returns 0 or -ENOMEM. */
int errand_word(struct errand *x, const char *word);
/* It is over; the rest of it is its owner's to free. */
void errand_leave(struct errand *x);
/* Answers the request: "router NAME: detail". */
void errand_refuse(struct errand *x, int status, const char *code,
    const char *remedy, const char *detail);
/* Answers one that could not begin. */
void errand_cannot(const struct router *r, struct api_request *rq, int rc);

#endif
