/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor: see doctor.h. The checks read what the kernel and the file system
 * show; the uids of routers are looked at in doctor_ids.c, and whether the node
 * answers in run_doctor.c.
 */
#include "cli/doctor.h"

#include "lib/base.h"

#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

enum {
	/* the first that has all of what lib/region.c asks of memfd_create */
	KERNEL_MAJOR = 5,
	KERNEL_MINOR = 10,
	MIN_MEMORY_MIB = 512,
	MIN_NEIGHBOURS = 65536, /* packaging/europa.sysctl */
	MIN_DISK_MIB = 64,
	TEXT = 65536,
};

void
doctor_ok(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	*f = (struct finding){ .state = FINDING_OK };
	va_start(ap, fmt);
	vsnprintf(f->seen, sizeof(f->seen), fmt, ap);
	va_end(ap);
}

void
doctor_found(struct finding *f, enum finding_state state, const char *cure,
    const char *fmt, ...)
{
	va_list ap;

	*f = (struct finding){ .state = state };
	snprintf(f->cure, sizeof(f->cure), "%s", cure);
	va_start(ap, fmt);
	vsnprintf(f->seen, sizeof(f->seen), fmt, ap);
	va_end(ap);
}

char *
doctor_read(const struct host *h, const char *path)
{
	char whole[PATH_MAX];
	scoped_close int fd = -1;
	char *text;
	size_t used = 0;
	ssize_t n = 1;

	snprintf(whole, sizeof(whole), "%s%s", h->root, path);
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	text = fd < 0 ? NULL : malloc(TEXT);
	while (text && n > 0 && used + 1 < TEXT) {
		n = read(fd, text + used, TEXT - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (text)
		text[used] = '\0';
	return text;
}

/* The number behind "Name:" in text, or -1. */
static long
number_of(const char *text, const char *name)
{
	const char *at = text ? strstr(text, name) : NULL;

	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static bool
has_word(const char *text, const char *word, const char *separators)
{
	size_t n = strlen(word);

	while (text && *text) {
		size_t k = strcspn(text, separators);

		if (k == n && memcmp(text, word, n) == 0)
			return true;
		text += k + (text[k] != '\0');
	}
	return false;
}

/* --- the checks ------------------------------------------------------------- */

static void
look_at_kernel(const struct host *h, struct finding *f)
{
	scoped_free char *text = doctor_read(h, "/proc/sys/kernel/osrelease");
	unsigned major = 0, minor = 0;

	if (text)
		text[strcspn(text, "\n")] = '\0';
	if (!text || sscanf(text, "%u.%u", &major, &minor) != 2)
		doctor_found(f, FINDING_WARN, "mount -t proc proc /proc",
		    "the version of the kernel cannot be read");
	else if (major > KERNEL_MAJOR ||
		 (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
		doctor_ok(f, "Linux %s", text);
	else
		doctor_found(f, FINDING_FAIL,
		    "apt-get install linux-image-amd64, and reboot",
		    "Linux %s; want %d.%d or later", text, KERNEL_MAJOR,
		    KERNEL_MINOR);
}

static void
look_at_cpu(const struct host *h, struct finding *f)
{
	scoped_free char *text = doctor_read(h, "/proc/cpuinfo");
	const char *flags = text ? strstr(text, "\nflags") : NULL;

	if (!flags)
		doctor_ok(f, "not an x86: nothing to ask");
	else if (has_word(flags, "sse4_2", " \n\t"))
		doctor_ok(f, "it has sse4_2");
	else
		doctor_found(f, FINDING_FAIL,
		    "run it on another machine, or give the virtual machine "
		    "the host's CPU model",
		    "the processor has no sse4_2, which DPDK wants");
}

/* A controller of version 2, or a mount of version 1 that names it. */
static bool
has_controller(const char *v2, const char *mounts, const char *name)
{
	const char *line = mounts;

	if (has_word(v2, name, " \n"))
		return true;
	while (line && *line) {
		size_t n = strcspn(line, "\n");
		scoped_free char *copy = strndup(line, n);

		if (copy && strstr(copy, " cgroup ") &&
		    has_word(copy, name, " ,"))
			return true;
		line += n + (line[n] != '\0');
	}
	return false;
}

static void
look_at_cgroups(const struct host *h, struct finding *f)
{
	static const char *const wanted[] = { "cpu", "memory", "pids" };
	static const char cure[] =
	    "mkdir -p /sys/fs/cgroup/%s && mount -t cgroup -o %s %s "
	    "/sys/fs/cgroup/%s";
	scoped_free char *v2 =
	    doctor_read(h, "/sys/fs/cgroup/cgroup.controllers");
	scoped_free char *hybrid =
	    doctor_read(h, "/sys/fs/cgroup/unified/cgroup.controllers");
	scoped_free char *mounts = doctor_read(h, "/proc/mounts");
	char command[sizeof(f->cure)];

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const char *name = wanted[i];

		if (has_controller(v2, mounts, name) ||
		    has_word(hybrid, name, " \n"))
			continue;
		snprintf(
		    command, sizeof(command), cure, name, name, name, name);
		doctor_found(f, FINDING_FAIL, command,
		    "no controller %s: routers would have no such limit", name);
		return;
	}
	doctor_ok(f, "cpu, memory, pids");
}

static void
look_at_user_namespaces(const struct host *h, struct finding *f)
{
	scoped_free char *text =
	    doctor_read(h, "/proc/sys/user/max_user_namespaces");
	long n = text ? strtol(text, NULL, 10) : -1;

	if (n < 0)
		doctor_found(f, FINDING_FAIL,
		    "use a kernel with CONFIG_USER_NS",
		    "the kernel has no user namespaces");
	else if (n == 0)
		doctor_found(f, FINDING_FAIL,
		    "sysctl -w user.max_user_namespaces=10000",
		    "user namespaces are forbidden");
	else
		doctor_ok(f, "%ld may be", n);
}

bool
doctor_is_there(const struct host *h, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s/%s", h->root, folder, name);
	return access(path, F_OK) == 0;
}

/* Is this program one of a build, with the daemons beside it? */
static bool
is_built(const struct host *h)
{
	return h->built[0] && doctor_is_there(h, h->built, "europad") &&
	       doctor_is_there(h, h->built, "europa-dataplane");
}

static void
look_at_programs(const struct host *h, struct finding *f)
{
	static const char *const sbin[] = { "/usr/sbin", "/usr/local/sbin" };
	static const char *const programs[] = { "europad", "europa-dataplane" };
	static const char *const helpers[] = { "europa-launch", "europa-init",
		"europa-router", "europa-template",
		"templates/router/manifest" };
	static const char cure[] = "apt-get install europa-node (or make "
				   "install, from source)";

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(sbin); k++)
			found =
			    found || doctor_is_there(h, sbin[k], programs[i]);
		if (!found) {
			doctor_found(f,
			    is_built(h) ? FINDING_WARN : FINDING_FAIL, cure,
			    "%s is not installed", programs[i]);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++)
		if (!doctor_is_there(h, h->libexec, helpers[i])) {
			doctor_found(f, FINDING_FAIL, cure,
			    "%s/%s is not there", h->libexec, helpers[i]);
			return;
		}
	doctor_ok(f, "europad, europa-dataplane, and what they start");
}

static void
look_at_tun(const struct host *h, struct finding *f)
{
	if (doctor_is_there(h, "/dev/net", "tun"))
		doctor_ok(f, "/dev/net/tun");
	else
		doctor_found(f, FINDING_WARN, "modprobe tun",
		    "no /dev/net/tun: routers have no twins of their vNICs "
		    "in their kernel");
}

/* One table for the host and every router with twins. */
static void
look_at_neighbours(const struct host *h, struct finding *f)
{
	static const char *const families[] = { "ipv4", "ipv6" };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		scoped_free char *text = NULL;
		char path[64], cure[96];
		long room;

		snprintf(path, sizeof(path),
		    "/proc/sys/net/%s/neigh/default/gc_thresh3", families[i]);
		text = doctor_read(h, path);
		room = text ? strtol(text, NULL, 10) : MIN_NEIGHBOURS;
		if (room >= MIN_NEIGHBOURS)
			continue;
		snprintf(cure, sizeof(cure),
		    "sysctl --system, or sysctl -w "
		    "net.%s.neigh.default.gc_thresh3=%d",
		    families[i], MIN_NEIGHBOURS);
		doctor_found(f, FINDING_WARN, cure,
		    "%s has room for %ld neighbours, for the host and all "
		    "routers with twins; want %d",
		    families[i], room, MIN_NEIGHBOURS);
		return;
	}
	doctor_ok(f, "room for %d and more", MIN_NEIGHBOURS);
}

static void
look_at_memory(const struct host *h, struct finding *f)
{
	scoped_free char *text = doctor_read(h, "/proc/meminfo");
	long mib = number_of(text, "MemAvailable:") / 1024;

	if (mib < MIN_MEMORY_MIB)
		doctor_found(f, FINDING_WARN,
		    "set mem_mib in [dataplane] of /etc/europa/europa.conf to "
		    "less than 256",
		    "%ld MiB of memory are free; want %d", mib, MIN_MEMORY_MIB);
	else
		doctor_ok(f, "%ld MiB are free", mib);
}

static void
look_at_huge_pages(const struct host *h, struct finding *f)
{
	scoped_free char *text = doctor_read(h, "/proc/meminfo");
	long total = number_of(text, "HugePages_Total:");
	long left = number_of(text, "HugePages_Free:");
	long kib = number_of(text, "Hugepagesize:");

	if (total > 0)
		doctor_ok(
		    f, "%ld of %ld free, of %ld KiB each", left, total, kib);
	else
		doctor_found(f, FINDING_WARN, "sysctl -w vm.nr_hugepages=160",
		    "none: it works without them, and a little slower");
}

static void
look_at_disk(const struct host *h, struct finding *f)
{
	char path[PATH_MAX];
	struct statvfs s;
	unsigned long mib;

	snprintf(path, sizeof(path), "%s%s", h->root, h->state);
	if (statvfs(path, &s) < 0) {
		doctor_found(f, is_built(h) ? FINDING_WARN : FINDING_FAIL,
		    "systemd-tmpfiles --create, or mkdir -m 711 of it",
		    "%s: %s", h->state, strerror(errno));
		return;
	}
	mib = (unsigned long)(s.f_bavail * (s.f_frsize / 1024) / 1024);
	if (mib < MIN_DISK_MIB)
		doctor_found(f, FINDING_FAIL,
		    "make room there: du -x / | sort -n | tail",
		    "%s has %lu MiB left; want %d", h->state, mib,
		    MIN_DISK_MIB);
	else
		doctor_ok(f, "%s has %lu MiB left", h->state, mib);
}

static void
look_at_rights(const struct host *h, struct finding *f)
{
	gid_t groups[256];
	int n = getgroups(ARRAY_SIZE(groups), groups);
	const struct group *g = getgrnam("europa");

	(void)h;
	if (geteuid() == 0) {
		doctor_ok(f, "you are root");
		return;
	}
	if (!g) {
		doctor_found(f, FINDING_FAIL, "systemd-sysusers",
		    "there is no group europa");
		return;
	}
	for (int i = 0; i < n; i++)
		if (groups[i] == g->gr_gid) {
			doctor_ok(f, "you are in the group europa");
			return;
		}
	doctor_found(f, FINDING_FAIL,
	    "usermod -aG europa USER, and log in again",
	    "you are neither root nor in the group europa");
}

const struct doctor_check doctor_checks[] = {
	{ "kernel", look_at_kernel },
	{ "processor", look_at_cpu },
	{ "cgroups", look_at_cgroups },
	{ "user namespaces", look_at_user_namespaces },
	{ "subuids", doctor_look_at_subuids },
	{ "programs", look_at_programs },
	{ "tun", look_at_tun },
	{ "neighbours", look_at_neighbours },
	{ "memory", look_at_memory },
	{ "huge pages", look_at_huge_pages },
	{ "disk", look_at_disk },
	{ "rights", look_at_rights },
};
const size_t n_doctor_checks = ARRAY_SIZE(doctor_checks);
