/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4_avx512: the first level of a burst of IPv4 lookups, 16 addresses at a
 * time. Its second level is done one by one: loads of single bytes by many gather
 * instructions were slower. It is there on x86-64; whether the processor has it
 * is asked for each burst.
 */
#ifndef ROUTER_FIB4_AVX512_H
#define ROUTER_FIB4_AVX512_H

#include "router/fib.h"

#ifdef __x86_64__
static inline bool
fib4_has_avx512(void)
{
	return __builtin_cpu_supports("avx512vpopcntdq");
}

/* at[i]: the leaf of dst[i], for n of at most FIB_BURST; all of at is used. */
void fib4_leaves_avx512(const VNIC_ATOMIC(uint64_t) * root, const uint32_t *dst,
    uint32_t at[FIB_BURST], unsigned n);
#else
static inline bool
fib4_has_avx512(void)
{
	return false;
}

static inline void
fib4_leaves_avx512(const VNIC_ATOMIC(uint64_t) * root, const uint32_t *dst,
    uint32_t at[FIB_BURST], unsigned n)
{
	(void)root, (void)dst, (void)at, (void)n;
}
#endif

#endif
