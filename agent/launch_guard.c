/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_guard: see launch_guard.h.
 *
 * The filter is installed in the launcher before it starts the container, and
 * is inherited: LXC's own profile knows the foreign entries too, but the old
 * mmap of i386 takes its arguments in memory, where no filter can look, and it
 * gives huge pages of the host to anyone who asks.
 *
 * The tmpfs is reached through /proc/PID/root and changed with fspick(2), from
 * outside: nothing of ours runs inside a tenant's namespaces.
 */
#include "agent/launch_guard.h"

#include "lib/base.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/vfs.h>

int
launch_guard_arch(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (!ctx)
		return err_set(e, -ENOMEM, "system call filter: out of memory");
	rc = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	/* the launcher itself still needs its privileges */
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc < 0 ? err_set(e, rc, "system call filter: %s", strerror(-rc))
		      : 0;
}

static int
open_var(pid_t pid, struct err *e)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root/var", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "%s: %s", path, strerror(errno))
		      : fd;
}

int
launch_disk_read(pid_t pid, uint64_t *out, struct err *e)
{
	scoped_close int fd = open_var(pid, e);
	struct statfs s;

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &s) < 0)
		return err_set(e, -errno, "size of /var: %s", strerror(errno));
	*out = s.f_type == TMPFS_MAGIC
		   ? (uint64_t)s.f_blocks * (uint64_t)s.f_bsize
		   : 0;
	return 0;
}

int
launch_disk_write(pid_t pid, uint64_t bytes, struct err *e)
{
	scoped_close int fd = open_var(pid, e);
	scoped_close int fs = -1;
	char text[32];

	if (fd < 0)
		return fd;
	fs = fspick(fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", text, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return err_set(e, -errno, "limit disk: %s", strerror(errno));
	return 0;
}
