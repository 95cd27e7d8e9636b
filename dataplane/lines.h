/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines: memory that shares no cache line with anything else. What one worker
 * writes is allocated like this, so that no line is written by two.
 */
#ifndef DATAPLANE_LINES_H
#define DATAPLANE_LINES_H

#include "lib/base.h"
#include "lib/vnic_abi.h"

#include <stdalign.h>

/* Zeros, from a line's begin to a line's end; to free(). NULL: no memory. */
static inline void *
lines_alloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (!checked_mul(n, size, &bytes) ||
	    !checked_add(bytes, VNIC_LINE, &bytes))
		return NULL;
	bytes -= bytes % VNIC_LINE; /* one line at least */
	p = aligned_alloc(VNIC_LINE, bytes);
	return p ? memset(p, 0, bytes) : NULL;
}

#endif
