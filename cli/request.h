/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: a row of the table becomes a request, and its answer is printed. Also
 * the few words by which the larger commands ask a node.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/args.h"
#include "cli/http.h"

#include <jansson.h>

/* Does what the row says. Returns an exit code. */
int request_run(struct cli *c, const struct call *call);

/*
 * One request with project, dry_run and the other things that were said before
 * the command. Returns 0 and an answer of any status, or negative errno.
 */
int request_send(struct cli *c, const struct http_request *rq,
    struct http_answer *out, struct err *e);

/* The same for a request that asks for another protocol. */
int request_upgrade(struct cli *c, const struct http_request *rq,
    struct http_answer *out, struct err *e);

/*
 * The same for JSON; body may be NULL. Returns an exit code, and *out (may be
 * NULL, and NULL is stored where the answer has no body) if it is 0. Says why if
 * not, but of those statuses in quiet (0: none).
 */
int request_json(struct cli *c, const char *method, const char *path,
    const json_t *body, unsigned quiet, json_t **out);

/* GET of all pages; rows is the member that is the list. */
int request_list(
    struct cli *c, const char *path, const char *rows, json_t **out);

/* Prints by the columns of the row and what was said before the command. */
int request_print(
    const struct cli *c, const struct command *command, const json_t *doc);

/* The path of the row with its words in it; returns to caller. */
char *request_path(const struct call *call, struct err *e);

#endif
