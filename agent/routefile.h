/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routefile: the run-time routes of one router (source "api"), on disk:
 *
 *	add 203.0.113.0/24 via 198.18.1.2     a whole table, as it was PUT
 *	...
 *	then
 *	delete 203.0.113.0/24                 changes, in their order
 *	...
 *
 * A change is appended and synced, so that it costs what it is and not what the
 * table is; when the changes are far longer than the table, both become one
 * table again. A last line that is torn was never acknowledged, and is dropped.
 *
 * The lines are those of the router's own socket. Nothing of them is kept in
 * memory.
 */
#ifndef AGENT_ROUTEFILE_H
#define AGENT_ROUTEFILE_H

#include "agent/durable.h"

#define ROUTEFILE_THEN "then\n"

enum {
	ROUTEFILE_FOLD_BYTES = 4 << 20, /* of changes, before they are folded */
	ROUTEFILE_LINE = 192,           /* bytes that a line has at most */
};

struct routefile {
	char dir[DURABLE_PATH];
	size_t table; /* bytes of the table with "then"; 0 = there is no file */
	size_t bytes; /* of the file */
};

/* Reads what is in dir, which need not be there: then there are no routes. */
int routefile_open(struct routefile *f, const char *dir, struct err *e);

/* fd, a file without a name of n bytes, becomes the table. */
int routefile_replace(struct routefile *f, int fd, size_t n, struct err *e);
/* n bytes of whole lines are added. */
int routefile_append(
    struct routefile *f, const char *lines, size_t n, struct err *e);

/* For reading from its first byte on; -1 if there is none. */
int routefile_read(const struct routefile *f);

#endif
