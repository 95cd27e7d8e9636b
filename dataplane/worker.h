/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: a thread that moves packets; one of a crew (crew.h).
 *
 * A round: look at the plan (this is the quiescent point), take what other
 * workers have handed over, take from the tx rings of its queues, poll its
 * ports, ring those who sleep. Rounds without work for a while end in sleep.
 * Between the plan and the wake-up there is no lock, no system call per packet,
 * no log and no allocation.
 *
 * What control does to a running worker is here, too: publish a plan, add and
 * remove descriptors it may sleep on, wake it.
 */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include "dataplane/handover.h"
#include "dataplane/plan.h"
#include "dataplane/spread.h"

struct loop;
struct worker;

/* Returns 0 or negative errno; control is woken when a queue has stopped. */
int worker_new(struct loop *control, unsigned index, unsigned n_workers,
    struct worker **out);
/* Before the start of any: whom it may hand to, and by which queues. */
void worker_meet(struct worker *w, struct worker *peer,
    struct handover *to_peer, struct handover *from_peer);
/* Runs it on a thread of its own; core < 0 = any. Returns 0 or -errno. */
int worker_start(struct worker *w, int core);
void worker_ask_stop(struct worker *w);
void worker_join(struct worker *w); /* waits for its end */
void worker_free(struct worker *w); /* NULL is allowed */

/* Gives it a plan; it is in use, and none before it, when w has seen it. */
void worker_give_plan(struct worker *w, struct plan *p);
bool worker_has_seen(const struct worker *w, const struct plan *p);
/* Something else than a packet wants to be seen. */
void worker_wake(struct worker *w);
/* Is there a thread that will see things? */
bool worker_runs(const struct worker *w);
/* Grows with each round. */
uint64_t worker_rounds(const struct worker *w);

void worker_watch_port(struct worker *w, int fd);
void worker_watch_bell(struct worker *w, struct set_queue *q);
void worker_unwatch(struct worker *w, int fd);

#endif
