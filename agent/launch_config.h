/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_config: the LXC configuration and the system call profile of one
 * container, as text. No liblxc here: what the text says can be read, compared
 * and tested without it.
 */
#ifndef AGENT_LAUNCH_CONFIG_H
#define AGENT_LAUNCH_CONFIG_H

#include "agent/launch_args.h"

#include <stdio.h>

/* Where CPU time is cut: 10 ms, but a quota below 1 ms is not accepted. */
struct launch_cpu {
	uint64_t quota_us;
	uint64_t period_us;
};

struct launch_cpu launch_cpu(uint32_t cpu_millis);
/* The way back; 0 if quota is not a limit. */
uint32_t launch_cpu_millis(uint64_t quota_us, uint64_t period_us);

void launch_config_print(FILE *f, const struct launch_args *a);
void launch_seccomp_print(FILE *f);

/*
 * Writes DIR/UID/config and DIR/UID/seccomp, each whole or not at all. Makes
 * DIR/UID. Returns 0 or negative errno with e set.
 */
int launch_config_write(const struct launch_args *a, struct err *e);

/*
 * If newuidmap is in one of the folders of path, liblxc uses it, and it wants
 * lines in /etc/subuid and /etc/subgid. Returns 0, or -EPERM with e naming the
 * line to add.
 */
int launch_idmap_check(const char *path, const char *subuid, const char *subgid,
    uint32_t id_base, struct err *e);

#endif
