/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew: the workers of a node as one: they follow one plan, and each pair of
 * them has a queue in each direction for frames that cross (handover.h).
 *
 *	              worker 0 ------- from[0] ---->  worker 1
 *	ports, queues    |     <------ from[1] -----     |    ports, queues
 *	              control queues
 *
 * Who serves what is arithmetic (spread.h) and never changes while the crew
 * lives. Everything here belongs to the control thread.
 */
#ifndef DATAPLANE_CREW_H
#define DATAPLANE_CREW_H

#include "dataplane/plan.h"
#include "dataplane/port.h"
#include "dataplane/set.h"

struct crew;
struct worker;

/* Makes n workers, which do not run yet. Returns 0 or negative errno. */
int crew_new(struct loop *control, unsigned n, struct crew **out);
/* core[i] < 0: worker i may run on any. Returns 0 or negative errno. */
int crew_start(struct crew *c, const int *core);
void crew_stop(struct crew *c); /* waits for their end */
void crew_free(struct crew *c); /* NULL is allowed */

/* Worker i, for who does its rounds in its place. Before crew_start(). */
struct worker *crew_worker(const struct crew *c, unsigned i);

/* p is in force, and none before it in use, when this returns. */
void crew_publish(struct crew *c, struct plan *p);
/* Waits until each has begun a new round: what epoll said before is over. */
void crew_pass(struct crew *c);
/* Has each of them moved since the last call? Then asks them to move. */
bool crew_is_alive(struct crew *c);

/* The worker of a queue is to see something else than a packet. */
void crew_wake(struct crew *c, const struct set_queue *q);

/* Packets of a port, and the bell of a queue, wake those who serve them. */
void crew_watch_port(struct crew *c, const struct port *p);
void crew_unwatch_port(struct crew *c, const struct port *p);
void crew_watch_bell(struct crew *c, struct set_queue *q);
void crew_unwatch_bell(struct crew *c, const struct set_queue *q);

#endif
