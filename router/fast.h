/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast: a fast path, one thread that serves data queues, each with a pipeline:
 * fast path f of F has those q with q mod F = f.
 * Busy, it makes no system call and takes no lock; idle, it polls for a moment
 * and then sleeps, and while it sleeps it holds no tables.
 */
#ifndef ROUTER_FAST_H
#define ROUTER_FAST_H

#include "router/pipeline.h"
#include "router/publish.h"

enum fast_limits { FAST_POLL_NS = 30000 };

struct fast {
	unsigned n;
	struct pipeline *pipeline[VNIC_MAX_QUEUES]; /* [n] */
	struct vnic_queue *queue[VNIC_MAX_QUEUES];  /* [n], of the same */
	struct publish *publish;
	unsigned reader;    /* its number there */
	struct bell bell;   /* (fast) sleeps, main rings */
	_Atomic(bool) stop; /* (main) */
};

/* Opens queue q of v, for p. slow is who gets the exceptions. */
int fast_add(struct fast *f, struct vnic *v, unsigned q, struct pipeline *p,
    struct bell *slow);
void fast_destroy(struct fast *f);

void fast_stop(struct fast *f);

/* Works until the set is over or fast_stop(). Context: fast. */
void fast_run(struct fast *f);

#endif
