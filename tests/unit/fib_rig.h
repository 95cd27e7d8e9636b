/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_rig: what the tests of the routing tables have in common: numbers that
 * are the same everywhere, and the prefixes of the real Internet. No table is
 * known here.
 */
#ifndef TESTS_FIB_RIG_H
#define TESTS_FIB_RIG_H

#include <stddef.h>
#include <stdint.h>

/* An address, at the low end. */
__extension__ typedef unsigned __int128 fib_key;

void random_seed(uint64_t seed);
uint32_t random32(void);

/*
 * Gives the prefixes of a file of tests/bench/data, of addresses of so many
 * bits, at most max, one by one. Returns how many there were, 0 if it cannot be
 * read.
 */
struct fib_real {
	const char *file;
	unsigned bits;
	size_t max;
};
size_t fib_read_real(const struct fib_real *f,
    void (*take)(void *arg, size_t i, fib_key prefix, unsigned len), void *arg);

#endif
