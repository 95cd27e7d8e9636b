/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_care: what europad does for a router without being asked each time: it
 * starts its container again, or not, as restart_policy says; keeps the last of
 * its faults; and ends it with its lease.
 *
 * A lease is counted on CLOCK_BOOTTIME, so that no step of the clock ends it or
 * makes it longer, and is kept with the time of the wall beside it, which decides
 * after a boot: then it is never longer than what was granted.
 */
#ifndef AGENT_ROUTER_CARE_H
#define AGENT_ROUTER_CARE_H

#include "agent/faults.h"

struct api_request;
struct router;

struct router_lease {
	char boot[FAULTS_BOOT]; /* "" = there is none */
	uint64_t end_ms;        /* boot time */
	int64_t end_s;          /* the same, since 1970 */
	uint64_t granted_ms;
};

/* The parts of r, before anything else is read of it. Returns 0 or -ENOMEM. */
int router_care_open(struct router *r);
void router_care_close(struct router *r);

/* What is due is done: files, the end of a lease. */
void router_care_sync(struct router *r);

/* Its init, which is pid_fd, ended without being asked. */
void router_care_died(struct router *r, int status);
/* The status of wait(2) of what pid_fd was, or -1. */
int router_care_exit(int pid_fd);
/* Something went wrong; status is that of wait(2), or -1. */
void router_care_fault(struct router *r, const char *what, int status,
    const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The data plane process ended. */
void router_care_process_ended(struct router *r, int status);
/* It went wrong in the life of the machine that goes on: it stays down. */
void router_care_recall(struct router *r);

/*
 * The lease that spec would have with rq: a new one if rq names it, else what r
 * has. Returns 0, or -EINVAL with p set.
 */
int router_lease_next(const struct router *r, const struct model_router *spec,
    struct api_request *rq, struct router_lease *out, struct problem *p);
/* For the store: an object, or NULL if there is none. */
json_t *router_lease_row(const struct router_lease *l);
void router_lease_load(struct router_lease *l, const json_t *row);
/* For status. */
json_t *router_lease_json(const struct router_lease *l);
/* A patch that names one way to say the time leaves the other. */
void router_lease_patch(json_t *object, const json_t *patch);

#endif
