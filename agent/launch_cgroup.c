/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_cgroup: trees and limits, see launch_cgroup.h. The ends of processes
 * and folders are in launch_sweep.c.
 *
 * Which version a controller has is decided per controller: a version 1 mount
 * that names it wins, for then version 2 does not have it.
 */
#include "agent/launch_cgroup.h"

#include "agent/launch_config.h"
#include "lib/base.h"

#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>

static const char *const names[CGROUP_N_CONTROLLERS] = {
	[CGROUP_CPU] = "cpu",
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
	[CGROUP_FREEZER] = "freezer",
	[CGROUP_CPUSET] = "cpuset",
};

/* True if word is one of the words of list. */
static bool
has_word(const char *list, const char *word, char separator)
{
	const char sep[] = { separator, '\n', '\0' };
	size_t n = strlen(word);

	while (*list) {
		size_t k = strcspn(list, sep);

		if (k == n && memcmp(list, word, n) == 0)
			return true;
		list += k + (list[k] != '\0');
	}
	return false;
}

/* Reads a small file into buf as a string without its last newline. */
static int
read_text(const char *path, char *buf, size_t size)
{
	scoped_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	while (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return 0;
}

/*
 * The path in the line of own for a mount with these options: "4:memory:/x" for
 * "rw,memory", "0::/x" for version 2.
 */
static bool
own_path(
    const char *own, const char *options, bool unified, char *out, size_t size)
{
	FILE *f = fopen(own, "re");
	char line[1024];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		char *word, *rest;

		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		controllers++;
		found = unified && !*controllers;
		for (word = strtok_r(controllers, ",", &rest); word && !unified;
		     word = strtok_r(NULL, ",", &rest))
			found |= has_word(options, word, ',');
		if (found)
			snprintf(out, size, "%s", path);
	}
	if (f)
		fclose(f);
	return found;
}

static void
cut_tail(char *path, const char *tail)
{
	size_t n = strlen(path), k = strlen(tail);

	if (n >= k && strcmp(path + n - k, tail) == 0)
		path[n - k] = '\0';
}

static void
add_tree(struct cgroups *c, const struct mntent *m, const char *own)
{
	struct cgroup_tree *t = &c->tree[c->n];
	char path[CGROUP_PATH_BYTES / 2];

	if (c->n == CGROUP_MAX_TREES)
		return;
	*t = (struct cgroup_tree){
		.unified = strcmp(m->mnt_type, "cgroup2") == 0,
	};
	if (!own_path(own, m->mnt_opts, t->unified, path, sizeof(path)))
		return;
	cut_tail(path, "/init.scope"); /* as LXC does */
	cut_tail(path, "/");
	snprintf(t->root, sizeof(t->root), "%.240s%s", m->mnt_dir, path);
	for (unsigned i = 0; i < CGROUP_N_CONTROLLERS; i++)
		t->has[i] = !t->unified && has_word(m->mnt_opts, names[i], ',');
	c->n++;
}

/* The number of the tree with controller k, or -1. */
static int
find_tree(const struct cgroups *c, unsigned k)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->tree[i].has[k])
			return (int)i;
	return -1;
}

/* cgroups_probe() saw to it that the limits have one. */
static const struct cgroup_tree *
tree_of(const struct cgroups *c, enum cgroup_controller k)
{
	return &c->tree[c->of[k]];
}

static void
probe_unified(struct cgroups *c, struct cgroup_tree *t)
{
	char path[CGROUP_PATH_BYTES + 32];
	char list[1024];

	snprintf(path, sizeof(path), "%s/cgroup.controllers", t->root);
	if (read_text(path, list, sizeof(list)) < 0)
		return;
	for (unsigned i = 0; i < CGROUP_N_CONTROLLERS; i++)
		t->has[i] =
		    find_tree(c, i) < 0 && has_word(list, names[i], ' ');
	/* it is no controller there: every cgroup has it */
	t->has[CGROUP_FREEZER] = find_tree(c, CGROUP_FREEZER) < 0;
}

int
cgroups_probe(
    struct cgroups *out, const char *mounts, const char *own, struct err *e)
{
	FILE *f = setmntent(mounts, "re");
	const struct mntent *m;

	out->n = 0;
	if (!f)
		return err_set(e, -errno, "%s: %s", mounts, strerror(errno));
	while ((m = getmntent(f)))
		if (strncmp(m->mnt_type, "cgroup", 6) == 0)
			add_tree(out, m, own);
	endmntent(f);
	for (unsigned i = 0; i < out->n; i++)
		if (out->tree[i].unified)
			probe_unified(out, &out->tree[i]);
	for (unsigned i = 0; i < CGROUP_FREEZER; i++) {
		out->of[i] = find_tree(out, i);
		if (out->of[i] < 0)
			return err_set(e, -ENOTSUP,
			    "no cgroup tree has the controller %s", names[i]);
	}
	return 0;
}

