/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_guard: two things around a container that LXC has no setting for, the
 * kernel's foreign system call entries, and the size of a mounted tmpfs; and the
 * look whether LXC did what it was told.
 */
#ifndef AGENT_LAUNCH_GUARD_H
#define AGENT_LAUNCH_GUARD_H

#include "lib/err.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * From here on this process and all that it starts have the native system
 * calls only: those of i386 and x32 are unknown. Returns 0 or negative errno.
 */
int launch_guard_arch(struct err *e);

/*
 * Looks whether process pid is behind the walls that its configuration asked
 * for: its range of ids, both filters, no new privileges, no SYS_ADMIN. status
 * and uid_map are the files of /proc/PID. Returns 0, or -EBADE and e names the
 * wall that is missing.
 */
int launch_guard_check(
    const char *status, const char *uid_map, uint32_t id_base, struct err *e);

/* The size of the tmpfs on /var of process pid; 0 if there is none. */
int launch_disk_read(pid_t pid, uint64_t *out, struct err *e);

/* Changes it. -EBUSY or another errno if more than that is in use. */
int launch_disk_write(pid_t pid, uint64_t bytes, struct err *e);

#endif
