/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_config: what a router's container is, line by line.
 *
 * The wall has several layers, each of which holds alone: a user namespace with
 * a range of ids of its own, a root file system whose files belong to nobody in
 * it, a small set of capabilities without SYS_ADMIN, no new privileges, a
 * device list, a system call filter, and limits in both families of cgroups
 * (LXC ignores the family that the host does not have without a word, which is
 * why europa-launch reads every limit back). There is no console: a tenant who
 * writes to one makes the monitor, a process outside of all limits, work.
 *
 * The filter is a list of what is refused. Its reasons: system calls that undo
 * what shared memory promises (holes in it, huge pages of the host, pages moved
 * away), that watch or change other processes, and large pieces of kernel that
 * no data plane needs. launch_guard.c shuts the door that this profile cannot:
 * the 32-bit entries, where the arguments of mmap lie in memory.
 *
 * Rights over its network namespace are for who has to make twins there, which
 * the template says with a file. What the kernel does for them it does outside
 * of the limits: softirq time, rings of packet sockets, neighbours.
 */
#include "agent/launch_config.h"

#include "lib/base.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

enum {
	PERIOD_US = 10000,
	MIN_QUOTA_US = 1000,
	ID_RANGE = 65536,
	RUN_BYTES = 32 << 20, /* two router.conf of 8 MiB and what else runs */
	TMP_BYTES = 16 << 20,
};

static const char capabilities[] =
    "chown dac_override fowner fsetid kill "
    "setgid setuid setpcap net_bind_service sys_chroot";
static const char twins_capabilities[] = " net_admin net_raw";

/* null, zero, full, random, urandom, tty, ptmx, pts/N */
static const char *const devices[] = { "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",
	"c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm" };
static const char twins_device[] = "c 10:200 rwm"; /* net/tun */

/* Refused with "not permitted". */
static const char *const refused[] = {
	"acct",
	"add_key",
	"bpf",
	"delete_module",
	"fallocate",
	"fanotify_init",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"get_kernel_syms",
	"init_module",
	"io_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"mbind",
	"migrate_pages",
	"mount",
	"mount_setattr",
	"move_mount",
	"move_pages",
	"name_to_handle_at",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pidfd_getfd",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"setns",
	"swapoff",
	"swapon",
	"syslog",
	"umount2",
	"userfaultfd",
};

/* Refused as if the kernel were older: the C library knows another way. */
static const char *const unknown[] = { "clone3", "io_uring_enter",
	"io_uring_register", "io_uring_setup" };

/* [argument, value, comparison, mask] */
static const char *const conditional[] = {
	/* MADV_REMOVE; the kernel looks at 32 bits, a plain EQ at 64 */
	"madvise errno 1 [2,9,SCMP_CMP_MASKED_EQ,4294967295]",
	/* above AF_PACKET: of the hypervisor (VSOCK), or of no use (ALG, TIPC) */
	"socket errno 97 [0,17,SCMP_CMP_GT]",
	"socketpair errno 97 [0,17,SCMP_CMP_GT]",
	/* SOL_PACKET: PACKET_RX_RING, PACKET_TX_RING; memory nobody accounts */
	"setsockopt errno 92 [1,263,SCMP_CMP_MASKED_EQ,4294967295] "
	"[2,5,SCMP_CMP_MASKED_EQ,4294967295]",
	"setsockopt errno 92 [1,263,SCMP_CMP_MASKED_EQ,4294967295] "
	"[2,13,SCMP_CMP_MASKED_EQ,4294967295]",
	/* MFD_HUGETLB */
	"memfd_create errno 1 [1,4,SCMP_CMP_MASKED_EQ,4]",
	/* MAP_HUGETLB */
	"mmap errno 1 [3,262144,SCMP_CMP_MASKED_EQ,262144]",
	"mmap2 errno 1 [3,262144,SCMP_CMP_MASKED_EQ,262144]",
	/* SHM_HUGETLB */
	"shmget errno 1 [2,2048,SCMP_CMP_MASKED_EQ,2048]",
	/* CLONE_NEWUSER */
	"clone errno 1 [0,268435456,SCMP_CMP_MASKED_EQ,268435456]",
	"unshare errno 1 [0,268435456,SCMP_CMP_MASKED_EQ,268435456]",
};

