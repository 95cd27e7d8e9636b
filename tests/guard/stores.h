/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stores: which cache lines are written, and by whom. The data plane is compiled
 * with -fsanitize=thread and linked with this in place of that run-time: each
 * store of its own code and of DPDK's inline functions calls us, and memcpy()
 * and memset() do (--wrap). What libraries store inside themselves is not seen.
 */
#ifndef TESTS_GUARD_STORES_H
#define TESTS_GUARD_STORES_H

#include <stdbool.h>
#include <stdint.h>

enum { STORES_MAX_WRITERS = 2, STORES_NOBODY = -1 };

struct stores_line {
	uintptr_t line; /* 0 = free */
	uint8_t writers;
	const void *at[STORES_MAX_WRITERS]; /* the code that stored last */
};

/* From now on stores are this writer's; STORES_NOBODY: they do not count. */
void stores_by(int writer);
/* Forgets all of them. */
void stores_forget(void);
unsigned stores_lines(int writer);
/* Walks the lines that more than one wrote; NULL: there are no more. */
const struct stores_line *stores_shared(const struct stores_line *after);

#endif