static void
payload_file(const struct cgroup_tree *t, const char *uid, const char *file,
    char out[CGROUP_PATH_BYTES * 2])
{
	snprintf(out, CGROUP_PATH_BYTES * 2, "%s/europa/%s/payload/%s", t->root,
	    uid, file);
}

static int
read_payload(const struct cgroup_tree *t, const char *uid, const char *file,
    char buf[128])
{
	char path[CGROUP_PATH_BYTES * 2];

	payload_file(t, uid, file, path);
	return read_text(path, buf, 128);
}

/* "max", "-1" and what version 1 prints for no limit are 0. */
static int
read_limit(const struct cgroup_tree *t, const char *uid, const char *file,
    uint64_t *out)
{
	char buf[128];
	int rc = read_payload(t, uid, file, buf);

	if (rc < 0)
		return rc;
	*out = 0;
	if (buf[0] >= '0' && buf[0] <= '9')
		*out = strtoull(buf, NULL, 10);
	if (*out >= 1ULL << 62)
		*out = 0;
	return 0;
}

static int
read_cpu(const struct cgroup_tree *t, const char *uid, uint32_t *out)
{
	uint64_t quota, period;
	char buf[128];
	int rc;

	*out = 0;
	if (t->unified) {
		rc = read_payload(t, uid, "cpu.max", buf);
		if (rc < 0)
			return rc;
		if (sscanf(buf, "%" SCNu64 " %" SCNu64, &quota, &period) == 2)
			*out = launch_cpu_millis(quota, period);
		return 0;
	}
	rc = read_limit(t, uid, "cpu.cfs_quota_us", &quota);
	if (rc < 0)
		return rc;
	rc = read_limit(t, uid, "cpu.cfs_period_us", &period);
	if (rc < 0)
		return rc;
	*out = launch_cpu_millis(quota, period);
	return 0;
}

static int
read_memory(const struct cgroup_tree *t, const char *uid, uint64_t *out)
{
	uint64_t mem, swap;
	char buf[128];
	int rc = read_limit(
	    t, uid, t->unified ? "memory.max" : "memory.limit_in_bytes", &mem);

	if (rc < 0)
		return rc;
	if (!t->unified) {
		rc = read_limit(t, uid, "memory.memsw.limit_in_bytes", &swap);
		*out = rc < 0 ? mem : mem ? swap : 0;
		return rc == -ENOENT ? 0 : rc;
	}
	rc = read_payload(t, uid, "memory.swap.max", buf);
	if (rc < 0) {
		*out = mem;
		return rc == -ENOENT ? 0 : rc;
	}
	*out = 0; /* "max": as much as the host has */
	if (mem && sscanf(buf, "%" SCNu64, &swap) == 1)
		*out = mem + swap;
	return 0;
}

int
cgroups_read(const struct cgroups *c, const char *uid,
    struct container_limits *out, struct err *e)
{
	struct container_limits l = { 0 };
	uint64_t pids = 0;
	int rc;

	rc = read_cpu(tree_of(c, CGROUP_CPU), uid, &l.cpu_millis);
	if (rc < 0)
		return err_set(e, rc, "read limit cpu: %s", strerror(-rc));
	rc = read_memory(tree_of(c, CGROUP_MEMORY), uid, &l.mem_bytes);
	if (rc < 0)
		return err_set(e, rc, "read limit memory: %s", strerror(-rc));
	rc = read_limit(tree_of(c, CGROUP_PIDS), uid, "pids.max", &pids);
	if (rc < 0)
		return err_set(e, rc, "read limit pids: %s", strerror(-rc));
	l.pids = (uint32_t)MIN(pids, (uint64_t)UINT32_MAX);
	l.disk_bytes = out->disk_bytes; /* not a cgroup's */
	memcpy(l.cpus, out->cpus, sizeof(l.cpus));
	*out = l;
	return 0;
}

static int
write_payload(const struct cgroup_tree *t, const char *uid, const char *file,
    uint64_t value, uint64_t more)
{
	char path[CGROUP_PATH_BYTES * 2];
	char text[64];
	scoped_close int fd = -1;
	int n;

	payload_file(t, uid, file, path);
	n = snprintf(text, sizeof(text), "%" PRIu64, value);
	if (more)
		n += snprintf(
		    text + n, sizeof(text) - (size_t)n, " %" PRIu64, more);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)n) < 0 ? -errno : 0;
}

static int
write_cpu(const struct cgroup_tree *t, const char *uid, uint32_t cpu_millis)
{
	struct launch_cpu cpu = launch_cpu(cpu_millis);
	int rc;

	if (t->unified)
		return write_payload(
		    t, uid, "cpu.max", cpu.quota_us, cpu.period_us);
	rc = write_payload(t, uid, "cpu.cfs_period_us", cpu.period_us, 0);
	return rc < 0
		   ? rc
		   : write_payload(t, uid, "cpu.cfs_quota_us", cpu.quota_us, 0);
}

