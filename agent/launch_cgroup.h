/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_cgroup: the cgroups of one container, in the files of the kernel.
 *
 * A host has one tree per controller (version 1), or one for all (version 2),
 * or a mixture. Everything of a router lies under europa/UID in each of them:
 *
 *	europa/UID/monitor		LXC's monitor
 *	europa/UID/payload		the limits
 *	europa/UID/payload/inner	the router's processes, their root
 *	europa/UID/pivot		where a monitor goes to die
 *
 * Invariant: a limit counts as set when it was read back here, from the cgroup
 * that holds the process, and in no other case.
 */
#ifndef AGENT_LAUNCH_CGROUP_H
#define AGENT_LAUNCH_CGROUP_H

#include "agent/container.h"

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_FREEZER, /* this one, and those below, a host may lack */
	CGROUP_CPUSET,
	CGROUP_N_CONTROLLERS,
};

enum { CGROUP_MAX_TREES = 32, CGROUP_PATH_BYTES = 512 };

struct cgroup_tree {
	char root[CGROUP_PATH_BYTES]; /* europa lies in it */
	bool unified;                 /* version 2 */
	bool has[CGROUP_N_CONTROLLERS];
};

struct cgroups {
	unsigned n;
	int of[CGROUP_FREEZER]; /* the tree with the limit on that */
	struct cgroup_tree tree[CGROUP_MAX_TREES];
};

/*
 * Finds the trees: mounts is /proc/self/mounts, own is /proc/1/cgroup (LXC
 * hangs containers below where init is). Returns 0 or negative errno; -ENOTSUP
 * if a controller with a limit of ours is in none.
 */
int cgroups_probe(
    struct cgroups *out, const char *mounts, const char *own, struct err *e);

/*
 * Reads the limits on cpu, memory and pids of a running container; 0 = not
 * limited. mem_bytes is memory and swap together, as far as the host counts
 * swap. Returns 0 or negative errno with e set.
 */
int cgroups_read(const struct cgroups *c, const char *uid,
    struct container_limits *out, struct err *e);

/*
 * Writes them, in an order that the kernel accepts. A memory limit below what
 * is in use is -EBUSY; what had been changed before stays changed.
 */
int cgroups_write(const struct cgroups *c, const char *uid,
    const struct container_limits *l, struct err *e);

/* Forbids swap, or limits it with memory; part of cgroups_write(). */
int cgroups_write_swap(const struct cgroups *c, const char *uid,
    const struct container_limits *l, struct err *e);

/*
 * The cores of a running container as a list, and those that it could have; ""
 * if no tree tells. Writing is -ENOTSUP then; an empty list changes nothing.
 */
int cgroups_read_cpus(const struct cgroups *c, const char *uid,
    char out[CPUS_TEXT], char all[CPUS_TEXT], struct err *e);
int cgroups_write_cpus(
    const struct cgroups *c, const char *uid, const char *cpus, struct err *e);

/* 0 if pid is inside the payload of every limit, or -EBADE with e set. */
int cgroups_check_holds(
    const struct cgroups *c, const char *uid, pid_t pid, struct err *e);

/*
 * 0 if got is what was asked for, to the rounding of a page that the kernel
 * does; else -EBADE and e names the limit.
 */
int cgroups_check_equal(const struct container_limits *asked,
    const struct container_limits *got, struct err *e);

/*
 * Kills whatever sits below europa/UID/part, frozen or not, and waits until
 * nothing does. part may be "". Returns how many signals were sent, or -EBUSY
 * after timeout_ms.
 */
int cgroups_kill(const struct cgroups *c, const char *uid, const char *part,
    unsigned timeout_ms);

/* Waits until nothing sits there. Returns 0 or -EBUSY after timeout_ms. */
int cgroups_wait_empty(const struct cgroups *c, const char *uid,
    const char *part, unsigned timeout_ms);

/*
 * Moves the caller out of europa/UID: LXC's start takes it in, and what is not
 * empty cannot be removed.
 */
void cgroups_leave(const struct cgroups *c);

/* Removes europa/UID from every tree. Returns 0 or negative errno. */
int cgroups_remove(const struct cgroups *c, const char *uid);

/* Removes europa itself where nothing is in it. */
void cgroups_remove_top(const struct cgroups *c);

#endif
