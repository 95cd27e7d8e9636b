/* SPDX-License-Identifier: Apache-2.0 */
/*
 * europactl: the command line of a node, a client of its REST interface.
 *
 * The words are read by the table of command.h; what they ask for is one
 * request, or a function of run.h. The exit code says how it ended, see
 * europactl(1).
 */
#include "cli/args.h"
#include "cli/http.h"
#include "cli/request.h"
#include "cli/run.h"
#include "lib/base.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

static int
run(struct cli *c, const struct call *call)
{
	const struct command *command = call->command;
	struct err e;

	if (!(command->flags & COMMAND_LOCAL) && cli_connect(c, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	return command->run ? command->run(c, call) : request_run(c, call);
}

/* Written to a pipe that nobody reads, or a full disk: not done. */
static int
flush(int rc)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	return rc == EXIT_DONE ? EXIT_OTHER : rc;
}

int
main(int argc, char **argv)
{
	struct cli c = { .g = { .timeout_s = 60,
			     .project = getenv("EUROPA_PROJECT") } };
	struct call call;
	struct err e;
	int rc;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (args_read(argc - 1, argv + 1, &c.g, &call, &e) < 0) {
		rc = cli_fail(EXIT_USAGE, "%s", e.msg);
	} else if (call.wants_version) {
		puts("europactl " EUROPA_VERSION);
		rc = EXIT_DONE;
	} else if (call.wants_help) {
		rc = run_help(&c, &call);
	} else {
		rc = run(&c, &call);
	}
	args_free(&call);
	http_close(c.http);
	return flush(rc);
}
