/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europa-launch: one operation on one container, then it exits. The only file
 * of Europa that knows liblxc.
 *
 * A process of its own, for two reasons: LXC's start() moves its caller into
 * the container's cgroup, and a crash in liblxc must not be a crash of europad.
 * europad reads the one report that it prints (launch_report.h).
 *
 * Whatever kills it, and whenever, the next operation on the same container
 * repairs: start first ends what is left of an earlier life, so that a router
 * never runs twice. Two launchers for one container wait for each other.
 *
 * Invariant: a container that "start" leaves running has every limit in force,
 * read back from the kernel.
 *
 * Needs root. Reads no untrusted byte: its command line is europad's.
 */
#include "agent/launch_args.h"
#include "agent/launch_cgroup.h"
#include "agent/launch_config.h"
#include "agent/launch_guard.h"
#include "agent/launch_report.h"
#include "lib/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <lxc/lxccontainer.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

enum { KILL_MS = 5000, MONITOR_MS = 1000, SETTLE_S = 2, PATH_BYTES = 4096 };

struct launch {
	const struct launch_args *a;
	struct cgroups groups;
	int lock_fd;
};

static void
free_container(struct lxc_container **c)
{
	if (*c)
		lxc_container_put(*c);
}

#define scoped_container __attribute__((cleanup(free_container)))

/* type: F_RDLCK, F_WRLCK; command: F_SETLK, F_SETLKW */
static int
lock_byte(const struct launch *l, off_t at, short type, int command)
{
	struct flock fl = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = 1,
	};

	return fcntl(l->lock_fd, command, &fl) < 0 ? -errno : 0;
}

/*
 * One byte of one file per container, by a hash: a lock that leaves nothing
 * behind, and that a forked monitor does not inherit. Byte 0 is for the folder
 * above all containers: who starts one shares it, who removes it needs it alone.
 */
