/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: what the routers of a project have used, ever: packets and bytes that
 * the host delivered to them and took from them, and time on a core.
 *
 * The sources begin anew: a router's counters with its memory, a container's
 * time with its cgroup. So what is added is what they grew by since they were
 * seen last, and what was seen is on disk beside the sum: after a start nothing
 * is counted twice. What is told is on disk first, so it never becomes less.
 */
#ifndef AGENT_USAGE_H
#define AGENT_USAGE_H

#include "lib/wire.h"

#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct node;
struct project;
struct router;

struct usage {
	uint64_t packets[2]; /* rx, tx */
	uint64_t bytes[2];
	uint64_t cpu_ns;
};

/* Of a project. */
struct usage_account {
	struct usage sum;
	struct usage saved; /* on disk */
	uint64_t saved_ms;
};

/* Of a router: what its sources said last. */
struct usage_seen {
	uint8_t set[WIRE_UID_BYTES]; /* the memory whose counters these are */
	struct usage at;
};

/* After the routers: reads what is on disk, and begins to count. */
int usage_open(struct node *n, struct err *e);
/* Writes down what is not, while routers and store are there. */
void usage_close(struct node *n);

/* Adds what r has used; before its memory or its container goes. */
void usage_count(struct router *r);

/* What is on disk of p, at most a second old; new reference. */
json_t *usage_account_json(struct node *n, struct project *p);
/* p has been deleted. */
void usage_forget(struct node *n, const struct project *p);

#endif
