/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_sweep: ends what sits in a container's cgroups, and removes them.
 *
 * This does not ask LXC: a monitor that hangs, was killed or was lost shall not
 * keep a container alive. Signals go to whoever is listed, again and again
 * until nobody is: a fork between listing and killing is met the next time, and
 * the death of the first process ends its whole pid namespace anyway. On
 * version 1 a frozen process dies only when thawed.
 */
#include "agent/launch_cgroup.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { MAX_DEPTH = 8, REMOVE_MS = 500 };

struct walk {
	bool unified;
	bool kill; /* else only count */
	int n;     /* processes found */
};

static void
write_word(int dir, const char *file, const char *word)
{
	scoped_close int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, word, strlen(word)) < 0) {
		/* no such state here, or nobody left in it */
	}
}

static void
meet_processes(struct walk *w, int dir)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	int pid;

	if (!f) {
		base_close(fd);
		return;
	}
	while (fscanf(f, "%d", &pid) == 1) {
		if (pid == (int)getpid())
			continue;
		w->n++;
		if (w->kill && pid > 1)
			kill(pid, SIGKILL);
	}
	fclose(f);
	if (w->kill)
		write_word(dir, w->unified ? "cgroup.freeze" : "freezer.state",
		    w->unified ? "0" : "THAWED");
}

/* Takes dir. */
static void
walk_down(struct walk *w, int dir, unsigned depth)
{
	DIR *d = fdopendir(dir);
	const struct dirent *de;

	if (!d) {
		base_close(dir);
		return;
	}
	meet_processes(w, dirfd(d));
	while (depth < MAX_DEPTH && (de = readdir(d))) {
		int sub;

		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		sub = openat(dirfd(d), de->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			walk_down(w, sub, depth + 1);
	}
	closedir(d);
}

static int
walk_all(const struct cgroups *c, const char *uid, const char *part, bool kill)
{
	struct walk w = { .kill = kill };

	for (unsigned i = 0; i < c->n; i++) {
		char path[CGROUP_PATH_BYTES * 2];
		int fd;

		w.unified = c->tree[i].unified;
		snprintf(path, sizeof(path), "%s/europa/%s/%s", c->tree[i].root,
		    uid, part);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			walk_down(&w, fd, 0);
	}
	return w.n;
}

static void
nap(void)
{
	const struct timespec t = { .tv_nsec = 300000 };

	nanosleep(&t, NULL);
}

int
cgroups_kill(const struct cgroups *c, const char *uid, const char *part,
    unsigned timeout_ms)
{
	uint64_t until = loop_now_ms() + timeout_ms;
	int sent = 0, n;

	while ((n = walk_all(c, uid, part, true)) > 0) {
		sent += n;
		if (loop_now_ms() >= until)
			return -EBUSY;
		nap();
	}
	return sent;
}

int
cgroups_wait_empty(const struct cgroups *c, const char *uid, const char *part,
    unsigned timeout_ms)
{
	uint64_t until = loop_now_ms() + timeout_ms;

	while (walk_all(c, uid, part, false) > 0) {
		if (loop_now_ms() >= until)
			return -EBUSY;
		nap();
	}
	return 0;
}

void
cgroups_leave(const struct cgroups *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		scoped_close int fd =
		    open(c->tree[i].root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			write_word(fd, "cgroup.procs", "0");
	}
}

/* Removes the folders below dir; takes it. The first error is kept. */
static int
remove_below(int dir, unsigned depth)
{
	DIR *d = fdopendir(dir);
	const struct dirent *de;
	int rc = 0;

	if (!d) {
		base_close(dir);
		return -ENOMEM;
	}
	while (depth < MAX_DEPTH && (de = readdir(d))) {
		int sub, one = 0;

		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		sub = openat(dirfd(d), de->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			one = remove_below(sub, depth + 1);
		if (unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR) < 0 &&
		    errno != ENOENT && one == 0)
			one = -errno;
		if (rc == 0)
			rc = one;
	}
	closedir(d);
	return rc;
}

static int
remove_tree(const char *root, const char *uid)
{
	char path[CGROUP_PATH_BYTES * 2];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/europa/%s", root, uid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	rc = remove_below(fd, 0);
	if (rmdir(path) < 0 && errno != ENOENT && rc == 0)
		rc = -errno;
	return rc;
}

int
cgroups_remove(const struct cgroups *c, const char *uid)
{
	uint64_t until = loop_now_ms() + REMOVE_MS;
	int rc;

	for (;;) {
		rc = 0;
		for (unsigned i = 0; i < c->n; i++) {
			int one = remove_tree(c->tree[i].root, uid);

			if (rc == 0)
				rc = one;
		}
		/* a dying process keeps its cgroup for a moment */
		if (rc != -EBUSY || loop_now_ms() >= until)
			return rc;
		nap();
	}
}

void
cgroups_remove_top(const struct cgroups *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		char path[CGROUP_PATH_BYTES * 2];

		snprintf(path, sizeof(path), "%s/europa", c->tree[i].root);
		if (rmdir(path) < 0) {
			/* others live there */
		}
	}
}
