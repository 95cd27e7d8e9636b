/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bucket: a token bucket. It starts full; a clock that stands still gives
 * nothing, one that jumps ahead fills it.
 */
#ifndef ROUTER_BUCKET_H
#define ROUTER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint32_t per_second;
	uint32_t burst;
	uint64_t missing; /* thousandths of tokens that it lacks */
	uint64_t last_ms;
};

static inline bool
bucket_take(struct bucket *b, uint64_t now_ms)
{
	uint64_t gained = (now_ms - b->last_ms) * b->per_second;

	b->missing = b->missing > gained ? b->missing - gained : 0;
	b->last_ms = now_ms;
	if (b->missing + 1000 > (uint64_t)b->burst * 1000)
		return false;
	b->missing += 1000;
	return true;
}

#endif
