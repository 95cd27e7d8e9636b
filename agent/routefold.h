/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routefold: a table of routes and the changes behind it become one table, in a
 * file without a name. Millions of lines are sorted and synced, which takes
 * seconds: so it is done by a thread of its own, which has nothing but two
 * descriptors, and is asked now and then whether it has ended.
 *
 * What is written to the first file meanwhile, behind the bytes that are folded,
 * is the business of whoever asked (routefile.h).
 */
#ifndef AGENT_ROUTEFOLD_H
#define AGENT_ROUTEFOLD_H

#include <stddef.h>

struct routefold;

/*
 * Begins with the first n bytes of from, a file in dir; from is duplicated.
 * Returns NULL if it cannot.
 */
struct routefold *routefold_begin(const char *dir, int from, size_t n);

/*
 * Returns -EAGAIN: it goes on. Else it is over, and w is gone: 0, *fd (the
 * caller's now) and its *n bytes, on disk; or negative errno.
 */
int routefold_end(struct routefold *w, int *fd, size_t *n);

/* Nobody asks any more. NULL is allowed. */
void routefold_drop(struct routefold *w);

#endif
