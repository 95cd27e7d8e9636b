/* SPDX-License-Identifier: Apache-2.0 */
/* routefile: see routefile.h. */
#include "agent/routefile.h"

#include "agent/routefold.h"
#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { CHANGE_BYTES = 24 }; /* "# BYTES\n" */

static const char file_name[] = "routes";
static const char then[] = ROUTEFILE_THEN;

static int
open_file(const struct routefile *f, int flags)
{
	char path[DURABLE_PATH + 16];

	snprintf(path, sizeof(path), "%s/%s", f->dir, file_name);
	return open(path, flags | O_CLOEXEC);
}

int
routefile_read(const struct routefile *f)
{
	return f->table == 0 ? -1 : open_file(f, O_RDONLY);
}

/* --- the file ------------------------------------------------------------- */

/* "# BYTES\n" before a change. Returns how many are behind it, or SIZE_MAX. */
static size_t
bytes_of_change(const char *line)
{
	size_t n = 0;

	if (line[1] != ' ' || line[2] == '\n')
		return SIZE_MAX;
	for (line += 2; *line != '\n'; line++) {
		if (*line < '0' || *line > '9' || n > ROUTEFILE_MAX_BYTES)
			return SIZE_MAX;
		n = n * 10 + (size_t)(*line - '0');
	}
	return n;
}

/*
 * Where the last change ends that is all there: one that was cut short was never
 * acknowledged, and none of it is to be seen. Files of earlier versions have
 * changes line by line.
 */
static const char *
end_of_changes(const char *at, const char *end)
{
	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = 0;

		if (!eol || (*at != '#' && *at != 'a' && *at != 'd'))
			break;
		if (*at == '#')
			n = bytes_of_change(at);
		if (n > (size_t)(end - eol) - 1)
			break;
		at = eol + 1 + n;
	}
	return at;
}

/* Finds the end of the table, and of what counts behind it. */
static int
look(struct routefile *f, const char *text, size_t n)
{
	const char *at = text, *end = text + n;
	size_t k = sizeof(then) - 1;

	while (at + k <= end && memcmp(at, then, k) != 0) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at++)
			break;
	}
	if (!at || at + k > end)
		return -EBADMSG;
	f->table = (size_t)(at + k - text);
	f->bytes = (size_t)(end_of_changes(at + k, end) - text);
	return 0;
}

