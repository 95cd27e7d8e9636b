/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_avx512: see there. Each element of a gather of entries is a load of 8 bytes
 * that are aligned, which this processor does at once: an entry is seen whole.
 */
#include "router/fib_avx512.h"

bool fib_without_avx512;

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#include "router/fib6.h"

#include <immintrin.h>

#define HAS_AVX512 __attribute__((target("avx512f,avx512vpopcntdq")))
#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16, GROUPS = FIB_BURST / LANES };

/* 16 entries: base, and the bits of starts. */
struct entries {
	__m512i base;
	__m512i starts;
};

HAS_AVX512 INLINE struct entries
gather(const void *from, __m512i which, __mmask16 lanes)
{
	const __m512i even = _mm512_set_epi32(
	    30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
	const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
	const __m512i none = _mm512_setzero_si512();
	__m512i low = _mm512_mask_i32gather_epi64(
	    none, (__mmask8)lanes, _mm512_castsi512_si256(which), from, 8);
	__m512i high = _mm512_mask_i32gather_epi64(none, (__mmask8)(lanes >> 8),
	    _mm512_extracti64x4_epi64(which, 1), from, 8);

	return (struct entries){ _mm512_permutex2var_epi32(low, even, high),
		_mm512_permutex2var_epi32(low, odd, high) };
}

/* As fib_at(): the leaf of the slot that is the lowest 5 bits. */
HAS_AVX512 INLINE __m512i
leaf_of(struct entries e, __m512i slot)
{
	__m512i v = _mm512_andnot_si512(slot, _mm512_set1_epi32(FIB_SLOTS - 1));

	return _mm512_add_epi32(
	    e.base, _mm512_popcnt_epi32(_mm512_sllv_epi32(e.starts, v)));
}

HAS_AVX512 INLINE __mmask16
first_lanes(unsigned n)
{
	uint32_t mask = n < LANES ? (UINT32_C(1) << n) - 1 : 0xffff;

	return (__mmask16)(mask & 0xffff);
}

HAS_AVX512 void
fib4_leaves_avx512(const VNIC_ATOMIC(uint64_t) * root, const uint32_t *dst,
    uint32_t at[FIB_BURST], unsigned n)
{
	const void *entries = (const void *)(uintptr_t)root;

	for (unsigned i = 0; i < n; i += LANES) {
		__mmask16 lanes = first_lanes(n - i);
		__m512i ip = _mm512_maskz_loadu_epi32(lanes, dst + i);
		struct entries e = gather(
		    entries, _mm512_srli_epi32(ip, 32 - FIB_ROOT_BITS), lanes);

		_mm512_storeu_si512(
		    at + i, leaf_of(e, _mm512_srli_epi32(ip, 8)));
	}
}

/* --- IPv6 ----------------------------------------------------------------- */

/* A burst at one level. */
struct burst {
	__m512i word[2][GROUPS]; /* bits 0..31 and 32..63 of the addresses */
	__m512i next[GROUPS];    /* numbers of entries */
	__m512i base[GROUPS];
	__m512i at[GROUPS]; /* leaves */
	__m512i value[GROUPS];
	__mmask16 lanes[GROUPS]; /* that have not ended */
};

HAS_AVX512 INLINE void
begin(struct burst *b, const struct fib6_addr *dst, unsigned n)
{
	/* of two addresses each in a register: hi lo hi lo, 4 times 4 words */
	const __m512i pick = _mm512_set_epi32(
	    28, 24, 20, 16, 12, 8, 4, 0, 28, 24, 20, 16, 12, 8, 4, 0);
	const __m512i one = _mm512_set1_epi32(1);

	for (unsigned g = 0; g < GROUPS; g++) {
		unsigned k = n > g * LANES ? n - g * LANES : 0;
		__m512i low[2], high[2];

		b->lanes[g] = first_lanes(k);
		for (unsigned half = 0; half < 2; half++) {
			const struct fib6_addr *p = dst + g * LANES + half * 8;
			unsigned left = k > half * 8 ? k - half * 8 : 0;
			__m512i x =
			    _mm512_maskz_loadu_epi32(first_lanes(left * 4), p);
			__m512i y = _mm512_maskz_loadu_epi32(
			    first_lanes(left > 4 ? left * 4 - 16 : 0), p + 4);

			low[half] = _mm512_permutex2var_epi32(x, pick, y);
			high[half] = _mm512_permutex2var_epi32(
			    x, _mm512_add_epi32(pick, one), y);
		}
		b->word[0][g] = _mm512_inserti64x4(
		    high[0], _mm512_castsi512_si256(high[1]), 1);
		b->word[1][g] = _mm512_inserti64x4(
		    low[0], _mm512_castsi512_si256(low[1]), 1);
		b->next[g] =
		    _mm512_srli_epi32(b->word[0][g], 32 - FIB_ROOT_BITS);
	}
}

/* The lowest bits: those before depth + 8. */
HAS_AVX512 INLINE __m512i
bits_to(const struct burst *b, unsigned g, unsigned depth)
{
	return _mm512_srlv_epi32(
	    b->word[depth / 32][g], _mm512_set1_epi32((int)(24 - depth % 32)));
}

/* From entries to leaves and their values. */
HAS_AVX512 INLINE void
step(const struct fib *f, struct burst *b, const void *entries, unsigned depth)
{
	bool wide = f->wide != 0;
	__m512i mask = _mm512_set1_epi32(wide ? 0xffff : 0xff);

	for (unsigned g = 0; g < GROUPS; g++) {
		struct entries e;

		if (!b->lanes[g])
			continue;
		e = gather(entries, b->next[g], b->lanes[g]);
		b->base[g] = e.base;
		b->at[g] = leaf_of(e, bits_to(b, g, depth));
	}
	for (unsigned g = 0; g < GROUPS; g++) {
		__m512i v;

		if (!b->lanes[g])
			continue;
		v = _mm512_sllv_epi32(b->at[g], _mm512_set1_epi32(wide));
		v = _mm512_mask_i32gather_epi32(v, b->lanes[g], v, f->leaf, 1);
		b->value[g] =
		    _mm512_mask_and_epi32(b->value[g], b->lanes[g], v, mask);
	}
}

/* From values that go on to the entries of the next 8 bits. */
HAS_AVX512 INLINE void
descend(const struct fib *f, struct burst *b, unsigned depth)
{
	bool wide = f->wide != 0;
	__m512i child = _mm512_set1_epi32((int)fib_first_child(wide));

	for (unsigned g = 0; g < GROUPS; g++) {
		__m512i line, slot;

		if (!b->lanes[g])
			continue;
		/* the number of the first line is before leaf base + 1 */
		line = _mm512_sllv_epi32(
		    _mm512_add_epi32(b->base[g], _mm512_set1_epi32(1)),
		    _mm512_set1_epi32(wide));
		line = _mm512_mask_i32gather_epi32(
		    line, b->lanes[g], line, f->leaf - 4, 1);
		line = _mm512_add_epi32(
		    line, _mm512_sub_epi32(b->value[g], child));
		slot =
		    _mm512_and_si512(_mm512_srli_epi32(bits_to(b, g, depth), 5),
			_mm512_set1_epi32(FIB_LINE - 1));
		b->next[g] = _mm512_add_epi32(_mm512_slli_epi32(line, 3), slot);
	}
}

HAS_AVX512 uint64_t
fib6_values_avx512(const struct fib *f, const struct fib6_addr *dst,
    uint32_t value[FIB_BURST], unsigned n)
{
	__m512i child = _mm512_set1_epi32((int)fib_first_child(f->wide != 0));
	const void *entries = (const void *)(uintptr_t)f->root;
	struct burst b;
	uint64_t left = 0;

	begin(&b, dst, n);
	for (unsigned g = 0; g < GROUPS; g++)
		b.value[g] = _mm512_setzero_si512();
	for (unsigned depth = 16;; depth += 8) {
		step(f, &b, entries, depth);
		left = 0;
		for (unsigned g = 0; g < GROUPS; g++) {
			b.lanes[g] = _mm512_mask_cmpge_epu32_mask(
			    b.lanes[g], b.value[g], child);
			left |= (uint64_t)b.lanes[g] << (g * LANES);
		}
		if (left == 0 || depth == 56)
			break;
		descend(f, &b, depth + 8);
		entries = (const void *)(uintptr_t)f->line;
	}
	for (unsigned g = 0; g < GROUPS; g++)
		_mm512_storeu_si512(value + g * LANES, b.value[g]);
	return left;
}
#endif
