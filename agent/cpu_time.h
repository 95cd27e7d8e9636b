/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu_time: how long the processes of a container have had a core, as its
 * cgroup says; from any tree that counts it, of version 1 or 2.
 */
#ifndef AGENT_CPU_TIME_H
#define AGENT_CPU_TIME_H

#include "agent/launch_cgroup.h"

/* Nanoseconds since it started; 0 if nobody counts, or it is not there. */
uint64_t cpu_time_ns(const struct cgroups *c, const char *uid);

#endif