int
routefile_open(struct routefile *f, const char *dir, struct err *e)
{
	scoped_close int fd = -1;
	struct stat st = { 0 };
	void *text;
	int rc;

	*f = (struct routefile){ 0 };
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	fd = open_file(f, O_RDWR);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "%s: %s", dir, strerror(errno));
	text =
	    mmap(NULL, (size_t)st.st_size + 1, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return err_set(e, -errno, "%s: %s", dir, strerror(errno));
	rc = look(f, text, (size_t)st.st_size);
	munmap(text, (size_t)st.st_size + 1);
	if (rc == 0 && (off_t)f->bytes != st.st_size &&
	    ftruncate(fd, (off_t)f->bytes) < 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	*f = (struct routefile){ 0 };
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	return err_set(e, rc, "%s/%s makes no sense", dir, file_name);
}

static int
write_at(int fd, const char *text, size_t n, size_t at)
{
	while (n > 0) {
		ssize_t k = pwrite(fd, text, n, (off_t)at);

		if (k < 0)
			return -errno;
		text += k;
		at += (size_t)k;
		n -= (size_t)k;
	}
	return 0;
}

static int
say(struct err *e, const struct routefile *f, int rc)
{
	if (rc == -EDQUOT)
		rc = -ENOSPC;
	return err_set(e, rc, "%s/%s: %s", f->dir, file_name, strerror(-rc));
}

/* Bytes from..from + n of this file, to fd at at. */
static int
copy(const struct routefile *f, size_t from, size_t n, int fd, size_t at)
{
	scoped_close int in = n > 0 ? open_file(f, O_RDONLY) : -1;
	static char piece[64 << 10];

	if (n > 0 && in < 0)
		return -errno;
	while (n > 0) {
		ssize_t k =
		    pread(in, piece, MIN(n, sizeof(piece)), (off_t)from);
		int rc = k > 0 ? write_at(fd, piece, (size_t)k, at) : -EIO;

		if (rc < 0)
			return rc;
		from += (size_t)k;
		at += (size_t)k;
		n -= (size_t)k;
	}
	return 0;
}

/* A table of n bytes in fd takes the place of the file; its last rest stay. */
static int
put_in_place(struct routefile *f, int fd, size_t n, size_t rest, struct err *e)
{
	size_t table = n + sizeof(then) - 1;
	int rc = write_at(fd, then, sizeof(then) - 1, n);

	if (rc == 0)
		rc = copy(f, f->bytes - rest, rest, fd, table);
	if (rc == 0 && fdatasync(fd) < 0)
		rc = -errno;
	if (rc < 0)
		return say(e, f, rc);
	rc = durable_name(f->dir, file_name, fd, e);
	if (rc < 0)
		return rc;
	f->table = table;
	f->bytes = table + rest;
	return 0;
}

void
routefile_close(struct routefile *f)
{
	routefold_drop(f->fold);
	f->fold = NULL;
}

int
routefile_replace(struct routefile *f, int fd, size_t n, struct err *e)
{
	int rc = durable_folder(f->dir, e);

	if (rc < 0)
		return rc;
	rc = put_in_place(f, fd, n, 0, e);
	if (rc == 0)
		routefile_close(f); /* what is folded is no more */
	return rc;
}

/* The first change of a router that has no table. */
static int
make_empty(struct routefile *f, struct err *e)
{
	int rc = durable_folder(f->dir, e);

	if (rc == 0)
		rc =
		    durable_write(f->dir, file_name, then, sizeof(then) - 1, e);
	if (rc == 0)
		f->table = f->bytes = sizeof(then) - 1;
	return rc;
}

/* Has somebody made one table of it? It goes on as it is if not. */
static void
take_folded(struct routefile *f)
{
	scoped_close int fd = -1;
	struct err e;
	size_t n;
	int rc = f->fold ? routefold_end(f->fold, &fd, &n) : -EAGAIN;

	if (rc == -EAGAIN)
		return;
	f->fold = NULL;
	if (rc == 0)
		rc = put_in_place(f, fd, n, f->bytes - f->folded, &e);
	if (rc < 0) /* not at once again */
		f->fold_after = f->bytes + ROUTEFILE_FOLD_BYTES;
}

static void
fold_if_long(struct routefile *f)
{
	size_t changes = f->bytes - f->table;
	scoped_close int fd = -1;

	if (f->fold || changes <= ROUTEFILE_FOLD_BYTES ||
	    changes <= 2 * f->table || f->bytes < f->fold_after)
		return;
	fd = routefile_read(f);
	if (fd >= 0)
		f->fold = routefold_begin(f->dir, fd, f->bytes);
	f->folded = f->bytes;
	f->fold_after = f->fold ? 0 : f->bytes + ROUTEFILE_FOLD_BYTES;
}

bool
routefile_has_room(const struct routefile *f, size_t n)
{
	return n < ROUTEFILE_MAX_BYTES &&
	       f->bytes < ROUTEFILE_MAX_BYTES - n - CHANGE_BYTES;
}

int
routefile_append(
    struct routefile *f, const char *lines, size_t n, struct err *e)
{
	scoped_close int fd = -1;
	char begin[CHANGE_BYTES];
	size_t k = n ? (size_t)snprintf(begin, sizeof(begin), "# %zu\n", n) : 0;
	int rc = f->table == 0 ? make_empty(f, e) : 0;

	if (rc < 0)
		return rc;
	take_folded(f);
	fd = open_file(f, O_RDWR);
	rc = fd < 0 ? -errno : write_at(fd, begin, k, f->bytes);
	if (rc == 0)
		rc = write_at(fd, lines, n, f->bytes + k);
	if (rc == 0 && fdatasync(fd) < 0)
		rc = -errno;
	if (rc < 0) {
		if (fd >= 0 && ftruncate(fd, (off_t)f->bytes) < 0)
			rc = -EIO; /* what stays is overwritten by the next */
		return say(e, f, rc);
	}
	f->bytes += k + n;
	fold_if_long(f);
	return 0;
}
