/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpus: lists of cores, such as "1-3,5", as sets. What is beyond CPUS_MAX no
 * list can name.
 */
#ifndef AGENT_CPUS_H
#define AGENT_CPUS_H

#include <stdbool.h>
#include <stdint.h>

enum { CPUS_MAX = 1024 };

struct cpus {
	uint64_t word[CPUS_MAX / 64];
};

/* false: s is no list of cores, and out is not to be used. */
bool cpus_parse(const char *s, struct cpus *out);
unsigned cpus_count(const struct cpus *c);

#endif
