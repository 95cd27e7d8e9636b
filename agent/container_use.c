/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_use: see container_use.h.
 *
 * The tmpfs is looked at from outside, through /proc/PID/root. What init's root
 * is may be up to the tenant, but nothing there can be mounted by one, so every
 * file system is the host's; and the way to /var is only walked as far as the
 * kernel has it in memory (it has: something is mounted there), through no link.
 * It is looked at anew each time: a descriptor that is kept would hold the tmpfs
 * of a container that is gone.
 */
#include "agent/container_use.h"

#include "agent/cpu_time.h"
#include "lib/base.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

static uint64_t
read_number(const struct cgroups *c, enum cgroup_controller k, const char *uid,
    const char *file)
{
	char path[CGROUP_PATH_BYTES + 96], text[32];
	scoped_close int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/europa/%s/payload/%s",
	    c->tree[c->of[k]].root, uid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0 || text[0] < '0' || text[0] > '9')
		return CONTAINER_UNKNOWN;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

/* With swap, as the limit; a host that does not count swap has no such file. */
static uint64_t
read_memory(const struct cgroups *c, const char *uid)
{
	uint64_t mem, swap;

	if (c->tree[c->of[CGROUP_MEMORY]].unified) {
		mem = read_number(c, CGROUP_MEMORY, uid, "memory.current");
		swap =
		    read_number(c, CGROUP_MEMORY, uid, "memory.swap.current");
		return mem == CONTAINER_UNKNOWN || swap == CONTAINER_UNKNOWN
			   ? mem
			   : mem + swap;
	}
	mem = read_number(c, CGROUP_MEMORY, uid, "memory.memsw.usage_in_bytes");
	return mem != CONTAINER_UNKNOWN ? mem
					: read_number(c, CGROUP_MEMORY, uid,
					      "memory.usage_in_bytes");
}

uint64_t
container_use_disk(pid_t pid)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS,
	};
	scoped_close int root = -1, fd = -1;
	struct statfs s;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (root >= 0)
		fd = (int)syscall(SYS_openat2, root, "var", &how, sizeof(how));
	if (fd < 0 || fstatfs(fd, &s) < 0 || s.f_type != TMPFS_MAGIC)
		return CONTAINER_UNKNOWN;
	return (uint64_t)(s.f_blocks - s.f_bfree) * (uint64_t)s.f_bsize;
}

void
container_use_read(const struct cgroups *c, const char *uid, pid_t pid,
    struct container_use *out)
{
	uint64_t ns = c ? cpu_time_ns(c, uid) : 0;

	*out = (struct container_use){
		.cpu_ns = ns ? ns : CONTAINER_UNKNOWN,
		.mem_bytes = c ? read_memory(c, uid) : CONTAINER_UNKNOWN,
		.pids = c ? read_number(c, CGROUP_PIDS, uid, "pids.current")
			  : CONTAINER_UNKNOWN,
		.disk_bytes = container_use_disk(pid),
	};
}
