/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_file: a file of the container to europad, or from it, see init.h.
 *
 * It runs as a process of its own inside the container, with no more rights than
 * anybody there: whatever a path leads to, it is nothing of the host's. What it
 * touches is a regular file in a file system that can be written; a FIFO, a
 * device, what lies in /proc or is read-only is not. A path is resolved below
 * ROOT, so that no link leads out of it, and nothing is opened before it is known
 * what it is. A new content takes the place of the old one as a whole.
 *
 * read and write name a content by a tag, which is another one for another
 * content: of the inode, its size, and when it was changed. Who writes may say
 * which one it is to replace. Of two who write at a time one waits for the other
 * (a lock on the folder); a program in the container does not, and may change
 * the file between the look and the rename.
 */
#include "container-templates/init.h"

#include "lib/base.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

enum { PIPE_BYTES = 64 << 10, PATH_BYTES = 4096, TAG_BYTES = 64 };

#ifndef XFS_SUPER_MAGIC /* of some headers' versions only */
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Below root, as if that were the root of all; no magic links of /proc. */
static int
open_below(int root, const char *path, uint64_t flags)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* fd, which may be O_PATH, is where an owner's files can be. */
static bool
is_disk(int fd)
{
	static const long kinds[] = { TMPFS_MAGIC, EXT4_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC, XFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || fs.f_flags & ST_RDONLY)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((long)fs.f_type == kinds[i])
			return true;
	return false;
}

/* From in to out, at most max bytes. Returns how many, or negative errno. */
static ssize_t
copy(int in, int out, size_t max)
{
	static char buf[PIPE_BYTES];
	size_t done = 0;

	for (;;) {
		ssize_t n = read(in, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)done;
		if ((size_t)n > max - done)
			return -EFBIG;
		for (ssize_t k, at = 0; at < n; at += k) {
			k = write(out, buf + at, (size_t)(n - at));
			if (k < 0)
				return -errno;
		}
		done += (size_t)n;
	}
}

static void
tag_of(const struct stat *st, char tag[TAG_BYTES])
{
	uint64_t ns = (uint64_t)st->st_ctim.tv_sec * 1000000000 +
		      (uint64_t)st->st_ctim.tv_nsec;

	snprintf(tag, TAG_BYTES, "%llx-%llx-%llx",
	    (unsigned long long)st->st_ino, (unsigned long long)ns,
	    (unsigned long long)st->st_size);
}

/* A line before all else of the output. */
static int
say_tag(const char *tag)
{
	char line[TAG_BYTES + 1];
	int n = snprintf(line, sizeof(line), "%s\n", tag);

	return write(STDOUT_FILENO, line, (size_t)n) == n ? 0 : -EPIPE;
}

