/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4: longest-prefix match for IPv4, from an address to a number that means
 * nothing here; 0 = no match. How it is looked up is in fib.h. A few routes take
 * some pages; a full Internet table takes 5 MiB, of which a lookup touches two
 * lines, and its routes 8 MiB more that no lookup touches.
 *
 * It can be changed in place while others look up, by one writer: a lookup sees
 * the table before or after a change, never between. A writer that changes much
 * calls fib4_seal() and fib4_release() (fib_store.h), and builds it anew when
 * there is no more room for changes.
 */
#ifndef ROUTER_FIB4_H
#define ROUTER_FIB4_H

#include "router/fib.h"

#ifndef VNIC_FFI
#include <stddef.h>
#include <stdint.h>
#endif

struct fib_engine;
struct fib4_writer;

struct fib4 {
	struct fib fib;
	uint32_t n_refs; /* the slow path's own book-keeping */
	struct fib4_writer *writer;
};

/* In the order of preference: of equal prefixes the higher rank wins. */
enum fib4_rank {
	FIB4_LINUX = 0, /* the sources of routes.h */
	FIB4_API = 1,
	FIB4_STATIC = 2,
	FIB4_CONNECTED = 3,
	FIB4_OWN = 4,
};

struct fib4_route {
	uint32_t prefix; /* host order, no bits behind len */
	uint8_t len;     /* 0..32 */
	uint8_t rank;    /* enum fib4_rank */
	uint16_t result; /* 1..FIB_MAX_RESULT */
};

/*
 * Builds a table from n routes (borrowed); of two that are equal but for the
 * result the last counts. Returns 0 and the table to the caller with n_refs = 1,
 * -EINVAL (a route that is none) or -ENOMEM.
 */
int fib4_build(const struct fib4_route *routes, size_t n, struct fib4 **out);

/*
 * The same by another engine; NULL is ours. Its changes return -ENOSPC as long
 * as others have the table (n_refs > 1), and then fib4_rebuild() is quick, but
 * for the first time; -EAGAIN of that: old tables are to be freed first.
 */
int fib4_build_by(const struct fib_engine *engine,
    const struct fib4_route *routes, size_t n, struct fib4 **out);
void fib4_free(struct fib4 *f); /* NULL is allowed */

/*
 * Adds a route, or gives it another result; takes one away (its result does not
 * matter, but is not 0). Returns 0, -EINVAL, -ENOENT (no such route), -ENOMEM,
 * or -ENOSPC: the route is there (is gone), but lookups will know only after
 * fib4_rebuild(). Context: the writer.
 */
int fib4_add(struct fib4 *f, const struct fib4_route *r);
int fib4_delete(struct fib4 *f, const struct fib4_route *r);

/*
 * The same routes in a new table, with n_refs = 1; f keeps what it was, and is
 * only to be looked up in and freed. Returns 0 or -ENOMEM.
 */
int fib4_rebuild(struct fib4 *f, struct fib4 **out);

/* When all readers have passed between the two, what was replaced before the
 * first is used again. Context: the writer. */
void fib4_seal(struct fib4 *f);
void fib4_release(struct fib4 *f);

/* Bytes of memory that lookups may touch, for statistics. */
size_t fib4_bytes(const struct fib4 *f);
size_t fib4_n_routes(const struct fib4 *f);

/* Context: any thread. */
uint16_t fib4_lookup(const struct fib4 *f, uint32_t dst);

/* result[i] of dst[i], for n addresses: much faster than one by one. */
void fib4_lookup_burst(
    const struct fib4 *f, const uint32_t *dst, uint16_t *result, unsigned n);

#endif
