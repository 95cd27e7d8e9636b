/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_avx512: the parts of a burst of lookups that 16 addresses can go through
 * together. It is there on x86-64; whether the processor has it is asked for each
 * burst.
 *
 * The leaves of IPv4 are not looked at here: one by one they were faster than
 * gathered, and most lookups end with them. Those of IPv6 are: most go on.
 */
#ifndef ROUTER_FIB_AVX512_H
#define ROUTER_FIB_AVX512_H

#include "lib/base.h"
#include "router/fib.h"

struct fib6_addr;

/* For tests: true = as on a processor that does not have it. */
extern bool fib_without_avx512;

/* ThreadSanitizer does not see that a gather reads an entry. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
static inline bool
fib_has_avx512(void)
{
	return __builtin_cpu_supports("avx512vpopcntdq") &&
	       likely(!fib_without_avx512);
}

/* at[i]: the leaf of dst[i], for n of at most FIB_BURST; all of at is used. */
void fib4_leaves_avx512(const VNIC_ATOMIC(uint64_t) * root, const uint32_t *dst,
    uint32_t at[FIB_BURST], unsigned n);

/*
 * value[i]: of dst[i], by its first 64 bits, for n of at most FIB_BURST; all of
 * value is used. Those that go on behind these bits are the bits of the result.
 */
uint64_t fib6_values_avx512(const struct fib *f, const struct fib6_addr *dst,
    uint32_t value[FIB_BURST], unsigned n);
#else
static inline bool
fib_has_avx512(void)
{
	return false;
}

static inline void
fib4_leaves_avx512(const VNIC_ATOMIC(uint64_t) * root, const uint32_t *dst,
    uint32_t at[FIB_BURST], unsigned n)
{
	(void)root, (void)dst, (void)at, (void)n;
}

static inline uint64_t
fib6_values_avx512(const struct fib *f, const struct fib6_addr *dst,
    uint32_t value[FIB_BURST], unsigned n)
{
	(void)f, (void)dst, (void)value, (void)n;
	return 0;
}
#endif

#endif