struct launch_cpu
launch_cpu(uint32_t cpu_millis)
{
	struct launch_cpu c = { (uint64_t)cpu_millis * PERIOD_US / 1000,
		PERIOD_US };

	if (c.quota_us < MIN_QUOTA_US && cpu_millis > 0) {
		c.quota_us = MIN_QUOTA_US;
		c.period_us = (uint64_t)MIN_QUOTA_US * 1000 / cpu_millis;
	}
	return c;
}

uint32_t
launch_cpu_millis(uint64_t quota_us, uint64_t period_us)
{
	if (period_us == 0 || quota_us > UINT64_MAX / 1000)
		return 0;
	return (uint32_t)MIN(quota_us * 1000 / period_us, (uint64_t)UINT32_MAX);
}

/* The root is the host's: nobody in a container can write there. */
static bool
has_twins(const struct container_spec *s)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/etc/europa/twins", s->rootfs);
	return access(path, F_OK) == 0;
}

static void
print_device(FILE *f, const char *device)
{
	fprintf(f,
	    "lxc.cgroup.devices.allow = %s\n"
	    "lxc.cgroup2.devices.allow = %s\n",
	    device, device);
}

static void
print_cgroups(FILE *f, const struct launch_args *a)
{
	const struct container_limits *l = &a->spec.limits;
	struct launch_cpu cpu = launch_cpu(l->cpu_millis);
	const char *uid = a->spec.uid;

	fprintf(f, "lxc.cgroup.dir.monitor = europa/%s/monitor\n", uid);
	fprintf(f, "lxc.cgroup.dir.monitor.pivot = europa/%s/pivot\n", uid);
	fprintf(f, "lxc.cgroup.dir.container = europa/%s/payload\n", uid);
	fprintf(f, "lxc.cgroup.dir.container.inner = inner\n");
	fprintf(
	    f, "lxc.cgroup.cpu.cfs_period_us = %" PRIu64 "\n", cpu.period_us);
	fprintf(f, "lxc.cgroup.cpu.cfs_quota_us = %" PRIu64 "\n", cpu.quota_us);
	fprintf(f, "lxc.cgroup.memory.limit_in_bytes = %" PRIu64 "\n",
	    l->mem_bytes);
	fprintf(f, "lxc.cgroup.pids.max = %" PRIu32 "\n", l->pids);
	fprintf(f, "lxc.cgroup2.cpu.max = %" PRIu64 " %" PRIu64 "\n",
	    cpu.quota_us, cpu.period_us);
	fprintf(f, "lxc.cgroup2.memory.max = %" PRIu64 "\n", l->mem_bytes);
	fprintf(f, "lxc.cgroup2.pids.max = %" PRIu32 "\n", l->pids);
	if (l->cpus[0])
		fprintf(f,
		    "lxc.cgroup.cpuset.cpus = %s\n"
		    "lxc.cgroup2.cpuset.cpus = %s\n",
		    l->cpus, l->cpus);
	fprintf(f, "lxc.cgroup.devices.deny = a\n");
	fprintf(f, "lxc.cgroup2.devices.deny = a\n");
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++)
		print_device(f, devices[i]);
	if (has_twins(&a->spec))
		print_device(f, twins_device);
}

static void
print_mounts(FILE *f, const struct container_spec *s)
{
	fprintf(f, "lxc.rootfs.path = dir:%s\n", s->rootfs);
	fprintf(f, "lxc.rootfs.options = ro\n");
	/* else destroy would remove the folder that all routers share */
	fprintf(f, "lxc.rootfs.managed = 0\n");
	fprintf(f, "lxc.autodev = 1\n");
	fprintf(f, "lxc.mount.auto = proc:mixed sys:ro\n");
	fprintf(f,
	    "lxc.mount.entry = tmpfs run tmpfs "
	    "rw,nosuid,nodev,mode=0755,size=%d 0 0\n",
	    RUN_BYTES);
	fprintf(f,
	    "lxc.mount.entry = tmpfs tmp tmpfs "
	    "rw,nosuid,nodev,mode=1777,size=%d 0 0\n",
	    TMP_BYTES);
	fprintf(f,
	    "lxc.mount.entry = tmpfs var tmpfs "
	    "rw,nosuid,nodev,mode=0755,size=%" PRIu64 " 0 0\n",
	    s->limits.disk_bytes);
	fprintf(f,
	    "lxc.mount.entry = %s run/europa-node none "
	    "bind,ro,nosuid,nodev,noexec,create=dir 0 0\n",
	    s->run_dir);
	if (has_twins(s))
		fprintf(f, "lxc.mount.entry = /dev/net/tun dev/net/tun none "
			   "bind,create=file,optional 0 0\n");
}

