/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_engine: a lookup table that somebody else makes, behind fib4.h and fib6.h.
 * It knows prefixes and results, not ranks, and may be looked up in by many only
 * while nobody changes it.
 *
 * An address is a uint32_t (fib4) or a struct fib6_addr (fib6), in host order.
 * What a table says of 224.0.0.0/3 and ff00::/8 is not defined: no packet with
 * such a destination is looked up.
 */
#ifndef ROUTER_FIB_ENGINE_H
#define ROUTER_FIB_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For what there has to be room. */
struct fib_room {
	size_t n_routes;
	size_t n_groups; /* of 256 slots, behind the first 24 bits */
	bool is_wide;    /* results of more than 15 bits */
};

struct fib_engine {
	/* 0 and an empty table, in which all results are 0; or -ENOMEM */
	int (*make)(const struct fib_room *room, void **out);
	void (*free)(void *table);
	/* 0, -ENOSPC, -ENOMEM; may be there already */
	int (*add)(
	    void *table, const void *prefix, unsigned len, uint16_t result);
	/* may not be there */
	int (*remove)(void *table, const void *prefix, unsigned len);
	void (*look_up)(const void *table, const void *addresses,
	    uint16_t *results, unsigned n);
	size_t (*bytes)(const void *table); /* that lookups may touch */
};

#endif
