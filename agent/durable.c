/* SPDX-License-Identifier: Apache-2.0 */
/* durable: see durable.h. Written beside, synced, renamed, and synced again. */
#include "agent/durable.h"

#include "lib/base.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static int
fail(struct err *e, const char *dir, const char *name)
{
	int no = errno == EDQUOT ? ENOSPC : errno;

	return err_set(e, -no, "%s/%s: %s", dir, name, strerror(no));
}

static int
open_dir(const char *dir)
{
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
durable_folder(const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(e, path, "");
	return 0;
}

static int
write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, text, n);

		if (k < 0)
			return -errno;
		text += k;
		n -= (size_t)k;
	}
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* .new takes the place of name. */
static int
put_in_place(int d, const char *name)
{
	return renameat(d, ".new", d, name) < 0 || fsync(d) < 0 ? -1 : 0;
}

int
durable_write(const char *dir, const char *name, const void *text, size_t n,
    struct err *e)
{
	scoped_close int d = open_dir(dir);
	scoped_close int fd = -1;

	if (d < 0)
		return fail(e, dir, name);
	fd = openat(d, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && write_all(fd, text, n) == 0 &&
	    put_in_place(d, name) == 0)
		return 0;
	fail(e, dir, name);
	unlinkat(d, ".new", 0);
	return e ? e->no : -EIO;
}

int
durable_name(const char *dir, const char *name, int fd, struct err *e)
{
	scoped_close int d = open_dir(dir);
	char path[64];

	if (d < 0)
		return fail(e, dir, name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	unlinkat(d, ".new", 0);
	if (fdatasync(fd) == 0 &&
	    linkat(AT_FDCWD, path, d, ".new", AT_SYMLINK_FOLLOW) == 0 &&
	    put_in_place(d, name) == 0)
		return 0;
	return fail(e, dir, name);
}

char *
durable_read(const char *dir, const char *name, size_t max, size_t *n)
{
	scoped_close int d = open_dir(dir);
	scoped_close int fd =
	    d < 0 ? -1 : openat(d, name, O_RDONLY | O_CLOEXEC);
	scoped_free char *text = NULL;
	struct stat st;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0 || (size_t)st.st_size > max)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	while (text && done < (size_t)st.st_size) {
		ssize_t k = read(fd, text + done, (size_t)st.st_size - done);

		if (k <= 0)
			return NULL;
		done += (size_t)k;
	}
	if (!text)
		return NULL;
	text[done] = '\0';
	*n = done;
	return steal_ptr(text);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

void
durable_remove(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
