/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routefile: the run-time routes of one router (source "api"), on disk:
 *
 *	add 203.0.113.0/24 via 198.18.1.2     a whole table, as it was PUT
 *	...
 *	then
 *	# 23                                  changes, in their order, each with
 *	delete 203.0.113.0/24                 its bytes before it
 *	...
 *
 * A change is appended and synced, so that it costs what it is and not what the
 * table is; when the changes are far longer than the table, both become one
 * table again (routefold.h): beside all else, and the first change after that
 * puts it in its place. A last change that is torn was never acknowledged, and
 * nothing of it is left.
 *
 * The lines are those of the router's own socket, to which one that begins with
 * # says nothing. Nothing of them is kept in memory.
 */
#ifndef AGENT_ROUTEFILE_H
#define AGENT_ROUTEFILE_H

#include "agent/durable.h"

struct routefold;

#define ROUTEFILE_THEN "then\n"

enum {
	ROUTEFILE_FOLD_BYTES = 4 << 20, /* of changes, before they are folded */
	ROUTEFILE_MAX_BYTES = 512 << 20, /* then there is no room for more */
};

struct routefile {
	char dir[DURABLE_PATH];
	size_t table; /* bytes of the table with "then"; 0 = there is no file */
	size_t bytes; /* of the file */

	struct routefold *fold; /* NULL: nobody folds it */
	size_t folded;          /* bytes that it folds */
	size_t fold_after;      /* bytes: not before */
};

/* Reads what is in dir, which need not be there: then there are no routes. */
int routefile_open(struct routefile *f, const char *dir, struct err *e);

/* Gives up what it does beside all else. The file is as it was. */
void routefile_close(struct routefile *f);

/* fd, a file without a name of n bytes, becomes the table. */
int routefile_replace(struct routefile *f, int fd, size_t n, struct err *e);
/* Can n bytes be added? */
bool routefile_has_room(const struct routefile *f, size_t n);
/* n bytes of whole lines are added: all of them, or none. */
int routefile_append(
    struct routefile *f, const char *lines, size_t n, struct err *e);

/* For reading from its first byte on; -1 if there is none. */
int routefile_read(const struct routefile *f);

#endif
