/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep: routers' memory in the service manager's store of descriptors.
 *
 * europad and the data plane hold each other's copies of the regions; with the
 * store they survive when both die at once. Not in it: what is wanted (that is
 * the database's), and memory that nobody has mapped. What comes back is checked
 * as if the data plane had sent it. Without a service manager nothing happens.
 */
#ifndef AGENT_KEEP_H
#define AGENT_KEEP_H

#include "agent/router.h"

/* r->fds of r->set, which r->has_memory. */
void keep_memory(const struct router *r);
void keep_no_memory(const struct router *r);

/* When the routers have been loaded: gives them what the store had of theirs. */
void keep_restore(struct node *n);

#endif
