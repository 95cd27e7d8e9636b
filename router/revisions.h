/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revisions: the pipelines that this router has been given, by number, with
 * author, time, digest, and what became of each. In a folder, so that the next
 * process knows which one to run and which not to run again:
 *
 *	list      one line each:
 *	          NUMBER STATE PREVIOUS TIME SHA256 AUTHOR WHY...
 *	N.lua     the text of revision N
 *
 * Number 0 is what the router brings along; it is not in the list. The oldest
 * are forgotten. Not for more than one thread.
 */
#ifndef ROUTER_REVISIONS_H
#define ROUTER_REVISIONS_H

#include "lib/sha256.h"
#include "router/script.h"

#include <limits.h>
#include <stdint.h>

enum revisions_limits { REVISIONS_KEPT = 16 };

enum revision_state {
	REVISION_CHECKING,
	REVISION_REFUSED, /* it did not pass its check */
	REVISION_RUNNING,
	REVISION_REPLACED, /* it ran until another one came */
	REVISION_FAILED,   /* it ran, and threw, crashed or stood still */
};

struct revision {
	unsigned number;
	enum revision_state state;
	unsigned previous; /* who ran before it */
	int64_t time;      /* s since 1970, when it was given */
	char digest[SHA256_HEX];
	char author[32];
	char why[256]; /* REFUSED, FAILED; else what its check said: one line */
};

struct revisions {
	char dir[PATH_MAX - 32];
	unsigned n;
	struct revision list[REVISIONS_KEPT]; /* the newest last */
};

/* The word for a state. */
const char *revision_state_name(enum revision_state state);

/*
 * Reads what dir has; makes it if it is not there. A list that makes no sense
 * is an empty one. Returns 0 or negative errno.
 */
int revisions_open(struct revisions *r, const char *dir);

/* Adds a text. Returns its revision, CHECKING, or NULL if it cannot be stored. */
struct revision *revisions_add(
    struct revisions *r, const struct script_text *t, const char *author);

/* NULL: it is not known. */
struct revision *revisions_find(struct revisions *r, unsigned number);
struct revision *revisions_newest(struct revisions *r);

/* The one that is in force, 0 = what the router brings along. */
unsigned revisions_running(const struct revisions *r);

/* Notes what became of it, and writes the list. why may be NULL. */
void revisions_set(struct revisions *r, unsigned number,
    enum revision_state state, const char *why);

/* Number has taken over. */
void revisions_run(struct revisions *r, unsigned number);

/*
 * Number failed while it ran. Returns who is in force then: who is already, else
 * who ran before it and did not fail; at last 0.
 */
unsigned revisions_fail(struct revisions *r, unsigned number, const char *why);

/* The text, to be freed, with its length; NULL if it is not there. */
char *revisions_text(const struct revisions *r, unsigned number, size_t *len);

/* A whole file of at most SCRIPT_MAX_TEXT bytes, likewise. */
char *revisions_read_file(const char *path, size_t *len, struct err *e);

#endif
