/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib4_lookup: lookups in a fib4. A burst goes through the levels together:
 * while the line of one address is on its way from the cache, those of the others
 * are asked for.
 */
#include "lib/base.h"
#include "router/fib4.h"
#include "router/fib_avx512.h"
#include "router/fib_engine.h"

static inline const VNIC_ATOMIC(uint64_t) *
    root_of(const VNIC_ATOMIC(uint64_t) * root, uint32_t dst)
{
	return &root[dst >> (32 - FIB_ROOT_BITS)];
}

/* The whole way of one address, one line after the other. */
FIB_COUNTS_BITS static uint32_t
walk(const struct fib *f, uint32_t dst, bool wide)
{
	uint64_t e = fib_entry(root_of(f->root, dst));
	uint32_t v = fib_value(f->leaf, fib_at(e, dst >> 8 & 31), wide);

	if (likely(v < fib_first_child(wide)))
		return v;
	e = fib_entry(fib_below(f, e, v, (uint8_t)dst));
	return fib_value(f->leaf, fib_at(e, dst & 31), wide);
}

FIB_COUNTS_BITS uint16_t
fib4_lookup(const struct fib4 *f, uint32_t dst)
{
	bool wide = f->fib.wide != 0;
	uint16_t result;

	if (unlikely(f->fib.engine)) {
		f->fib.engine->look_up(f->fib.table, &dst, &result, 1);
		return result;
	}
	return fib_result(&f->fib, walk(&f->fib, dst, wide), wide);
}

FIB_COUNTS_BITS static inline __attribute__((always_inline)) void
find_leaves(const struct fib *f, const uint32_t *dst, uint32_t *at, unsigned n,
    bool wide)
{
	const VNIC_ATOMIC(uint64_t) *root = f->root;
	const uint8_t *leaf = f->leaf;

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(root_of(root, dst[i]));
	for (unsigned i = 0; i < n; i++) {
		uint64_t e = fib_entry(root_of(root, dst[i]));

		at[i] = fib_at(e, dst[i] >> 8 & 31);
		__builtin_prefetch(fib_leaf(leaf, at[i], wide));
	}
}

/* At most FIB_BURST addresses. */
FIB_COUNTS_BITS static inline __attribute__((always_inline)) void
look_up(const struct fib *f, const uint32_t *dst, uint16_t *result, unsigned n,
    bool wide)
{
	const uint8_t *leaf = f->leaf;
	/* whole lines: what was stored by 16 is read one by one soon */
	_Alignas(64) uint32_t at[FIB_BURST];

	if (fib_has_avx512())
		fib4_leaves_avx512(f->root, dst, at, n);
	else
		find_leaves(f, dst, at, n, wide);
	for (unsigned i = 0; i < n; i++) {
		uint32_t v = fib_value(leaf, at[i], wide);

		if (unlikely(v >= fib_first_child(wide)))
			v = walk(f, dst[i], wide);
		result[i] = fib_result(f, v, wide);
	}
}

FIB_COUNTS_BITS void
fib4_lookup_burst(
    const struct fib4 *f, const uint32_t *dst, uint16_t *result, unsigned n)
{
	if (unlikely(f->fib.engine)) {
		f->fib.engine->look_up(f->fib.table, dst, result, n);
		return;
	}
	while (n > 0) {
		unsigned k = MIN(n, (unsigned)FIB_BURST);

		if (likely(!f->fib.wide))
			look_up(&f->fib, dst, result, k, false);
		else
			look_up(&f->fib, dst, result, k, true);
		dst += k;
		result += k;
		n -= k;
	}
}
