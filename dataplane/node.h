/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: the data plane as the control thread sees it: ports, sets, the plan in
 * force and the crew of workers that follows it. It holds no configuration of
 * its own: europad says everything again after a restart of either.
 */
#ifndef DATAPLANE_NODE_H
#define DATAPLANE_NODE_H

#include "dataplane/plan.h"
#include "dataplane/port.h"
#include "dataplane/set.h"
#include "lib/loop.h"

struct control;
struct crew;

struct node {
	struct loop *loop;
	struct crew *crew;
	struct port_workers workers;
	struct control *control;
	struct port *ports;
	struct set *sets;
	struct plan *plan; /* in force */
	uint64_t generation;
	bool hugepages;
};

/* All on the control thread. */
struct port *node_port(const struct node *n, const char *name);
struct set *node_set(const struct node *n, const uint8_t *uid);

/*
 * Builds a plan of what is there now and puts it in force; when it returns, no
 * worker knows the one before. Returns 0 or -ENOMEM, then nothing has changed.
 */
int node_publish(struct node *n);

/* Opens the ports of a file; those that fail stay DOWN. */
int node_open_ports(struct node *n, const char *path);
void node_add_port(struct node *n, struct port *p);
/* port_open() with the load of workers as it is now. */
int node_open_port(struct node *n, struct port *p);
/* Takes it out of the plan and closes it; it stays known. 0 or -ENOMEM. */
int node_close_port(struct node *n, struct port *p);
/* Takes it out of the plan, closes and frees it. Returns 0 or -ENOMEM. */
int node_drop_port(struct node *n, struct port *p);

void node_add_set(struct node *n, struct set *s);
/* The same for a set; its router is told to ask for another. */
int node_drop_set(struct node *n, struct set *s);

/* Everything goes; the worker has ended before. Routers stay as they are. */
void node_clear(struct node *n);

#endif
