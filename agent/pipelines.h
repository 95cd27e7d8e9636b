/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipelines: the revisions of one router's pipeline that came through the API,
 * on disk, and which of them the router is to run:
 *
 *	list.json   {"next", "wanted", "revisions": [...]}, oldest first
 *	N.lua       the text of revision N
 *
 * Number 0 is what the template brings along; it is in no list. A number is
 * never used again. The router counts its own revisions, from the start of its
 * container on; what is the same text in both has the same digest.
 *
 * Invariant: what a function has returned 0 for is on disk; after anything else
 * nothing has changed. The oldest that are not wanted are forgotten.
 */
#ifndef AGENT_PIPELINES_H
#define AGENT_PIPELINES_H

#include "agent/durable.h"
#include "lib/sha256.h"

#include <jansson.h>

enum { PIPELINES_KEPT = 32, PIPELINES_MAX_TEXT = 256 << 10 };

enum pipeline_state {
	PIPELINE_RUNNING,  /* the wanted one */
	PIPELINE_REPLACED, /* it was, until another one came */
	PIPELINE_FAILED,   /* it ran, and threw, crashed or stood still */
};

struct pipeline_revision {
	unsigned number;
	enum pipeline_state state;
	unsigned previous; /* who was wanted before it */
	char digest[SHA256_HEX];
	char author[32];
	char time[32]; /* RFC 3339, when it was given */
	char report[256];
};

struct pipelines {
	char dir[DURABLE_PATH];
	unsigned next;   /* number */
	unsigned wanted; /* number; 0 = the template's */
	unsigned n;
	struct pipeline_revision list[PIPELINES_KEPT];
};

/* Reads what is in dir, which need not be there: then it has none. */
int pipelines_open(struct pipelines *p, const char *dir, struct err *e);

const struct pipeline_revision *pipelines_find(
    const struct pipelines *p, unsigned number);
/* The newest of that digest, or NULL. */
const struct pipeline_revision *pipelines_find_digest(
    const struct pipelines *p, const char *digest);

/* The text, to be freed; NULL if it cannot be read. */
char *pipelines_text(const struct pipelines *p, unsigned number, size_t *n);

/*
 * A new revision, wanted from now on. v: digest, author, time and report; the
 * rest is filled in. Returns 0 or negative errno.
 */
int pipelines_add(struct pipelines *p, struct pipeline_revision *v,
    const char *text, size_t n, struct err *e);

/* Another one is wanted; 0 too. Returns 0, -ENOENT or negative errno. */
int pipelines_want(struct pipelines *p, unsigned number, struct err *e);

/* The wanted one failed where it ran, and now the router runs another one. */
int pipelines_fail(
    struct pipelines *p, const char *why, unsigned now, struct err *e);

/* {"revision", "state", ...} without the text. */
json_t *pipelines_json(const struct pipeline_revision *v);

#endif
