/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: what run_restore.c and prune.c share while a node is made what a
 * backup says. An object that is removed is {"kind", "name", "path", "etag"}.
 */
#ifndef CLI_RESTORE_H
#define CLI_RESTORE_H

#include "cli/cli.h"
#include "cli/http.h"

#include <jansson.h>

struct restore {
	struct cli *c;
	json_t *results;  /* rows to print */
	const char *only; /* the project that was named, or NULL */
	bool is_dry;      /* only look */
	bool is_last_try; /* say why it is refused */
	unsigned n_done, n_all;
	unsigned n_changed;
	int code; /* of the last that was refused */
};

/* From now on it is about the "project" of item, or else the one named. */
void restore_enter(struct restore *r, const json_t *item);

/* A row of what was done; detail may be NULL. */
void restore_note(struct restore *r, const char *kind, const char *name,
    const char *result, const char *detail);

/* Sends; a refusal is kept quiet while there is hope. Returns an exit code. */
int restore_send(struct restore *r, const struct http_request *rq,
    const char *kind, const char *name);

/*
 * Adds to out what the node has and the backup does not, what needs others
 * before those. Returns an exit code.
 */
int prune_find(struct restore *r, const json_t *backup, json_t *out);
/* Asks who sits at the terminal; nobody there is a no. Returns an exit code. */
int prune_ask(const json_t *extra);
/* Removes; what was refused stays in extra. Returns an exit code. */
int prune(struct restore *r, json_t *extra);

#endif
