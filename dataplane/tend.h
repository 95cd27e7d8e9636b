/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tend: the control thread's care for queues: it begins epochs, sees who is
 * ill, and tells europad and the service manager.
 *
 * It looks when it is woken (a worker has let go of a queue, a waiting router
 * has rung its bell) and by a timer that is as slow as it may be: 1 ms while
 * something is about to happen, 1 s when routers are only away, never when all
 * is well but for the look at stalled routers and lost devices once per second.
 */
#ifndef DATAPLANE_TEND_H
#define DATAPLANE_TEND_H

#include "dataplane/node.h"

struct tend;

/* Takes the loop's wake-up for itself. Returns 0 or negative errno. */
int tend_new(struct node *n, struct tend **out);
void tend_free(struct tend *t); /* NULL is allowed */

#endif
