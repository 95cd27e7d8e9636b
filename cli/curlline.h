/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curlline: the curl command that does the same as a request. What --debug
 * prints can be pasted into a shell, whatever the texts in it are; a token is
 * never in it, the shell puts it in from $EUROPA_TOKEN.
 */
#ifndef CLI_CURLLINE_H
#define CLI_CURLLINE_H

#include "cli/http.h"

/* s as one word of a shell, to f. */
void curlline_quote(FILE *f, const char *s, size_t n);

struct curlline {
	const char *url;    /* the whole of it */
	const char *socket; /* of a unix socket, or NULL */
	const char *pin;    /* for --pinnedpubkey, or NULL */
	bool has_token;
};

void curlline_print(
    FILE *f, const struct curlline *l, const struct http_request *rq);

#endif
