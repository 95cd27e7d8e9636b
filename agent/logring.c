/* SPDX-License-Identifier: Apache-2.0 */
/* logring: see logring.h. */
#include "agent/logring.h"

#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { HALF = LOGRING_BYTES / 2, PATH_BYTES = DURABLE_PATH + 8 };

static void
path_of(const struct logring *g, bool is_before, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/log%s", g->dir, is_before ? ".1" : "");
}

static uint64_t
size_of(const struct logring *g, bool is_before)
{
	char path[PATH_BYTES];
	struct stat st;

	path_of(g, is_before, path);
	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

void
logring_open(struct logring *g, const char *dir)
{
	*g = (struct logring){ 0 };
	snprintf(g->dir, sizeof(g->dir), "%s", dir);
	g->n_now = size_of(g, false);
	g->n_before = size_of(g, true);
	g->end = g->n_now + g->n_before;
}

static int
turn(struct logring *g)
{
	char now[PATH_BYTES], before[PATH_BYTES];

	path_of(g, false, now);
	path_of(g, true, before);
	if (rename(now, before) < 0)
		return -errno;
	g->n_before = g->n_now;
	g->n_now = 0;
	return 0;
}

int
logring_append(struct logring *g, const void *bytes, size_t n)
{
	char path[PATH_BYTES];
	scoped_close int fd = -1;
	struct err e;
	ssize_t k;
	int rc = 0;

	assert(n <= HALF);
	if (g->n_now + n > HALF)
		rc = turn(g);
	if (rc == 0)
		rc = durable_folder(g->dir, &e);
	if (rc < 0)
		return rc;
	path_of(g, false, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	k = write(fd, bytes, n);
	if (k < 0)
		return -errno;
	g->n_now += (uint64_t)k;
	g->end += (uint64_t)k;
	return (size_t)k == n ? 0 : -ENOSPC;
}

ssize_t
logring_read(const struct logring *g, uint64_t *place, void *buf, size_t n)
{
	uint64_t now = g->end - g->n_now, begin = now - g->n_before, at;
	uint64_t from = MAX(*place, begin), left;
	char path[PATH_BYTES];
	scoped_close int fd = -1;
	ssize_t k;

	if (from >= g->end)
		return 0;
	at = from >= now ? from - now : from - begin;
	left = from >= now ? g->end - from : now - from;
	path_of(g, from < now, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	k = pread(fd, buf, MIN(n, (size_t)left), (off_t)at);
	if (k <= 0)
		return k < 0 ? -errno : -EIO;
	*place = from + (uint64_t)k;
	return k;
}
