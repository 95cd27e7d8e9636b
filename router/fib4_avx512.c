/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4_avx512: see there. Each element of a gather is a load of 8 bytes that are
 * aligned, which this processor does at once: an entry is seen whole.
 */
#include "router/fib4_avx512.h"

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx512f,avx512vpopcntdq"))) void
fib4_leaves_avx512(const VNIC_ATOMIC(uint64_t) * root, const uint32_t *dst,
    uint32_t at[FIB_BURST], unsigned n)
{
	const void *entries = (const void *)(uintptr_t)root;
	const __m512i even = _mm512_set_epi32(
	    30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
	const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
	const __m512i slots = _mm512_set1_epi32(FIB_SLOTS - 1);

	for (unsigned i = 0; i < n; i += 16) {
		unsigned k = n - i < 16 ? n - i : 16;
		__m512i ip = _mm512_maskz_loadu_epi32(
		    (__mmask16)((1U << k) - 1), dst + i);
		__m512i which = _mm512_srli_epi32(ip, 32 - FIB_ROOT_BITS);
		__m512i low = _mm512_i32gather_epi64(
		    _mm512_castsi512_si256(which), entries, 8);
		__m512i high = _mm512_i32gather_epi64(
		    _mm512_extracti64x4_epi64(which, 1), entries, 8);
		__m512i base = _mm512_permutex2var_epi32(low, even, high);
		__m512i starts = _mm512_permutex2var_epi32(low, odd, high);
		/* as fib_at(): 31 - v */
		__m512i v =
		    _mm512_andnot_si512(_mm512_srli_epi32(ip, 8), slots);

		starts = _mm512_popcnt_epi32(_mm512_sllv_epi32(starts, v));
		_mm512_storeu_si512(at + i, _mm512_add_epi32(base, starts));
	}
}
#endif
