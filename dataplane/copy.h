/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy: bytes of frames between private memory and pools, never one more than
 * asked for: what lies behind a frame is another tenant's.
 */
#ifndef DATAPLANE_COPY_H
#define DATAPLANE_COPY_H

#include "lib/base.h"

#include <rte_memcpy.h>

enum { COPY_HALF = 32 };

static __attribute__((noinline)) void
copy_any(uint8_t *to, const uint8_t *from, size_t len)
{
	rte_memcpy(to, from, len);
}

/*
 * Most frames are short: two halves that overlap need no branch per size. Both
 * are loaded before the first is stored.
 */
static inline void
copy_bytes(uint8_t *to, const uint8_t *from, size_t len)
{
	uint8_t head[COPY_HALF], tail[COPY_HALF];

	if (unlikely(len - COPY_HALF > COPY_HALF)) {
		copy_any(to, from, len);
		return;
	}
	memcpy(head, from, COPY_HALF);
	memcpy(tail, from + len - COPY_HALF, COPY_HALF);
	memcpy(to, head, COPY_HALF);
	memcpy(to + len - COPY_HALF, tail, COPY_HALF);
}

#endif
