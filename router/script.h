/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script: a pipeline ready to run on one fast path: its Lua state, with a limit
 * to its memory, and the loop in it. Made by the main thread, run by a fast
 * path, freed by the main thread when that has left it.
 *
 * A script has the foreign function interface: it may write anywhere in this
 * process, and end it. What is caught here is what goes wrong in Lua; the rest
 * is the business of watchdog.h and of the container's init.
 *
 * An empty text is the pipeline in C (pipeline.h), and has no Lua state.
 */
#ifndef ROUTER_SCRIPT_H
#define ROUTER_SCRIPT_H

#include "lib/err.h"
#include "router/path.h"

#include <stddef.h>

enum script_limits {
	SCRIPT_MAX_TEXT = 256 << 10,  /* bytes */
	SCRIPT_MAX_MEMORY = 16 << 20, /* bytes, of each Lua state */
	SCRIPT_LOAD_MS = 1000,
};

struct script;

struct script_text {
	const char *name; /* what errors call it */
	const char *text; /* not ended by a zero byte */
	size_t len;
	size_t max_memory; /* bytes; 0 = SCRIPT_MAX_MEMORY */
};

/*
 * Compiles and loads. Returns 0 and the script to the caller, or -EINVAL, with
 * "name:line: why" in e, -ENOMEM or -ETIMEDOUT. Context: any thread.
 */
int script_new(const struct script_text *t, struct script **out, struct err *e);
void script_free(struct script *s); /* NULL is allowed */

/* Is it the pipeline in C? */
bool script_is_c(const struct script *s);

/* The names of its steps, each ended by "\n" but the last. Context: main. */
const char *script_steps(const struct script *s);

/*
 * Runs the loop of s on p until path_receive() ends it. Returns 0, or -EINVAL or
 * -ENOMEM with e set when the script threw; frames may be held then. Not for the
 * pipeline in C. Context: the fast path that s was made for.
 */
int script_run(struct script *s, struct path *p, struct err *e);

/* Compiled pieces, and those that could not be. Context: any thread. */
void script_counts(const struct script *s, unsigned *traces, unsigned *aborts);

#endif
