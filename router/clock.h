/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: the time that the data path goes by, without a system call. A burst
 * asks once, if at all.
 */
#ifndef ROUTER_CLOCK_H
#define ROUTER_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
clock_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