void
launch_config_print(FILE *f, const struct launch_args *a)
{
	const struct container_spec *s = &a->spec;

	fprintf(f, "lxc.uts.name = %s\n", s->hostname);
	fprintf(f, "lxc.init.cmd = /sbin/init\n");
	fprintf(f, "lxc.idmap = u 0 %" PRIu32 " %d\n", s->id_base, ID_RANGE);
	fprintf(f, "lxc.idmap = g 0 %" PRIu32 " %d\n", s->id_base, ID_RANGE);
	print_mounts(f, s);
	fprintf(f, "lxc.net.0.type = empty\n");
	fprintf(f, "lxc.no_new_privs = 1\n");
	fprintf(f, "lxc.cap.keep = %s%s\n", capabilities,
	    has_twins(s) ? twins_capabilities : "");
	fprintf(f, "lxc.seccomp.profile = %s/%s/seccomp\n", a->dir, s->uid);
	/* or LXC takes the launcher's own filter for a profile already there */
	fprintf(f, "lxc.seccomp.allow_nesting = 1\n");
	fprintf(f, "lxc.tty.max = 0\n");
	fprintf(f, "lxc.pty.max = 64\n");
	fprintf(f, "lxc.console.path = none\n");
	fprintf(f, "lxc.prlimit.core = 0\n");
	/* when the host is short of memory, routers go before the node */
	fprintf(f, "lxc.proc.oom_score_adj = 200\n");
	print_cgroups(f, a);
}

void
launch_seccomp_print(FILE *f)
{
	/* no default action here: it would become that of every rule */
	fprintf(f, "2\ndenylist\n[all]\n");
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++)
		fprintf(f, "%s errno %d\n", refused[i], EPERM);
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++)
		fprintf(f, "%s errno %d\n", unknown[i], ENOSYS);
	for (unsigned i = 0; i < ARRAY_SIZE(conditional); i++)
		fprintf(f, "%s\n", conditional[i]);
}

static int
write_text(const char *path, const char *text, size_t n)
{
	char tmp[4096];
	scoped_close int fd = -1;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != (ssize_t)n)
		return errno ? -errno : -EIO;
	return rename(tmp, path) < 0 ? -errno : 0;
}

/* print gets a, or nothing but the stream */
static int
write_printed(const struct launch_args *a, const char *name, struct err *e)
{
	scoped_free char *text = NULL;
	char path[4096];
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	int rc;

	if (!f)
		return err_set(e, -ENOMEM, "out of memory");
	if (strcmp(name, "config") == 0)
		launch_config_print(f, a);
	else
		launch_seccomp_print(f);
	if (fclose(f) != 0)
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "%s/%s/%s", a->dir, a->spec.uid, name);
	rc = write_text(path, text, n);
	return rc < 0 ? err_set(e, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int
launch_config_write(const struct launch_args *a, struct err *e)
{
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", a->dir, a->spec.uid);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	rc = write_printed(a, "seccomp", e);
	return rc < 0 ? rc : write_printed(a, "config", e);
}

static bool
is_on_path(const char *path, const char *program)
{
	while (path && *path) {
		size_t n = strcspn(path, ":");
		char file[4096];

		if (snprintf(file, sizeof(file), "%.*s/%s", (int)n, path,
			program) < (int)sizeof(file) &&
		    n > 0 && access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

/* Lines are name:first:count. */
static bool
has_range(const char *file, uint64_t first)
{
	FILE *f = fopen(file, "re");
	bool found = false;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f)) {
		uint64_t base, count;

		if (sscanf(line, "root:%" SCNu64 ":%" SCNu64, &base, &count) ==
			2 ||
		    sscanf(line, "0:%" SCNu64 ":%" SCNu64, &base, &count) == 2)
			found = base <= first && count >= ID_RANGE &&
				first - base <= count - ID_RANGE;
	}
	if (f)
		fclose(f);
	return found;
}

int
launch_idmap_check(const char *path, const char *subuid, const char *subgid,
    uint32_t id_base, struct err *e)
{
	const char *tool[] = { "newuidmap", "newgidmap" };
	const char *file[] = { subuid, subgid };

	for (unsigned i = 0; i < 2; i++)
		if (is_on_path(path, tool[i]) && !has_range(file[i], id_base))
			return err_set(e, -EPERM,
			    "%s is installed, so %s must grant the range to "
			    "root: add the line root:%" PRIu32 ":%d",
			    tool[i], file[i], id_base, ID_RANGE);
	return 0;
}
