/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route: from method and path to an operation. The table in route.c is the one
 * list of operations in C and mirrors openapi.yaml; a test compares the two.
 *
 * Nothing here knows HTTP's library. A path is cut at its slashes first and
 * decoded segment by segment, so "%2f" never makes a new segment.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/model.h"
#include "api/server.h"

enum route_flags {
	ROUTE_BODY = 1,      /* wants a JSON body */
	ROUTE_WRITES = 2,    /* has ?dry_run= */
	ROUTE_PROJECT = 4,   /* has ?project= */
	ROUTE_LUA = 8,       /* wants a program as its body, not JSON */
	ROUTE_LINES = 16,    /* the body may be lines of JSON, of any number */
	ROUTE_EMPTY = 32,    /* beside ROUTE_BODY: there need not be one */
	ROUTE_SOURCE = 64,   /* has ?source= and ?cursor= */
	ROUTE_LIST = 128,    /* has ?limit=, ?cursor= and ?fields= */
	ROUTE_LABEL = 256,   /* has ?label= */
	ROUTE_EVENTS = 1024, /* has ?follow= */
	ROUTE_KEY = 512,     /* takes an Idempotency-Key: its answer is kept */
};

enum { ROUTE_ALLOW_BYTES = 64 };

struct route_match {
	int status; /* 200, 404 or 405 */
	enum api_op op;
	unsigned flags;
	char name[MODEL_NAME_BYTES];
	char subname[MODEL_VNIC_NAME_BYTES];
	unsigned number;               /* {n} */
	char allow[ROUTE_ALLOW_BYTES]; /* for 405: "GET, HEAD, PUT" */
};

/*
 * Finds the operation; path is raw (still percent-encoded) and without query.
 * HEAD is GET. Context: any thread.
 */
void route_find(const char *method, const char *path, struct route_match *out);

/*
 * Decodes %XX in s[0..n) into out[size], with its final zero. Returns the
 * length, or -EINVAL: a broken escape, a zero byte, or no room.
 */
int route_decode(const char *s, size_t n, char *out, size_t size);

/* Row i of the table for tests and documents; false after the last. */
bool route_row(
    unsigned i, const char **method, const char **pattern, enum api_op *op);

#endif
