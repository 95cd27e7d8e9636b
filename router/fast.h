/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast: a fast path, one thread that serves one data queue with the pipeline.
 * Busy, it makes no system call and takes no lock; idle, it polls for a moment
 * and then sleeps, and while it sleeps it holds no tables.
 */
#ifndef ROUTER_FAST_H
#define ROUTER_FAST_H

#include "router/pipeline.h"
#include "router/publish.h"

enum fast_limits { FAST_POLL_NS = 30000 };

struct fast {
	struct pipeline *pipeline;
	struct publish *publish;
	unsigned reader;    /* its number there */
	struct bell bell;   /* (fast) sleeps, main rings */
	_Atomic(bool) stop; /* (main) */
};

/* Opens queue q of v. slow is who gets the exceptions. */
int fast_init(struct fast *f, struct vnic *v, unsigned q, struct bell *slow);
void fast_destroy(struct fast *f);

void fast_stop(struct fast *f);

/* Works until the set is over or fast_stop(). Context: fast. */
void fast_run(struct fast *f);

#endif
