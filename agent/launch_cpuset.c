/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_cpuset: the cores of a container, in the files of the kernel.
 *
 * In version 1 a cgroup's cores are some of its parent's, at any time, and both
 * "payload" and "inner" have a list: the parent becomes wide enough for the old
 * and the new one first, and narrow last. In version 2 the list of "inner" is
 * empty and follows.
 */
#include "agent/launch_cgroup.h"

#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>

enum { PATH_BYTES = CGROUP_PATH_BYTES + 128 };

static const struct cgroup_tree *
tree_with_cpuset(const struct cgroups *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->tree[i].has[CGROUP_CPUSET])
			return &c->tree[i];
	return NULL;
}

static int
open_file(
    const struct cgroup_tree *t, const char *uid, const char *file, int flags)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof(path), "%s/europa/%s/%s", t->root, uid, file);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int
read_list(const struct cgroup_tree *t, const char *uid, const char *file,
    char out[CPUS_TEXT])
{
	scoped_close int fd = open_file(t, uid, file, O_RDONLY);
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return fd;
	n = read(fd, out, CPUS_TEXT - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int
cgroups_read_cpus(const struct cgroups *c, const char *uid, char out[CPUS_TEXT],
    char all[CPUS_TEXT], struct err *e)
{
	const struct cgroup_tree *t = tree_with_cpuset(c);
	int rc;

	out[0] = all[0] = '\0';
	if (!t)
		return 0;
	rc = read_list(t, uid,
	    t->unified ? "payload/cpuset.cpus.effective"
		       : "payload/cpuset.cpus",
	    out);
	if (rc == -ENOENT)
		return 0; /* not for those in this tree */
	if (rc == 0)
		rc = read_list(t, uid,
		    t->unified ? "cpuset.cpus.effective" : "cpuset.cpus", all);
	return rc < 0 ? err_set(e, rc, "read limit cpus: %s", strerror(-rc))
		      : 0;
}

static int
write_list(const struct cgroup_tree *t, const char *uid, const char *file,
    const char *list)
{
	scoped_close int fd = open_file(t, uid, file, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, list, strlen(list)) < 0 ? -errno : 0;
}

int
cgroups_write_cpus(
    const struct cgroups *c, const char *uid, const char *cpus, struct err *e)
{
	const struct cgroup_tree *t = tree_with_cpuset(c);
	char old[CPUS_TEXT], all[CPUS_TEXT], both[2 * CPUS_TEXT];
	int rc;

	if (!*cpus)
		return 0;
	if (!t)
		return err_set(e, -ENOTSUP,
		    "limit cpus: no cgroup tree has the controller cpuset");
	rc = cgroups_read_cpus(c, uid, old, all, e);
	if (rc < 0)
		return rc;
	if (!t->unified) {
		snprintf(
		    both, sizeof(both), "%s%s%s", cpus, *old ? "," : "", old);
		rc = write_list(t, uid, "payload/cpuset.cpus", both);
		if (rc == 0)
			rc = write_list(
			    t, uid, "payload/inner/cpuset.cpus", cpus);
	}
	if (rc == 0)
		rc = write_list(t, uid, "payload/cpuset.cpus", cpus);
	return rc < 0 ? err_set(e, rc, "limit cpus: %s", strerror(-rc)) : 0;
}
