/* SPDX-License-Identifier: Apache-2.0 */
/* routefile: see routefile.h. */
#include "agent/routefile.h"

#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

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

/* --- fold: a table and its changes become a table ------------------------- */

/* A line, known by its prefix; of equal ones the last counts. */
struct line {
	const char *text;
	unsigned n;     /* bytes, its end included */
	unsigned at, k; /* of the prefix */
};

static int
by_prefix(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int d = memcmp(x->text + x->at, y->text + y->at, MIN(x->k, y->k));

	if (d == 0)
		d = (x->k > y->k) - (x->k < y->k);
	return d ? d : (x->text > y->text) - (x->text < y->text);
}

static size_t
cut(const char *text, size_t n, struct line *out)
{
	const char *end = text + n;
	size_t count = 0;

	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		struct line l = { .text = text };
		const char *space;

		if (!eol)
			break;
		l.n = (unsigned)(eol - text) + 1;
		space = memchr(text, ' ', l.n);
		if (space) {
			l.at = (unsigned)(space - text) + 1;
			while (l.at + l.k < l.n - 1 && text[l.at + l.k] != ' ')
				l.k++;
			out[count++] = l;
		}
		text = eol + 1;
	}
	return count;
}

static size_t
count_lines(const char *text, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static int
write_folded(FILE *out, const struct line *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &line[i];

		if (i + 1 < n && l[0].k == l[1].k &&
		    memcmp(l[0].text + l[0].at, l[1].text + l[1].at, l->k) == 0)
			continue; /* a later one counts */
		if (l->text[0] == 'a')
			fwrite(l->text, 1, l->n, out);
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -errno;
}

static int
fold_to(int to, const char *text, size_t n)
{
	struct line *line = calloc(count_lines(text, n) + 1, sizeof(*line));
	FILE *out = line ? fdopen(dup(to), "w") : NULL;
	int rc = out ? 0 : -ENOMEM;

	if (rc == 0) {
		size_t count = cut(text, n, line);

		qsort(line, count, sizeof(*line), by_prefix);
		rc = write_folded(out, line, count);
	}
	if (out)
		fclose(out);
	free(line);
	return rc;
}

static int
fold(struct routefile *f, struct err *e)
{
	scoped_close int from = routefile_read(f);
	scoped_close int to =
	    open(f->dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	struct stat st;
	void *text;
	int rc;

	if (from < 0 || to < 0)
		return err_set(e, -errno, "%s: %s", f->dir, strerror(errno));
	text = mmap(NULL, f->bytes, PROT_READ, MAP_PRIVATE, from, 0);
	if (text == MAP_FAILED)
		return err_set(e, -errno, "%s: %s", f->dir, strerror(errno));
	rc = fold_to(to, text, f->bytes);
	munmap(text, f->bytes);
	if (rc == 0 && fstat(to, &st) < 0)
		rc = -errno;
	if (rc < 0)
		return err_set(e, rc, "%s: %s", f->dir, strerror(-rc));
	return routefile_replace(f, to, (size_t)st.st_size, e);
}

/* --- the file ------------------------------------------------------------- */

/* Finds the end of the table, and drops a last line that has no end. */
static int
look(struct routefile *f, char *text, size_t n)
{
	char *at = text;
	size_t k = sizeof(then) - 1;

	while (n > 0 && text[n - 1] != '\n')
		n--;
	f->bytes = n;
	while (at + k <= text + n && memcmp(at, then, k) != 0) {
		at = memchr(at, '\n', (size_t)(text + n - at));
		if (!at++)
			break;
	}
	if (!at || at + k > text + n)
		return -EBADMSG;
	f->table = (size_t)(at + k - text);
	return 0;
}

int
routefile_open(struct routefile *f, const char *dir, struct err *e)
{
	scoped_close int fd = -1;
	struct stat st = { 0 };
	char *text;
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
	return fdatasync(fd) < 0 ? -errno : 0;
}

static int
say(struct err *e, const struct routefile *f, int rc)
{
	if (rc == -EDQUOT)
		rc = -ENOSPC;
	return err_set(e, rc, "%s/%s: %s", f->dir, file_name, strerror(-rc));
}

int
routefile_replace(struct routefile *f, int fd, size_t n, struct err *e)
{
	int rc = durable_folder(f->dir, e);

	if (rc < 0)
		return rc;
	rc = write_at(fd, then, sizeof(then) - 1, n);
	if (rc < 0)
		return say(e, f, rc);
	rc = durable_name(f->dir, file_name, fd, e);
	if (rc < 0)
		return rc;
	f->table = f->bytes = n + sizeof(then) - 1;
	return 0;
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

int
routefile_append(
    struct routefile *f, const char *lines, size_t n, struct err *e)
{
	scoped_close int fd = -1;
	int rc = f->table == 0 ? make_empty(f, e) : 0;

	if (rc < 0)
		return rc;
	fd = open_file(f, O_RDWR);
	rc = fd < 0 ? -errno : write_at(fd, lines, n, f->bytes);
	if (rc < 0) {
		if (fd >= 0 && ftruncate(fd, (off_t)f->bytes) < 0)
			rc = -EIO; /* what stays is overwritten by the next */
		return say(e, f, rc);
	}
	f->bytes += n;
	if (f->bytes - f->table > ROUTEFILE_FOLD_BYTES &&
	    f->bytes - f->table > 2 * f->table)
		(void)fold(f, NULL); /* it goes on as it is */
	return 0;
}
