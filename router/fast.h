/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast: a fast path, one thread that serves data queues, each with a pipeline:
 * fast path f of F has those q with q mod F = f. What forwards is in its seat:
 * the pipeline in C, or a script of its own.
 * Busy, it makes no system call and takes no lock; idle, it polls for a moment,
 * or naps if it shares its core (share.h), and then sleeps, and while it sleeps
 * it holds no tables.
 */
#ifndef ROUTER_FAST_H
#define ROUTER_FAST_H

#include "router/path.h"
#include "router/pipeline.h"
#include "router/probe.h"
#include "router/publish.h"
#include "router/seat.h"
#include "router/share.h"
#include "router/watchdog.h"

struct fast {
	unsigned n;
	struct pipeline *pipeline[VNIC_MAX_QUEUES]; /* [n] */
	struct vnic_queue *queue[VNIC_MAX_QUEUES];  /* [n], of the same */
	struct publish *publish;
	unsigned reader;    /* its number there */
	struct bell bell;   /* (fast) sleeps, main rings */
	_Atomic(bool) stop; /* (main) */
	struct seat seat;
	struct pulse pulse;    /* (fast) its script lives */
	_Atomic(bool) probing; /* (main) probe is to be used */
	struct probe probe;    /* (fast) */

	/* (fast) */
	struct share share;
	bool gone;  /* the set is over */
	bool waits; /* no queue of this round may run */
	bool runs;  /* all of them may */
	/* while a script runs: */
	struct path path;
	unsigned at;      /* the queue whose batch it has, or the next */
	unsigned n_round; /* packets of this round */
};

/* Opens queue q of v, for p. slow is who gets the exceptions. */
int fast_add(struct fast *f, struct vnic *v, unsigned q, struct pipeline *p,
    struct bell *slow);
void fast_destroy(struct fast *f);

/* Which pipeline it is to run; f needs one before fast_run(). Context: main. */
void fast_offer(struct fast *f, struct script *next, struct script *spare);

void fast_stop(struct fast *f);

/* Works until the set is over or fast_stop(). Context: fast. */
void fast_run(struct fast *f);

#endif
