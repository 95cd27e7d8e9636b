/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args: reads a command line by the rows of command.h. It looks at nothing but
 * the words: whether they can be done is not known here.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/command.h"

enum { CALL_MAX_OPTIONS = 64 };

/* A command line that is one. Borrows all texts of argv. */
struct call {
	const struct command *command;
	const char **word; /* owned, n_words, then NULL */
	unsigned n_words;
	struct {
		const struct option *option;
		const char *value; /* NULL if it takes none */
	} option[CALL_MAX_OPTIONS];
	unsigned n_options;
	bool wants_help, wants_version;
};

/*
 * Reads argv without the program's name. g has what was said before the
 * command, on what it was before. Returns 0, or -EINVAL with e set; call is to
 * be freed in any case.
 */
int args_read(
    int argc, char **argv, struct globals *g, struct call *call, struct err *e);
void args_free(struct call *call);

/* The i-th word, or NULL. */
const char *args_word(const struct call *call, unsigned i);

/* The last value of that option, NULL if it is not there ("" if it takes none) */
const char *args_option(const struct call *call, const char *name);

/*
 * The value of that option as a number of at most max, or what it is without
 * it. Returns 0 or -EINVAL.
 */
int args_number(const struct call *call, const char *name, unsigned max,
    unsigned *number, struct err *e);

/* The options that every command has; ends with one without a name. */
extern const struct option global_options[];

#endif
