/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4: longest-prefix match for IPv4, compact and immutable: a trie of strides
 * 14, 6, 6, 6 in which children and leaves are packed and found by counting
 * bits (the idea of the Poptrie paper by Asai and Ohara, 2015, with exact
 * strides). Two routes take 64 KiB, of which a lookup touches a line or two; a
 * full Internet table takes some MiB.
 *
 * It maps an address to a 16-bit number that means nothing here; 0 = no match.
 * It is built whole and never changed.
 */
#ifndef ROUTER_FIB4_H
#define ROUTER_FIB4_H

#ifndef VNIC_FFI
#include <stddef.h>
#include <stdint.h>
#endif

enum fib4_shape {
	FIB4_ROOT_BITS = 14,
	FIB4_BITS = 6,
};

struct fib4_node {
	uint64_t children; /* bit v: slot v goes on in a node */
	uint64_t starts;   /* bit v: a run of equal leaves starts at slot v */
	uint32_t child0;   /* index of the first child */
	uint32_t leaf0;    /* index of the first leaf */
};

struct fib4 {
	uint32_t *root; /* a node's index, or FIB4_LEAF | result */
	struct fib4_node *node;
	uint16_t *leaf;
	uint32_t n_nodes;
	uint32_t n_leaves;
	uint32_t n_refs; /* the slow path's own book-keeping */
};

/* In the order of preference: of equal prefixes the higher rank wins. */
enum fib4_rank {
	FIB4_STATIC = 0,
	FIB4_CONNECTED = 1,
	FIB4_OWN = 2,
};

struct fib4_route {
	uint32_t prefix; /* host order, no bits behind len */
	uint8_t len;     /* 0..32 */
	uint8_t rank;    /* enum fib4_rank */
	uint16_t result; /* not 0 */
};

/*
 * Builds a table from n routes, which it sorts. Returns 0 and the table to the
 * caller with n_refs = 1, or -ENOMEM.
 */
int fib4_build(struct fib4_route *routes, size_t n, struct fib4 **out);
void fib4_free(struct fib4 *f); /* NULL is allowed */

/* Bytes of memory, for statistics. */
size_t fib4_bytes(const struct fib4 *f);

uint16_t fib4_lookup(const struct fib4 *f, uint32_t dst);

#endif