static int
get(int root, const char *path, bool says_tag)
{
	scoped_close int at = open_below(root, path, O_PATH);
	scoped_close int fd = -1;
	char self[64], tag[TAG_BYTES];
	struct stat st;
	int rc;

	if (at < 0)
		return steal_fd(at);
	if (fstat(at, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || !is_disk(at))
		return -EMEDIUMTYPE;
	if (st.st_size > INIT_MAX_FILE_BYTES)
		return -EFBIG;
	/* the same inode: it was looked at, and cannot be another now */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = open(self, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* before it is read: what changes meanwhile has another one */
	tag_of(&st, tag);
	rc = says_tag ? say_tag(tag) : 0;
	if (rc < 0)
		return rc;
	return (int)MIN(
	    copy(fd, STDOUT_FILENO, INIT_MAX_FILE_BYTES), (ssize_t)0);
}

/* The folder of path, open, and the last word; or negative errno. */
static int
open_folder(int root, const char *path, const char **name)
{
	char folder[PATH_BYTES];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	if (**name == '\0' || strcmp(*name, ".") == 0 ||
	    strcmp(*name, "..") == 0)
		return -EISDIR;
	if (n >= sizeof(folder) - 1)
		return -ENAMETOOLONG;
	snprintf(folder, sizeof(folder), "%.*s/", (int)n, path);
	return open_below(root, folder, O_PATH | O_DIRECTORY);
}

/* The mode of what is there; a new file has the usual one. */
static int
mode_at(int folder, const char *name)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0644 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? (int)(st.st_mode & 07777) : -EMEDIUMTYPE;
}

/* fd, which has no name, takes the place of name. */
static int
put_in_place(int folder, int fd, const char *name)
{
	char self[64], beside[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	snprintf(beside, sizeof(beside), ".europa-%d", (int)getpid());
	if (linkat(AT_FDCWD, self, folder, beside, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	if (renameat(folder, beside, folder, name) == 0)
		return 0;
	unlinkat(folder, beside, 0);
	return -errno;
}

/* The tag of what is there, "" for nothing. Returns 0 or negative errno. */
static int
tag_at(int folder, const char *name, char tag[TAG_BYTES])
{
	struct stat st;

	tag[0] = '\0';
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		tag_of(&st, tag);
	else if (errno != ENOENT)
		return -errno;
	return 0;
}

/* Which content is to be replaced: "any", "*", one that is there, or "=TAG". */
static bool
is_wanted(const char *want, const char *tag)
{
	if (strcmp(want, "any") == 0)
		return true;
	return *tag && (strcmp(want, "*") == 0 ||
			   (*want == '=' && strcmp(want + 1, tag) == 0));
}

/* What is to be written, and of what. */
struct order {
	const char *path;
	size_t bytes;
	const char *want; /* NULL: whatever is there, and no tag is said */
	bool is_dry;      /* looks, and leaves it as it is */
};

/* fd takes the place of name, if that is what is wanted. */
static int
replace(int folder, int fd, const char *name, const struct order *o)
{
	scoped_close int lock = -1;
	char tag[TAG_BYTES];
	struct stat st;
	int rc;

	if (!o->want)
		return put_in_place(folder, fd, name);
	lock = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return -errno;
	rc = tag_at(folder, name, tag);
	if (rc == 0 && !is_wanted(o->want, tag))
		rc = -ESTALE;
	if (rc == 0 && !o->is_dry)
		rc = put_in_place(folder, fd, name);
	if (rc == 0 && !o->is_dry) {
		if (fstat(fd, &st) < 0)
			return -errno;
		tag_of(&st, tag);
	}
	if (rc == 0 || rc == -ESTALE)
		say_tag(tag);
	return rc;
}

static int
put(int root, const struct order *o)
{
	scoped_close int folder = -1;
	scoped_close int fd = -1;
	const char *name;
	ssize_t n;
	int mode;

	folder = open_folder(root, o->path, &name);
	if (folder < 0)
		return steal_fd(folder);
	if (!is_disk(folder))
		return -EROFS;
	mode = mode_at(folder, name);
	if (mode < 0)
		return mode;
	fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = copy(STDIN_FILENO, fd, o->bytes);
	if (n < 0)
		return (int)n;
	if ((size_t)n != o->bytes)
		return -EPIPE; /* who sends it has gone */
	if (fchmod(fd, (mode_t)mode) < 0)
		return -errno;
	return replace(folder, fd, name, o);
}

/* get and put are what an older europad says. */
static int
obey(int root, int argc, char *const *argv)
{
	struct order o = { .path = argc > 1 ? argv[1] : NULL };

	if (argc == 2 && strcmp(argv[0], "get") == 0)
		return get(root, o.path, false);
	if (argc == 2 && strcmp(argv[0], "read") == 0)
		return get(root, o.path, true);
	if (argc < 3)
		return -EINVAL;
	o.bytes = strtoul(argv[2], NULL, 10);
	if (argc == 3 && strcmp(argv[0], "put") == 0)
		return put(root, &o);
	if (argc < 4 || strcmp(argv[0], "write") != 0)
		return -EINVAL;
	o.want = argv[3];
	o.is_dry = argc == 5 && strcmp(argv[4], "dry") == 0;
	return argc == 4 || o.is_dry ? put(root, &o) : -EINVAL;
}

int
init_file_main(int argc, char *const *argv)
{
	scoped_close int root = -1;

	if (argc < 3)
		return EINVAL;
	umask(0);
	root = open(argv[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno;
	return -obey(root, argc - 1, argv + 1);
}
