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
#include <linux/capability.h>
#include <linux/magic.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/vfs.h>

enum { ID_RANGE = 65536, N_FILTERS = 2 };

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

/* The number after "name:" in a status text, or none if it is not there. */
static uint64_t
status_number(const char *text, const char *name, int base, uint64_t none)
{
	char key[32];
	const char *p;

	snprintf(key, sizeof(key), "\n%s:", name);
	p = strstr(text, key);
	return p ? strtoull(p + strlen(key), NULL, base) : none;
}

static int
read_proc(const char *path, char *buf, size_t size, struct err *e)
{
	scoped_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	buf[n] = '\0';
	return 0;
}

int
launch_guard_check(
    const char *status, const char *uid_map, uint32_t id_base, struct err *e)
{
	uint64_t inside, outside, count;
	char text[8192], map[256];
	int rc = read_proc(status, text, sizeof(text), e);

	if (rc == 0)
		rc = read_proc(uid_map, map, sizeof(map), e);
	if (rc < 0)
		return rc;
	if (sscanf(map, "%" SCNu64 " %" SCNu64 " %" SCNu64, &inside, &outside,
		&count) != 3 ||
	    inside != 0 || outside != id_base || count != ID_RANGE)
		return err_set(e, -EBADE, "the range of ids is not its own");
	if (status_number(text, "NoNewPrivs", 10, 0) != 1)
		return err_set(e, -EBADE, "it could gain new privileges");
	/* older kernels do not count filters */
	if (status_number(text, "Seccomp", 10, 0) != 2 ||
	    status_number(text, "Seccomp_filters", 10, N_FILTERS) < N_FILTERS)
		return err_set(
		    e, -EBADE, "a system call filter is not in force");
	if (status_number(text, "CapBnd", 16, UINT64_MAX) &
	    (1ULL << CAP_SYS_ADMIN))
		return err_set(e, -EBADE, "it has the capability SYS_ADMIN");
	return 0;
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
