/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_log: what a router's container writes, from its init to the ring on
 * disk (logring.h), and to those who follow it.
 *
 * The tenant is who writes. It is read at a rate that costs the node little;
 * what comes faster waits in the container, where it is the tenant's own memory.
 */
#ifndef AGENT_ROUTER_LOG_H
#define AGENT_ROUTER_LOG_H

#include "agent/logring.h"
#include "lib/loop.h"

#include <stdbool.h>

struct router;

struct router_log {
	struct logring ring;
	int fd; /* from init, or -1 */
	struct loop_source *source;
	struct loop_source *rest; /* timer: until it is read again */
	uint64_t since_ms;        /* allowance, as of then */
	size_t allowance;
	uint64_t asked_ms;
	bool answered; /* something came: init knows what a log is */
	bool refused;  /* it is older, and hung up */
};

/* Returns 0 or -ENOMEM. */
int router_log_open(struct router *r);
void router_log_close(struct router *r);
/* init has come; fresh: another one than before. Or it has gone. */
void router_log_hello(struct router *r, bool fresh);
void router_log_gone(struct router *r);
/* The link is about to go. */
void router_log_detach(struct router *r);

#endif
