/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_conf: takes the configuration from europad, see router.conf(5).
 *
 * A configuration counts when it is complete: at most 8 MiB, no zero byte, and
 * its last line is "end". It replaces router.conf by a rename, so that a reader
 * sees the old one or the new one; it is not written if nothing has changed, so
 * that a europad that comes back causes no reload.
 */
#include "container-templates/init.h"

#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* What a router.conf that names none means. */
static char default_command[1024] = "/usr/sbin/europa-router";

void
init_conf_default(const char *path)
{
	scoped_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char line[sizeof(default_command)];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (n <= 0 || line[0] != '/')
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	strcpy(default_command, line);
}

static int
read_all(int fd, size_t max, char **out, size_t *n)
{
	scoped_free char *text = NULL;
	struct stat st;
	size_t done = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return -EINVAL;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t k = pread(
		    fd, text + done, (size_t)st.st_size - done, (off_t)done);

		if (k < 0)
			return -errno;
		if (k == 0)
			return -EBADMSG;
		done += (size_t)k;
	}
	text[done] = '\0';
	*n = done;
	*out = steal_ptr(text);
	return 0;
}

static bool
is_complete(const char *text, size_t n)
{
	static const char last[] = "end\n";
	size_t k = sizeof(last) - 1;

	if (n < k || memcmp(text + n - k, last, k) != 0)
		return false;
	return (n == k || text[n - k - 1] == '\n') && !memchr(text, '\0', n);
}

static int
split(struct init_command *c)
{
	char *word, *rest;
	unsigned n = 0;

	for (word = strtok_r(c->text, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		if (n == INIT_MAX_WORDS)
			return -E2BIG;
		c->argv[n++] = word;
	}
	c->argv[n] = NULL;
	return n > 0 && c->argv[0][0] == '/' ? 0 : -EBADMSG;
}

int
init_conf_command(const char *text, size_t n, struct init_command *out)
{
	static const char key[] = "dataplane ";
	const char *end = text + n;

	memset(out, 0, sizeof(*out));
	memcpy(out->text, default_command, sizeof(default_command));
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((eol ? eol : end) - text);

		if (len >= sizeof(key) &&
		    memcmp(text, key, sizeof(key) - 1) == 0) {
			text += sizeof(key) - 1;
			len -= sizeof(key) - 1;
			if (len >= sizeof(out->text))
				return -E2BIG;
			memcpy(out->text, text, len);
			out->text[len] = '\0';
			break;
		}
		text += len + 1;
	}
	return split(out);
}

bool
init_command_equal(const struct init_command *a, const struct init_command *b)
{
	unsigned i = 0;

	for (; a->argv[i] && b->argv[i]; i++)
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	return a->argv[i] == b->argv[i];
}

void
init_command_copy(struct init_command *to, const struct init_command *from)
{
	memcpy(to->text, from->text, sizeof(to->text));
	for (unsigned i = 0; i <= INIT_MAX_WORDS; i++)
		to->argv[i] = from->argv[i]
				  ? to->text + (from->argv[i] - from->text)
				  : NULL;
}

static bool
is_content_of(int dir, const char *name, const char *text, size_t n)
{
	scoped_close int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	scoped_free char *old = NULL;
	size_t k = 0;

	return fd >= 0 && read_all(fd, n, &old, &k) == 0 && k == n &&
	       memcmp(old, text, n) == 0;
}

static int
write_file(const char *path, const char *name, const char *text, size_t n)
{
	static const char hidden[] = ".europa-init.new";
	scoped_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped_close int fd = -1;
	size_t done = 0;

	if (dir < 0)
		return -errno;
	if (is_content_of(dir, name, text, n))
		return 0;
	unlinkat(dir, hidden, 0);
	fd = openat(dir, hidden,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	while (done < n) {
		ssize_t k = write(fd, text + done, n - done);

		if (k < 0) {
			int no = -errno;

			unlinkat(dir, hidden, 0);
			return no;
		}
		done += (size_t)k;
	}
	if (fchmod(fd, 0644) < 0 || renameat(dir, hidden, dir, name) < 0)
		return -errno;
	return 0;
}

int
init_conf_take(int fd, const char *dir, struct init_command *out)
{
	scoped_free char *text = NULL;
	size_t n = 0;
	int rc = read_all(fd, INIT_MAX_CONF_BYTES, &text, &n);

	if (rc < 0)
		return rc;
	if (!is_complete(text, n))
		return -EBADMSG;
	rc = init_conf_command(text, n, out);
	return rc < 0 ? rc : write_file(dir, "router.conf", text, n);
}

int
init_conf_take_pipeline(int fd, const char *dir)
{
	scoped_free char *text = NULL;
	size_t n = 0;
	int rc = read_all(fd, INIT_MAX_PIPELINE_BYTES, &text, &n);

	return rc < 0 ? rc : write_file(dir, "pipeline.lua", text, n);
}
