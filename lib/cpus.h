/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpus: lists of cores, such as "1-3,5", as sets. What is beyond CPUS_MAX no
 * list can name.
 */
#ifndef LIB_CPUS_H
#define LIB_CPUS_H

#include <stdbool.h>
#include <stdint.h>

enum { CPUS_MAX = 1024, CPUS_TEXT = 256 };

struct cpus {
	uint64_t word[CPUS_MAX / 64];
};

/* false: s is no list of cores, and out is not to be used. */
bool cpus_parse(const char *s, struct cpus *out);
unsigned cpus_count(const struct cpus *c);
/* A list for c, or false if it does not fit. */
bool cpus_format(const struct cpus *c, char out[CPUS_TEXT]);
/* Every core of c is one of all. */
bool cpus_are_within(const struct cpus *c, const struct cpus *all);
/* Both are lists, and of the same cores. */
bool cpus_are_equal(const char *a, const char *b);

#endif
