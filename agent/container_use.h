/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_use: what a container uses of its limits, from the cgroups that
 * hold them (version 1 or 2), and from its tmpfs.
 */
#ifndef AGENT_CONTAINER_USE_H
#define AGENT_CONTAINER_USE_H

#include "agent/launch_cgroup.h"

/*
 * c may be NULL; pid is its init, or 0. What cannot be read is
 * CONTAINER_UNKNOWN. Never waits for a disk, nor for a process.
 */
void container_use_read(const struct cgroups *c, const char *uid, pid_t pid,
    struct container_use *out);

/* Bytes in the tmpfs on /var of process pid. */
uint64_t container_use_disk(pid_t pid);

#endif
