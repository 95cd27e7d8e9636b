/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_args: the command line of europa-launch, written by europad and read
 * by the launcher.
 *
 *	europa-launch start --dir DIR --uid UID --hostname NAME --rootfs PATH
 *	    --run-dir PATH --id-base N --cpu-millis N --mem-bytes N --pids N
 *	    --disk-bytes N [--cpus LIST]
 *	europa-launch limit --dir DIR --uid UID --cpu-millis N ... [--cpus LIST]
 *	europa-launch stop|freeze|thaw|query|destroy --dir DIR --uid UID
 *
 * Whatever passes launch_args_parse() is safe to stand in a file name, in a
 * line of an LXC configuration and in a mount entry: no blanks, no quotes, no
 * control bytes, no "..".
 */
#ifndef AGENT_LAUNCH_ARGS_H
#define AGENT_LAUNCH_ARGS_H

#include "agent/container.h"

struct launch_args {
	enum container_verb verb;
	const char *dir;
	struct container_spec spec; /* of the others: uid only */
};

enum { LAUNCH_MAX_ARGS = 26, LAUNCH_ARG_BYTES = 24 };

struct launch_argv {
	char *argv[LAUNCH_MAX_ARGS];
	char number[5][LAUNCH_ARG_BYTES];
};

/* Returns the verb's word. */
const char *launch_verb_name(enum container_verb v);

/*
 * Reads a command line; out borrows its words. Returns 0, or -EINVAL with e
 * set.
 */
int launch_args_parse(
    int argc, char *const argv[], struct launch_args *out, struct err *e);

/*
 * The command line for a; out borrows the strings of a and points into itself.
 * Context: any thread.
 */
void launch_args_format(
    const struct launch_args *a, const char *launcher, struct launch_argv *out);

/* True if s may name a container: 1..64 of [A-Za-z0-9_.-], no dot first. */
bool launch_uid_is_valid(const char *s);

#endif
