/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: what every part of europactl knows: how it ends, and what was said
 * before the command.
 *
 * Data goes to stdout, words to stderr, nothing else to either. europactl is a
 * client of the REST interface and of nothing else: it opens no file of a node.
 * Only doctor looks at the host that it runs on.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, a promise to scripts. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_CONFLICT = 4,
	EXIT_INVALID = 5,
	EXIT_DENIED = 6,
	EXIT_CAPACITY = 7,
	EXIT_NOT_APPLIED = 8,
	EXIT_UNREACHABLE = 9,
	EXIT_DIFFERENCES = 10,
	EXIT_PREFLIGHT = 78,
};

enum format {
	FORMAT_DEFAULT, /* what the command says */
	FORMAT_TABLE,
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_CSV,
	FORMAT_NAME,
};

#define CLI_SOCKET "/run/europa/api.sock"

/* All texts are borrowed from argv and the environment. */
struct globals {
	const char *server;      /* name, path or URL; NULL: the current one */
	const char *fingerprint; /* sha256:HEX, or NULL */
	const char *token_file;
	const char *project;
	const char *fields;   /* "a,b", or NULL */
	const char *if_match; /* an ETag, or NULL */
	const char *key;      /* names a request that may come again, or NULL */
	enum format format;
	unsigned timeout_s; /* of a request; 0: none */
	bool dry_run;
	bool async; /* do not wait until it is applied */
	bool debug;
	bool quiet; /* no progress */
};

struct http;

struct cli {
	struct globals g;
	struct http *http; /* NULL until cli_connect() */
};

/* Opens c->http by what g, the environment and the stored servers say. */
int cli_connect(struct cli *c, struct err *e);

/* "europactl: " and the words, to stderr. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says why, and returns code, so that a failure is one statement. */
int cli_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
