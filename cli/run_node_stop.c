/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_node_stop: a node goes down as a whole. The service manager is asked, the
 * API has no word for it: europad stops every router when it gets SIGUSR1 and
 * ends when none is left (europad(8)), then the data plane may go. The socket
 * goes first, else the next request would start europad again.
 */
#include "cli/args.h"
#include "cli/run.h"
#include "lib/base.h"
#include "lib/loop.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

enum { POLL_NS = 200000000 };

extern char **environ;

/* Returns its exit status, -1 if it cannot be run. */
static int
systemctl(const char *const *words)
{
	char *argv[8] = { (char *)(uintptr_t) "systemctl" };
	int status;
	pid_t pid;

	for (unsigned i = 0; words[i] && i + 2 < ARRAY_SIZE(argv); i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	if (posix_spawnp(&pid, "systemctl", NULL, NULL, argv, environ) != 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
wait_until_gone(unsigned seconds)
{
	static const char *const is_active[] = { "is-active", "--quiet",
		"europad.service", NULL };
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t end = loop_now_ms() + seconds * 1000ULL;

	while (systemctl(is_active) == 0) {
		if (loop_now_ms() >= end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

int
run_node_stop(struct cli *c, const struct call *call)
{
	static const char *const show_socket[] = { "is-active", "--quiet",
		"europad.socket", NULL };
	static const char *const stop_socket[] = { "stop", "europad.socket",
		NULL };
	static const char *const stop_routers[] = { "kill", "--kill-who=main",
		"--signal=SIGUSR1", "europad.service", NULL };
	static const char *const stop_plane[] = { "stop",
		"europa-dataplane.service", NULL };
	unsigned seconds = 60;
	struct err e;
	int rc;

	(void)c;
	if (args_number(call, "--for", 86400, &seconds, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	rc = systemctl(show_socket);
	if (rc < 0)
		return cli_fail(EXIT_OTHER, "systemctl cannot be run");
	if (rc == 0 && systemctl(stop_socket) != 0)
		return cli_fail(EXIT_OTHER, "europad.socket does not stop");
	if (systemctl(stop_routers) != 0)
		return cli_fail(EXIT_OTHER, "europad is not told to stop");
	if (!wait_until_gone(seconds))
		return cli_fail(EXIT_NOT_APPLIED,
		    "europad still stops routers after %u s", seconds);
	if (systemctl(stop_plane) != 0)
		return cli_fail(EXIT_OTHER, "europa-dataplane does not stop");
	return EXIT_DONE;
}
