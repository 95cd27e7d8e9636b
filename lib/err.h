/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: an error that a person will read.
 *
 * The caller owns a struct err on its stack and passes it down as the last
 * parameter; NULL means "nobody reads it". Code that only other code reads
 * (lib/, dataplane/, router/) returns negative errno and has no struct err.
 */
#ifndef EUROPA_ERR_H
#define EUROPA_ERR_H

#include <stdarg.h>

struct err {
	int no; /* negative errno; 0 = no error */
	char msg[512];
};

/*
 * Fills e and returns no, so that a failure is one statement:
 *	return err_set(e, -ENOSPC, "router %s: pool needs %zu bytes", id, n);
 * no is a negative errno. Context: any thread.
 */
int err_set(struct err *e, int no, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Puts "context: " before the message of e, one per level that adds knowledge.
 * Returns the errno that e holds.
 */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
