/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: the routes of source api in a file beside router.conf, for the next
 * process of this router; the folder lives as long as the container does.
 *
 *	file = JOURNAL_MAGIC, records
 *	record of IPv4 = kind, length, dev, 0, prefix, via   12 bytes
 *	record of IPv6 = the same with addresses of 16 bytes  36 bytes
 *
 * Each change is a record at its end. When more than half of it is of no use any
 * more it is written anew, a piece in each turn, into a file that takes its place
 * by a rename; changes that come meanwhile are put into both. So its size is
 * bounded by the routes that there are, and a half record, of a process that
 * died, is at its end only and is left out.
 *
 * It helps after a crash, no more: a full disk is said in the log, and what is
 * in force goes on. Then there is no file, rather than one of a part of it, until
 * the next change finds room for all.
 */
#ifndef ROUTER_JOURNAL_H
#define ROUTER_JOURNAL_H

#include "router/routes.h"

#include <limits.h>
#include <stdio.h>

#define JOURNAL_MAGIC "EURoute1"

enum journal_limits {
	JOURNAL_AT_ONCE = 4096, /* routes of a turn */
	JOURNAL_SLACK = 256
			<< 10, /* bytes without use that are always allowed */
};

struct journal {
	FILE *file; /* NULL: there is none */
	FILE *next; /* while it is written anew */
	bool rewriting;
	bool failed;     /* there is none, but routes that should be in it */
	struct route at; /* the last that is in next */
	size_t bytes;    /* of file */
	size_t next_bytes;
	char path[PATH_MAX];
	char next_path[PATH_MAX + 8];
};

/*
 * Opens the one beside conf and gives fn all that is in it, until that returns a
 * negative number. Returns 0 or negative errno: nothing is kept.
 */
int journal_open(struct journal *j, const char *conf,
    int (*fn)(void *arg, struct route *r, bool add), void *arg);
void journal_close(struct journal *j);

/* A change of a route; what is put is in the file after journal_turn(). */
void journal_put(struct journal *j, const struct route *r, bool add);

/* All is another now: until it is written, the file holds what was before. */
void journal_rewrite(struct journal *j);

/* Whether the file lacks what is in force, so that nothing is to be answered. */
static inline bool
journal_is_behind(const struct journal *j)
{
	return j->rewriting && !j->file;
}

/* Does what is due; all: what it is about. */
void journal_turn(struct journal *j, const struct routes_set *all);

#endif
