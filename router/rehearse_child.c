/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse_child: a rehearsal in a process of its own: a script that crashes,
 * exits or never ends takes nobody with it. The same program is started once
 * more, with the text as its standard input.
 */
#include "router/rehearse.h"

#include "lib/base.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { REHEARSAL_SECONDS = 3 };

/* What a rehearsal prints last; a script that exits does not. */
static const char applause[] = "rehearsed";

int
rehearse_main(const char *name)
{
	static char
	    text[SCRIPT_MAX_TEXT + 1]; /* too long is seen by its size */
	struct rlimit none = { 0 };
	struct rehearsal r;
	struct err e;
	size_t n = fread(text, 1, sizeof(text), stdin);
	sigset_t all;

	/* the time is the only thing that it cannot give back itself */
	setrlimit(RLIMIT_CORE, &none);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	alarm(REHEARSAL_SECONDS);
	if (ferror(stdin)) {
		printf("%s: cannot be read\n", name);
		return 1;
	}
	if (rehearse(
		&(struct script_text){ .name = name, .text = text, .len = n },
		&r, &e) < 0) {
		printf("%s\n", e.msg);
		return 1;
	}
	printf("%s: %u packets, %u sent, %u pieces compiled, %u given up\n%s\n",
	    name, r.n_packets, r.n_sent, r.n_traces, r.n_aborts, applause);
	return 0;
}

/* A file in memory with the text, at its beginning. */
static int
text_fd(const struct script_text *t)
{
	scoped_close int fd = memfd_create("pipeline", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (pwrite(fd, t->text, t->len, 0) != (ssize_t)t->len)
		return -EIO;
	return steal_fd(fd);
}

pid_t
rehearse_spawn(const struct script_text *t, int *out)
{
	char program[] = "/proc/self/exe", option[] = "--rehearse", name[96];
	char *argv[] = { program, option, name, NULL };
	scoped_close int in = text_fd(t);
	posix_spawn_file_actions_t actions;
	int pipes[2], no;
	pid_t pid;

	if (in < 0)
		return in;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	snprintf(name, sizeof(name), "%s", t->name);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	/* what it says of made-up packets is not for the log */
	posix_spawn_file_actions_addopen(
	    &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	no = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	if (no != 0) {
		close(pipes[0]);
		return -no;
	}
	*out = pipes[0];
	return pid;
}

/* The last line but the applause; true if there was applause. */
static bool
understand(char *text, char **line)
{
	char *end = text + strlen(text);
	bool good = false;

	*line = text;
	while (end > text && end[-1] == '\n')
		*--end = '\0';
	end = strrchr(text, '\n');
	if (strcmp(end ? end + 1 : text, applause) == 0) {
		good = true;
		if (end)
			*end = '\0';
		end = strrchr(text, '\n');
	}
	if (end)
		*line = end + 1;
	return good;
}

/* It may close its output and live on, but not for long. */
static int
wait_or_kill(pid_t pid)
{
	const struct timespec t = { .tv_nsec = 10000000 };
	int status = 0;

	for (unsigned i = 0; i < 20; i++) {
		if (waitpid(pid, &status, WNOHANG) != 0)
			return status;
		nanosleep(&t, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

int
rehearse_reap(pid_t pid, int fd, const char *name, struct err *e)
{
	char text[2048], *line;
	size_t n = 0;
	ssize_t k;
	int status;
	bool good;

	while (n < sizeof(text) - 1 &&
	       (k = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)k;
	text[n] = '\0';
	close(fd);
	status = wait_or_kill(pid);
	good = understand(text, &line);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return err_set(e, -EINVAL, "%s: it stands still", name);
	if (WIFSIGNALED(status))
		return err_set(e, -EINVAL, "%s: it crashes: %s", name,
		    strsignal(WTERMSIG(status)));
	if (!good && !*line)
		return err_set(e, -EINVAL, "%s: it exits", name);
	if (status != 0 || !good)
		return err_set(e, -EINVAL, "%s", line);
	err_set(e, 0, "%s", line);
	return 0;
}
