/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_lines: a stream of routes from a client, one JSON object a line, to a
 * file of checked lines as the router's own socket takes them (router/ctl.h):
 *
 *	{"prefix": "203.0.113.0/24", "via": "198.18.1.2"}
 *	                              add 203.0.113.0/24 via 198.18.1.2
 *	{"op": "delete", "prefix": "203.0.113.0/24"}       (a change alone)
 *	                              delete 203.0.113.0/24
 *
 * Whether a route leads somewhere the router alone knows. The file has no name:
 * it is gone with its descriptor unless somebody gives it one. Nothing is kept
 * in memory but the line that has not ended.
 */
#ifndef API_ROUTE_LINES_H
#define API_ROUTE_LINES_H

#include "api/problem.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	ROUTE_LINES_MAX = 2 << 20,  /* routes of one stream */
	ROUTE_LINES_LINE = 1 << 10, /* bytes of one of its lines */
};

struct route_lines;

/* may_delete: a change, not a whole table. Returns 0 or negative errno. */
int route_lines_new(const char *dir, bool may_delete, struct route_lines **out);
void route_lines_free(struct route_lines *l);

/* What is wrong is told at the end. */
void route_lines_take(struct route_lines *l, const char *bytes, size_t n);

/* That was all. Returns 0, the file is then on disk; or negative with p set. */
int route_lines_end(struct route_lines *l, struct problem *p);

/* The file, at any offset, borrowed; its lines and its bytes. */
int route_lines_fd(const struct route_lines *l);
size_t route_lines_count(const struct route_lines *l);
size_t route_lines_bytes(const struct route_lines *l);

#endif
