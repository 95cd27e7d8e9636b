/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route6: longest-prefix match for IPv6, small and immutable: the prefixes cut
 * the addresses into ranges, each with one result, and a lookup is a binary
 * search for the last range that begins at or before the address.
 *
 * It maps an address to a 16-bit number that means nothing here; 0 = no match.
 * It is built whole and never changed.
 */
#ifndef ROUTER_ROUTE6_H
#define ROUTER_ROUTE6_H

#include "router/ip6.h"

struct route6 {
	struct ip6 prefix; /* no bits behind len */
	uint8_t len;       /* 0..128 */
	uint8_t rank;      /* enum fib4_rank: of equal prefixes the higher */
	uint16_t result;   /* not 0 */
};

struct route6_table {
	struct ip6 *start; /* of range i, ascending; the first is :: */
	uint16_t *result;
	uint32_t n;
	uint32_t n_refs; /* the slow path's own book-keeping */
};

/*
 * Builds a table from n routes, which it sorts. Returns 0 and the table to the
 * caller with n_refs = 1, or -ENOMEM.
 */
int route6_build(struct route6 *routes, size_t n, struct route6_table **out);
void route6_free(struct route6_table *t); /* NULL is allowed */

/* Bytes of memory, for statistics. */
size_t route6_bytes(const struct route6_table *t);

static inline uint16_t
route6_lookup(const struct route6_table *t, struct ip6 dst)
{
	uint32_t low = 0;
	uint32_t n = t->n;

	while (n > 1) {
		uint32_t half = n / 2;

		if (!ip6_is_less(dst, t->start[low + half]))
			low += half;
		n -= half;
	}
	return t->result[low];
}

#endif