static int
write_swap(const struct cgroup_tree *t, const char *uid, uint64_t bytes)
{
	int rc = t->unified ? write_payload(t, uid, "memory.swap.max", 0, 0)
			    : write_payload(t, uid,
				  "memory.memsw.limit_in_bytes", bytes, 0);

	return rc == -ENOENT ? 0 : rc; /* the host does not count swap */
}

/* memsw may never be below limit, on the way up and on the way down. */
static int
write_memory(const struct cgroup_tree *t, const char *uid, uint64_t bytes)
{
	uint64_t used = 0, old = 0;
	int rc;

	if (t->unified) {
		/* it would kill to get there: refuse as version 1 does */
		rc = read_limit(t, uid, "memory.current", &used);
		if (rc == 0 && used > bytes)
			return -EBUSY;
		rc = write_payload(t, uid, "memory.max", bytes, 0);
		return rc < 0 ? rc : write_swap(t, uid, bytes);
	}
	rc = read_limit(t, uid, "memory.limit_in_bytes", &old);
	if (rc < 0)
		return rc;
	if (old && bytes > old) {
		rc = write_swap(t, uid, bytes);
		if (rc < 0)
			return rc;
	}
	rc = write_payload(t, uid, "memory.limit_in_bytes", bytes, 0);
	return rc < 0 ? rc : write_swap(t, uid, bytes);
}

int
cgroups_write_swap(const struct cgroups *c, const char *uid,
    const struct container_limits *l, struct err *e)
{
	int rc = write_swap(tree_of(c, CGROUP_MEMORY), uid, l->mem_bytes);

	return rc < 0 ? err_set(e, rc, "limit swap: %s", strerror(-rc)) : 0;
}

int
cgroups_write(const struct cgroups *c, const char *uid,
    const struct container_limits *l, struct err *e)
{
	int rc = write_memory(tree_of(c, CGROUP_MEMORY), uid, l->mem_bytes);

	if (rc == -EBUSY)
		return err_set(e, rc, "limit memory: more than that is in use");
	if (rc < 0)
		return err_set(e, rc, "limit memory: %s", strerror(-rc));
	rc = write_cpu(tree_of(c, CGROUP_CPU), uid, l->cpu_millis);
	if (rc < 0)
		return err_set(e, rc, "limit cpu: %s", strerror(-rc));
	rc =
	    write_payload(tree_of(c, CGROUP_PIDS), uid, "pids.max", l->pids, 0);
	if (rc < 0)
		return err_set(e, rc, "limit pids: %s", strerror(-rc));
	return 0;
}

static bool
lists_pid(const char *path, pid_t pid)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	int p;

	while (f && !found && fscanf(f, "%d", &p) == 1)
		found = p == pid;
	if (f)
		fclose(f);
	return found;
}

int
cgroups_check_holds(
    const struct cgroups *c, const char *uid, pid_t pid, struct err *e)
{
	for (unsigned k = 0; k < CGROUP_FREEZER; k++) {
		char path[CGROUP_PATH_BYTES * 2];

		payload_file(tree_of(c, (enum cgroup_controller)k), uid,
		    "inner/cgroup.procs", path);
		if (!lists_pid(path, pid))
			return err_set(e, -EBADE,
			    "process %d is not inside the limit on %s",
			    (int)pid, names[k]);
	}
	return 0;
}

static int
check_one(const char *name, uint64_t asked, uint64_t got, struct err *e)
{
	if (asked == got)
		return 0;
	if (got == 0)
		return err_set(e, -EBADE,
		    "limit %s: asked for %" PRIu64 ", but there is none", name,
		    asked);
	return err_set(e, -EBADE,
	    "limit %s: asked for %" PRIu64 ", but %" PRIu64 " is in force",
	    name, asked, got);
}

int
cgroups_check_equal(const struct container_limits *asked,
    const struct container_limits *got, struct err *e)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int rc = check_one("cpu", asked->cpu_millis, got->cpu_millis, e);

	/* the kernel rounds memory down to pages, and a tmpfs up */
	if (rc == 0)
		rc = check_one("memory", asked->mem_bytes / page,
		    got->mem_bytes / page, e);
	if (rc == 0)
		rc = check_one("pids", asked->pids, got->pids, e);
	if (rc == 0 && asked->cpus[0] &&
	    !cpus_are_equal(asked->cpus, got->cpus))
		return err_set(e, -EBADE,
		    "limit cpus: asked for %s, but %s is in force", asked->cpus,
		    got->cpus[0] ? got->cpus : "none");
	if (rc == 0)
		rc = check_one("disk", (asked->disk_bytes + page - 1) / page,
		    (got->disk_bytes + page - 1) / page, e);
	return rc;
}
