/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib6: longest-prefix match for IPv6: fib4.h with longer addresses, and all that
 * is said there holds here. The first 24 bits are looked up as in IPv4, then 8
 * bits are two lines more; most of an Internet table ends after 32 or 48 bits.
 */
#ifndef ROUTER_FIB6_H
#define ROUTER_FIB6_H

#include "router/fib.h"

#ifndef VNIC_FFI
#include <stddef.h>
#include <stdint.h>
#endif

struct fib_engine;
struct fib6_writer;

struct fib6 {
	struct fib fib;
	uint32_t n_refs; /* the slow path's own book-keeping */
	struct fib6_writer *writer;
};

/* In the order of preference: of equal prefixes the higher rank wins. */
enum fib6_rank {
	FIB6_LINUX = 0, /* the sources of routes.h */
	FIB6_API = 1,
	FIB6_STATIC = 2,
	FIB6_CONNECTED = 3,
	FIB6_OWN = 4,
};

/* The first 8 bytes and the last, each in host order. */
struct fib6_addr {
	uint64_t hi;
	uint64_t lo;
};

struct fib6_route {
	struct fib6_addr prefix; /* no bits behind len */
	uint8_t len;             /* 0..128 */
	uint8_t rank;            /* enum fib6_rank */
	uint16_t result;         /* 1..FIB_MAX_RESULT */
};

/* Each as in fib4.h. */
int fib6_build(const struct fib6_route *routes, size_t n, struct fib6 **out);
int fib6_build_by(const struct fib_engine *engine,
    const struct fib6_route *routes, size_t n, struct fib6 **out);
void fib6_free(struct fib6 *f); /* NULL is allowed */
int fib6_add(struct fib6 *f, const struct fib6_route *r);
int fib6_delete(struct fib6 *f, const struct fib6_route *r);
int fib6_rebuild(struct fib6 *f, struct fib6 **out);
void fib6_seal(struct fib6 *f);
void fib6_release(struct fib6 *f);
size_t fib6_bytes(const struct fib6 *f);
size_t fib6_n_routes(const struct fib6 *f);

/* Context: any thread. */
uint16_t fib6_lookup(const struct fib6 *f, struct fib6_addr dst);

/* result[i] of dst[i], for n addresses: much faster than one by one. */
void fib6_lookup_burst(const struct fib6 *f, const struct fib6_addr *dst,
    uint16_t *result, unsigned n);

#endif
