/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template: runs europa-template and reads the one line that it prints. No
 * shell is between, so that paths are words whatever they hold.
 */
#include "agent/template.h"

#include "api/model.h"
#include "lib/base.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

extern char **environ;

enum { NO_TEMPLATE = 3 }; /* exit status of europa-template */

/* Starts argv with its standard output in a pipe; returns the reading end. */
static int
spawn_reader(char *const *argv, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int fd[2];
	int rc;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
	rc = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fd[1]);
	if (rc != 0) {
		close(fd[0]);
		return -rc;
	}
	return fd[0];
}

/* Reads all that comes, keeps the first line. */
static void
read_line(int fd, char *line, size_t size)
{
	size_t len = 0;
	char rest[256];
	ssize_t n;

	while (len < size - 1 && (n = read(fd, line + len, size - 1 - len)) > 0)
		len += (size_t)n;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	while (read(fd, rest, sizeof(rest)) > 0)
		continue;
}

int
template_build(const struct config *c, const char *name, char *rootfs,
    size_t size, struct err *e)
{
	char word[MODEL_NAME_BYTES];
	char program[CONFIG_PATH + 32], out[CONFIG_PATH + 32];
	char bins[sizeof(c->template_bin)];
	char *argv[] = { program, (char[]){ "build" }, word,
		(char[]){ "--bin" }, bins, (char[]){ "--out" }, out, NULL };
	int status = -1;
	pid_t pid;
	int fd;

	snprintf(
	    program, sizeof(program), "%s/europa-template", c->libexec_dir);
	snprintf(out, sizeof(out), "%s/templates", c->state_dir);
	snprintf(word, sizeof(word), "%s", name);
	memcpy(bins, c->template_bin, sizeof(bins));
	fd = spawn_reader(argv, &pid);
	if (fd < 0)
		return err_set(e, fd, "%s: %s", program, strerror(-fd));
	read_line(fd, rootfs, size);
	close(fd);
	if (waitpid(pid, &status, 0) < 0)
		status = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_TEMPLATE)
		return err_set(e, -ENOENT,
		    "there is no template %s; there are: %s", name, rootfs);
	if (status != 0 || rootfs[0] != '/')
		return err_set(e, -EIO,
		    "%s could not build the template %s from %s: its message "
		    "is in the log of europad",
		    program, name, bins);
	return 0;
}
