/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerctl: the command line of a router, in its container: a client of the
 * socket that ctl.h describes.
 *
 *	routerctl.c         words of the command line, what is asked
 *	routerctl_talk.c    the socket: requests, answers, their limits
 *	routerctl_json.c    an answer as a tree
 *	routerctl_print.c   and as a table
 */
#ifndef ROUTER_ROUTERCTL_H
#define ROUTER_ROUTERCTL_H

#include "router/ctl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How it ends. */
enum routerctl_exit {
	ROUTERCTL_DONE = 0,
	ROUTERCTL_REFUSED = 1, /* the router said why */
	ROUTERCTL_USAGE = 2,   /* words that mean nothing */
	ROUTERCTL_AWAY = 3, /* no router at the socket, or none that answers */
};

/* --- routerctl_json.c ----------------------------------------------------- */

enum json_type {
	JSON_NULL,
	JSON_BOOL, /* text: true, false */
	JSON_NUMBER,
	JSON_STRING, /* text: without escapes */
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_node {
	enum json_type type;
	const char *key;  /* in an object */
	const char *text; /* what has no children */
	unsigned end;     /* the first node behind this and its children */
};

struct json {
	struct json_node *node; /* [0] is all; children follow their parent */
	unsigned n;
	unsigned max;
};

/*
 * Reads text, which is changed and has to stay. Returns 0, -EBADMSG or -ENOMEM;
 * json_free() in any case.
 */
int json_read(struct json *j, char *text);
void json_free(struct json *j);

/* The child of o with that key, or NULL. */
const struct json_node *json_get(
    const struct json *j, const struct json_node *o, const char *key);

/* Its text, or otherwise. */
const char *json_text(const struct json *j, const struct json_node *o,
    const char *key, const char *otherwise);

/* for (c = json_first(j, o); c; c = json_next(j, o, c)): the children of o */
const struct json_node *json_first(
    const struct json *j, const struct json_node *o);
const struct json_node *json_next(
    const struct json *j, const struct json_node *o, const struct json_node *c);

/* --- routerctl_talk.c ----------------------------------------------------- */

/* A connection; what it cannot do it says on standard error, and exits. */
struct talk {
	int fd;
	char *answer; /* of the latest request, ended by a zero byte */
	size_t n;
};

void talk_open(struct talk *t, const char *path);
void talk_close(struct talk *t);

/* Asks; true: the answer is ok, false: it is an error. */
bool talk_ask(struct talk *t, const char *words, const char *body, size_t n);

/* --- routerctl_print.c ---------------------------------------------------- */

/* An answer to show what, as a table; rows: how many were printed before. */
void print_answer(const struct json *j, const char *what, unsigned *rows);

/* Text from elsewhere, in which nothing commands a terminal. */
void print_safe(FILE *out, const char *text, int width);

#endif
