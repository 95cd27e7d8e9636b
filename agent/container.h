/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container: what europad needs of a container back end, as a struct of
 * functions. container_lxc.c runs LXC through europa-launch, one process per
 * operation (a crash in liblxc is no crash of europad, and start() drags its
 * caller into the container's cgroup); container_fake.c is for tests. What
 * another back end must provide is in doc/decisions/.
 *
 * Operations are asynchronous: they return at once and call done on the loop's
 * thread, exactly once, and but for -ENOMEM never from within the call. A
 * router has at most one operation under way. All are idempotent: starting what
 * runs and stopping what is stopped succeed.
 */
#ifndef AGENT_CONTAINER_H
#define AGENT_CONTAINER_H

#include "lib/cpus.h"
#include "lib/err.h"
#include "lib/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct container_limits {
	uint32_t cpu_millis; /* thousandths of a core; CFS period 10 ms */
	uint64_t mem_bytes;
	uint32_t pids;
	uint64_t disk_bytes;  /* tmpfs on /var */
	char cpus[CPUS_TEXT]; /* cores it may run on, "1-3,5"; "" = not
	                         limited, or the host does not tell */
};

struct container_spec {
	const char *uid;      /* UUID text: names config, cgroups and sockets */
	const char *hostname; /* the router's name */
	const char *rootfs;   /* read-only root, shared by routers */
	const char *run_dir;  /* host folder, seen read-only as
	                         /run/europa-node */
	uint32_t id_base;     /* first host uid and gid of its 65536 */
	struct container_limits limits;
};

#define CONTAINER_UNKNOWN UINT64_MAX

/* What one uses now; CONTAINER_UNKNOWN where nobody counts. */
struct container_use {
	uint64_t cpu_ns;    /* time on cores since it started */
	uint64_t mem_bytes; /* as far as the limit counts it: with its tmpfs */
	uint64_t pids;
	uint64_t disk_bytes; /* of what the tmpfs on /var may hold */
};

enum container_state {
	CONTAINER_STOPPED,
	CONTAINER_RUNNING,
	CONTAINER_FROZEN,
};

struct container_status {
	enum container_state state;
	pid_t init_pid;                    /* on the host; 0 when stopped */
	struct container_limits effective; /* read back; 0 = not limited */
	char all_cpus[CPUS_TEXT]; /* cores that it could have; "" = not known */
};

/* What is done to one container. */
enum container_verb {
	/* Writes the configuration, starts, reads every limit back. */
	CONTAINER_DO_START,
	CONTAINER_DO_STOP, /* ends all of its processes */
	CONTAINER_DO_FREEZE,
	CONTAINER_DO_THAW,
	/* State and limits as they are. One never made is STOPPED. */
	CONTAINER_DO_QUERY,
	/* Changes limits of a running one, and reads them back. */
	CONTAINER_DO_LIMIT,
	/* Stops it and removes its configuration, logs and cgroups. */
	CONTAINER_DO_DESTROY,
	CONTAINER_N_VERBS,
};

/*
 * rc is 0 or negative errno, then e says why. st is filled on success.
 * -EBADE: started, but a limit read back is not the one asked for; it has been
 * stopped again.
 */
typedef void (*container_done_fn)(
    void *arg, int rc, const struct container_status *st, const struct err *e);

struct container_config {
	const char *dir;      /* where configurations and logs lie, per uid */
	const char *launcher; /* path of europa-launch */
};

struct container_ops {
	const char *name;

	/* Returns 0 and the cookie, or negative errno with e set. */
	int (*open)(struct loop *l, const struct container_config *c,
	    void **cookie, struct err *e);
	/* Operations under way are forgotten, their done is not called. */
	void (*close)(void *cookie);

	/* Copies what it needs of s: but for START and LIMIT the uid alone. */
	void (*begin)(void *cookie, enum container_verb verb,
	    const struct container_spec *s, container_done_fn done, void *arg);

	/*
	 * Calls fn with the uid of each container that has a configuration
	 * folder, for finding those without a router. Synchronous.
	 */
	void (*list)(
	    void *cookie, void (*fn)(void *arg, const char *uid), void *arg);

	/*
	 * What it uses now; init_pid is that of its status, 0: all but the
	 * disk. Synchronous: it waits for nothing that a tenant has a hand in.
	 */
	void (*use)(void *cookie, const char *uid, pid_t init_pid,
	    struct container_use *out);
};

extern const struct container_ops container_lxc;
extern const struct container_ops container_fake;

#endif