static int
lock(struct launch *l, struct err *e)
{
	char path[PATH_BYTES];
	uint64_t h = 14695981039346656037ULL; /* FNV-1a */

	for (const char *p = l->a->spec.uid; *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ULL;
	snprintf(path, sizeof(path), "%s/.lock", l->a->dir);
	l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->lock_fd < 0 ||
	    lock_byte(l, (off_t)((h >> 2) | 1), F_WRLCK, F_SETLKW) < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

static void
path_in_dir(const struct launch *l, const char *name, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s/%s", l->a->dir, l->a->spec.uid, name);
}

static bool
was_made(const struct launch *l)
{
	char path[PATH_BYTES];

	path_in_dir(l, "config", path);
	return access(path, F_OK) == 0;
}

/* NULL if LXC does not accept the configuration, or without memory. */
static struct lxc_container *
open_container(const struct launch *l, struct err *e)
{
	struct lxc_container *c = lxc_container_new(l->a->spec.uid, l->a->dir);

	if (!c)
		err_set(e, -EINVAL, "LXC does not accept the configuration");
	return c;
}

static bool
parse_state(const char *s, enum container_state *out)
{
	if (s && strcmp(s, "RUNNING") == 0)
		*out = CONTAINER_RUNNING;
	else if (s && strcmp(s, "FROZEN") == 0)
		*out = CONTAINER_FROZEN;
	else if (!s || strcmp(s, "STOPPED") == 0)
		*out = CONTAINER_STOPPED;
	else
		return false;
	return true;
}

/* What LXC says, and the limits as they are. */
static int
look(const struct launch *l, struct container_status *st, struct err *e)
{
	scoped_container struct lxc_container *c = NULL;
	struct container_status now = { .state = CONTAINER_STOPPED };
	int rc;

	*st = now;
	if (!was_made(l))
		return 0;
	c = open_container(l, e);
	if (!c)
		return -EINVAL;
	if (!parse_state(c->state(c), &now.state)) {
		/* on its way: nobody else works on it, so it is dying */
		c->wait(c, "RUNNING|STOPPED|FROZEN", SETTLE_S);
		if (!parse_state(c->state(c), &now.state))
			return err_set(
			    e, -EBUSY, "neither running nor stopped");
	}
	if (now.state == CONTAINER_STOPPED)
		return 0;
	now.init_pid = c->init_pid(c);
	if (now.init_pid <= 0)
		return err_set(e, -ESRCH, "its init has just died");
	rc = cgroups_read(&l->groups, l->a->spec.uid, &now.effective, e);
	if (rc == 0)
		rc = cgroups_read_cpus(&l->groups, l->a->spec.uid,
		    now.effective.cpus, now.all_cpus, e);
	if (rc == 0)
		rc = launch_disk_read(
		    now.init_pid, &now.effective.disk_bytes, e);
	if (rc == 0)
		*st = now;
	return rc;
}

/* Ends every process of the container, LXC's monitor too; leaves no cgroup. */
static int
end_all(const struct launch *l, struct err *e)
{
	const char *uid = l->a->spec.uid;
	int rc = cgroups_kill(&l->groups, uid, "payload", KILL_MS);

	/* the monitor ends by itself, and cleans up better than a kill does */
	if (rc >= 0 && cgroups_wait_empty(&l->groups, uid, "", MONITOR_MS) < 0)
		rc = cgroups_kill(&l->groups, uid, "", KILL_MS);
	if (rc < 0)
		return err_set(e, rc, "its processes do not end");
	rc = cgroups_remove(&l->groups, uid);
	return rc < 0 ? err_set(e, rc, "remove cgroups: %s", strerror(-rc)) : 0;
}

/* The first complaint in LXC's log, the cause of those that follow. */
static void
blame(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	char line[1024];

	snprintf(out, size, "it logged no reason");
	while (f && fgets(line, sizeof(line), f)) {
		/* "... ERROR conf - ../src/lxc/conf.c:f:12 - text" */
		char *p = strstr(line, " ERROR ");

		if (!p || strstr(p, "lxc_setup_boot_id"))
			continue;
		p = strstr(p, " - ");
		p = p ? strstr(p + 3, " - ") : NULL;
		if (!p)
			continue;
		p[strcspn(p, "\n")] = '\0';
		snprintf(out, size, "%.200s", p + 3);
		break;
	}
	if (f)
		fclose(f);
}

static int
start_lxc(const struct launch *l, struct err *e)
{
	scoped_container struct lxc_container *c = NULL;
	char path[PATH_BYTES], why[256];
	struct lxc_log log = {
		.name = l->a->spec.uid,
		.lxcpath = l->a->dir,
		.file = path,
		.level = "ERROR",
		.prefix = "europa-launch",
		.quiet = true,
	};

	path_in_dir(l, "lxc.log", path);
	unlink(path);
	lxc_log_init(&log);
	c = open_container(l, e);
	if (!c)
		return -EINVAL;
	if (!c->want_daemonize(c, true) || !c->want_close_all_fds(c, true))
		return err_set(e, -EINVAL, "LXC refuses to daemonize");
	if (c->start(c, 0, NULL))
		return 0;
	blame(path, why, sizeof(why));
	return err_set(e, -EIO, "LXC: %s", why);
}

/* A container without a limit or a wall is not left running. */
static int
check_started(
    const struct launch *l, struct container_status *st, struct err *e)
{
	const struct container_spec *s = &l->a->spec;
	char status[64], uid_map[64];
	int rc = cgroups_write_swap(&l->groups, s->uid, &s->limits, e);

	if (rc == 0)
		rc = look(l, st, e);
	if (rc < 0)
		return rc;
	if (st->state != CONTAINER_RUNNING)
		return err_set(e, -EIO, "its init ended at once");
	snprintf(status, sizeof(status), "/proc/%d/status", st->init_pid);
	snprintf(uid_map, sizeof(uid_map), "/proc/%d/uid_map", st->init_pid);
	rc = launch_guard_check(status, uid_map, s->id_base, e);
	if (rc == 0)
		rc = cgroups_check_holds(&l->groups, s->uid, st->init_pid, e);
	if (rc == 0)
		rc = cgroups_check_equal(&s->limits, &st->effective, e);
	return rc;
}

static int
do_limit(const struct launch *l, struct container_status *st, struct err *e)
{
	const struct container_spec *s = &l->a->spec;
	struct container_limits old;
	int rc = look(l, st, e);

	if (rc < 0 || st->state == CONTAINER_STOPPED)
		return rc;
	old = st->effective;
	rc = cgroups_write(&l->groups, s->uid, &s->limits, e);
	if (rc == 0)
		rc = cgroups_write_cpus(&l->groups, s->uid, s->limits.cpus, e);
	if (rc == 0)
		rc = launch_disk_write(st->init_pid, s->limits.disk_bytes, e);
	if (rc < 0) {
		/* all or nothing */
		cgroups_write(&l->groups, s->uid, &old, NULL);
		cgroups_write_cpus(&l->groups, s->uid, old.cpus, NULL);
		return rc;
	}
	rc = look(l, st, e);
	return rc < 0 ? rc : cgroups_check_equal(&s->limits, &st->effective, e);
}

/* Freezes it, or lets it go on: want is FROZEN or RUNNING. */
static int
turn(const struct launch *l, enum container_state want,
    struct container_status *st, struct err *e)
{
	scoped_container struct lxc_container *c = NULL;
	bool freezes = want == CONTAINER_FROZEN;
	int rc = look(l, st, e);

	if (rc < 0 || st->state == want)
		return rc;
	if (st->state == CONTAINER_STOPPED)
		return err_set(e, -ESRCH, "it is not running");
	c = open_container(l, e);
	if (!c)
		return -EINVAL;
	if (!(freezes ? c->freeze(c) : c->unfreeze(c)))
		return err_set(e, -EIO, "LXC could not %s it",
		    freezes ? "freeze" : "thaw");
	return look(l, st, e);
}

static int
do_freeze(const struct launch *l, struct container_status *st, struct err *e)
{
	return turn(l, CONTAINER_FROZEN, st, e);
}

static int
do_thaw(const struct launch *l, struct container_status *st, struct err *e)
{
	return turn(l, CONTAINER_RUNNING, st, e);
}

static int
do_start(const struct launch *l, struct container_status *st, struct err *e)
{
	const struct launch_args *a = l->a;
	int rc = look(l, st, NULL);

	/* what cannot be looked at is not a life to keep */
	if (rc == 0 && st->state == CONTAINER_FROZEN)
		rc = do_thaw(l, st, NULL);
	if (rc == 0 && st->state == CONTAINER_RUNNING) {
		rc = do_limit(l, st, e);
		if (rc == -EBADE)
			end_all(l, NULL);
		return rc;
	}
	rc = launch_idmap_check(
	    getenv("PATH"), "/etc/subuid", "/etc/subgid", a->spec.id_base, e);
	if (rc == 0)
		rc = end_all(l, e);
	if (rc == 0)
		rc = launch_config_write(a, e);
	if (rc == 0)
		rc = launch_guard_arch(e);
	if (rc < 0)
		return rc;
	lock_byte(l, 0, F_RDLCK, F_SETLKW);
	rc = start_lxc(l, e);
	if (rc == 0)
		rc = check_started(l, st, e);
	if (rc < 0) {
		cgroups_leave(&l->groups);
		end_all(l, NULL);
	}
	return rc;
}

static int
do_stop(const struct launch *l, struct container_status *st, struct err *e)
{
	*st = (struct container_status){ .state = CONTAINER_STOPPED };
	return end_all(l, e);
}

static int
do_destroy(const struct launch *l, struct container_status *st, struct err *e)
{
	char path[PATH_BYTES];
	struct dirent *de;
	int rc = do_stop(l, st, e);
	DIR *d;

	if (rc < 0)
		return rc;
	if (lock_byte(l, 0, F_WRLCK, F_SETLK) == 0)
		cgroups_remove_top(&l->groups);
	path_in_dir(l, "", path);
	d = opendir(path);
	while (d && (de = readdir(d)))
		unlinkat(dirfd(d), de->d_name, 0);
	if (d)
		closedir(d);
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	/* LXC's own lock file, which it never removes */
	snprintf(path, sizeof(path), "/run/lxc/lock%s/.%s", l->a->dir,
	    l->a->spec.uid);
	unlink(path);
	return 0;
}

static int (*const verbs[CONTAINER_N_VERBS])(
    const struct launch *l, struct container_status *st, struct err *e) = {
	[CONTAINER_DO_START] = do_start,
	[CONTAINER_DO_STOP] = do_stop,
	[CONTAINER_DO_FREEZE] = do_freeze,
	[CONTAINER_DO_THAW] = do_thaw,
	[CONTAINER_DO_QUERY] = look,
	[CONTAINER_DO_LIMIT] = do_limit,
	[CONTAINER_DO_DESTROY] = do_destroy,
};

static int
run(int argc, char *argv[], struct container_status *st, struct err *e)
{
	struct launch_args a;
	struct launch l = { .a = &a, .lock_fd = -1 };
	int rc = launch_args_parse(argc, argv, &a, e);

	if (rc < 0)
		return rc;
	if (geteuid() != 0)
		return err_set(e, -EPERM, "europa-launch needs root");
	rc = lock(&l, e);
	if (rc == 0)
		rc = cgroups_probe(
		    &l.groups, "/proc/self/mounts", "/proc/1/cgroup", e);
	return rc < 0 ? rc : verbs[a.verb](&l, st, e);
}

int
main(int argc, char *argv[])
{
	struct container_status st = { .state = CONTAINER_STOPPED };
	char report[LAUNCH_REPORT_BYTES];
	struct err e = { 0 };
	size_t n;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	umask(022);
	rc = run(argc, argv, &st, &e);
	n = launch_report_format(report, rc, &st, &e);
	if (write(STDOUT_FILENO, report, n) != (ssize_t)n)
		return 2;
	return rc < 0 ? 1 : 0;
}
