/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: the thread that moves packets.
 *
 * A round: look at the plan (this is the quiescent point), take from every
 * router's tx rings, poll every port, ring those who sleep. Rounds without work
 * for a while end in sleep. Between the plan and the wake-up there is no lock,
 * no system call per packet, no log and no allocation.
 *
 * What control does to a running worker is here, too: publish a plan, add and
 * remove descriptors it may sleep on, wake it.
 */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include "dataplane/plan.h"

struct loop;
struct worker;

/* Returns 0 or negative errno; control is woken when a queue has stopped. */
int worker_new(struct loop *control, struct worker **out);
/* Runs it on a thread of its own; core < 0 = any. Returns 0 or -errno. */
int worker_start(struct worker *w, int core);
void worker_stop(struct worker *w); /* waits for its end */
void worker_free(struct worker *w); /* NULL is allowed */

/* p is in force, and none before it in use, when this returns. */
void worker_publish(struct worker *w, struct plan *p);
/* Something else than a packet wants to be seen. */
void worker_wake(struct worker *w);
/* Waits until a new round has begun: what epoll said before it is over. */
void worker_pass(struct worker *w);
/* Grows with each round. */
uint64_t worker_rounds(const struct worker *w);

void worker_watch_port(struct worker *w, int fd);
void worker_watch_bell(struct worker *w, struct set_queue *q);
void worker_unwatch(struct worker *w, int fd);

#endif
