/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_store: the writer's side of a fib: memory for leaves and lines, and when
 * it may be used again. It knows slots and values, not routes.
 *
 * While a table is built its arrays grow and nobody reads them. fib_settle()
 * gives them their last place, with room for changes; from then on what has been
 * replaced is
 *
 *	retired  --fib_seal()-->  sealed  --fib_release()-->  free
 *
 * and the writer promises that between the two calls each reader has finished
 * the burst in which it was. One writer; no call is for the fast path.
 */
#ifndef ROUTER_FIB_STORE_H
#define ROUTER_FIB_STORE_H

#include "router/fib.h"

#include <stddef.h>

enum fib_store_shape {
	FIB_ROOT_ENTRIES = 1 << FIB_ROOT_BITS,
	FIB_MAX_RUN = FIB_SLOTS + 4, /* leaves, with what is before the first */
};

/* A heap of numbers. */
struct fib_stack {
	uint64_t *item;
	size_t n;
	size_t max;
};

struct fib_store {
	struct fib *f;
	uint32_t n_leaves;
	uint32_t max_leaves;
	uint32_t n_lines;
	uint32_t max_lines;
	uint32_t n_values; /* narrow: results that have a value */
	uint8_t *value_of; /* narrow: by result; 0 = none yet */
	size_t leaf_bytes; /* of the mappings; 0 = not yet settled */
	size_t line_bytes;
	uint8_t root_page[FIB_ROOT_ENTRIES / 512];  /* was written to */
	struct fib_stack free_run[FIB_MAX_RUN + 1]; /* by length */
	struct fib_stack free_lines[FIB_SLOTS + 1]; /* by number */
	struct fib_stack retired;
	struct fib_stack sealed;
};

/* Pages of zeros, which take memory when they are written; NULL if there is
 * none. huge: large ones, if the kernel has them. */
void *fib_map(size_t bytes, bool huge);
void fib_unmap(void *p, size_t bytes);

/* An empty table in f. Returns 0 or -ENOMEM. */
int fib_store_init(struct fib_store *s, struct fib *f, bool wide, bool is_big);
void fib_store_destroy(struct fib_store *s);

/* What a lookup may touch. */
size_t fib_store_bytes(const struct fib_store *s);

/* 32 slots: a result each, or, by its bit in children, a line from child0 on. */
struct fib_span {
	const uint16_t *result;
	uint32_t children;
	uint32_t child0;
};

/*
 * Makes an entry. Returns 0, -ENOMEM, or -ENOSPC: the table is to be built anew.
 */
int fib_pack(struct fib_store *s, const struct fib_span *span, uint64_t *entry);

/* n lines side by side; *out is the first. Returns as fib_pack(). */
int fib_new_lines(struct fib_store *s, unsigned n, uint32_t *out);

/* Puts an entry into force. */
void fib_publish(VNIC_ATOMIC(uint64_t) * at, uint64_t entry);
void fib_publish_root(struct fib_store *s, uint32_t i, uint64_t entry);
void fib_publish_default(struct fib_store *s, uint16_t result);

/* Retires an entry that nobody finds any more, and all below it. */
void fib_retire(struct fib_store *s, uint64_t entry);

/* As said above. Of fib_settle(): 0 or -ENOMEM. */
int fib_settle(struct fib_store *s);
void fib_seal(struct fib_store *s);
void fib_release(struct fib_store *s);

#endif
