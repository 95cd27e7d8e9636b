/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_shelf: the tables of an engine that cannot be changed beside its readers:
 * copies of one, of which readers have one and the writer changes another
 * (MoonRoute paper, section 4.2, "double buffering").
 *
 *	on the shelf --take--> brought up to date, in readers' hands --give--> back
 *
 * What changes is noted once and done to each copy when it is next taken. There
 * is a second copy only after the first change, and a third only if a change
 * comes while readers still have two. One writer; who calls fib_shelf_give()
 * knows that no reader has the copy any more.
 */
#ifndef ROUTER_FIB_SHELF_H
#define ROUTER_FIB_SHELF_H

#include "router/fib_engine.h"

enum fib_shelf_limits {
	FIB_SHELF_PLACES = 3,
	FIB_SHELF_NOTES = 1 << 16, /* more of them: a copy is made anew */
	FIB_SHELF_ADDRESS = 16,    /* bytes, at most */
};

/* Fills an empty table with all routes; says for how many there is to be room. */
struct fib_source {
	void (*measure)(const void *routes, struct fib_room *room);
	int (*fill)(
	    const void *routes, const struct fib_engine *e, void *table);
	const void *routes;
};

struct fib_note {
	_Alignas(8) uint8_t prefix[FIB_SHELF_ADDRESS];
	uint16_t result; /* 0: it is gone */
	uint8_t len;
};

struct fib_place {
	void *table;
	size_t at; /* notes that it knows */
	bool taken;
	bool old; /* knows too little: to be freed */
};

struct fib_shelf {
	const struct fib_engine *engine;
	struct fib_place place[FIB_SHELF_PLACES];
	unsigned n_taken;
	struct fib_note *note;
	size_t n;
	size_t max;
};

struct fib_shelf *fib_shelf_new(const struct fib_engine *e);

/* Notes that the route of this prefix leads to result now, 0: that it is gone. */
int fib_shelf_note(struct fib_shelf *s, const void *prefix, size_t bytes,
    unsigned len, uint16_t result);

/*
 * A copy that knows all notes. Returns its place, -EAGAIN (readers have too many)
 * or -ENOMEM.
 */
int fib_shelf_take(struct fib_shelf *s, const struct fib_source *from);

/* Does to a taken copy, which no reader has yet, what was noted. 0, -ENOSPC.. */
int fib_shelf_catch_up(struct fib_shelf *s, unsigned place);

/* No reader has it any more. The last one takes the shelf with it. */
void fib_shelf_give(struct fib_shelf *s, unsigned place);

#endif
