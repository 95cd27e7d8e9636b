/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib6_lookup: lookups in a fib6. A burst goes down level by level, those that
 * have not yet ended; while the line of one is on its way from the cache, those
 * of the others are asked for.
 */
#include "lib/base.h"
#include "router/fib6.h"
#include "router/fib_avx512.h"
#include "router/fib_engine.h"

/* What is on its way: all of a burst at one level. */
struct burst {
	const struct fib6_addr *dst;
	uint16_t *result;
	unsigned n;             /* that have not ended, */
	uint8_t who[FIB_BURST]; /* and which they are */
	uint64_t entry[FIB_BURST];
	uint32_t at[FIB_BURST]; /* leaves */
	const VNIC_ATOMIC(uint64_t) * next[FIB_BURST];
};

/* The 8 bits behind the first depth ones. */
static inline uint8_t
byte_of(const struct fib6_addr *a, unsigned depth)
{
	uint64_t half = depth < 64 ? a->hi : a->lo;

	return (uint8_t)(half >> (56 - depth % 64));
}

static inline const VNIC_ATOMIC(uint64_t) *
    root_of(const struct fib *f, const struct fib6_addr *dst)
{
	return &f->root[dst->hi >> (64 - FIB_ROOT_BITS)];
}

/* The leaves of all, in entries that are known: on their way. */
FIB_COUNTS_BITS static inline void
ask_for_leaves(const struct fib *f, struct burst *b, unsigned depth, bool wide)
{
	const uint8_t *leaf = f->leaf;

	for (unsigned k = 0; k < b->n; k++) {
		const struct fib6_addr *dst = &b->dst[b->who[k]];
		uint64_t e = fib_entry(b->next[k]);

		b->entry[k] = e;
		b->at[k] = fib_at(e, byte_of(dst, depth) & 31);
		__builtin_prefetch(fib_leaf(leaf, b->at[k], wide));
	}
}

/* From leaves to results, or to the entries of the next 8 bits. */
FIB_COUNTS_BITS static inline void
take_leaves(const struct fib *f, struct burst *b, unsigned depth, bool wide)
{
	const uint8_t *leaf = f->leaf;
	unsigned n = 0;

	for (unsigned k = 0; k < b->n; k++) {
		unsigned i = b->who[k];
		uint32_t v = fib_value(leaf, b->at[k], wide);

		if (v < fib_first_child(wide)) {
			b->result[i] = fib_result(f, v, wide);
			continue;
		}
		b->next[n] = fib_below(
		    f, b->entry[k], v, byte_of(&b->dst[i], depth + 8));
		__builtin_prefetch(b->next[n]);
		b->who[n++] = (uint8_t)i;
	}
	b->n = n;
}

/* Those of mask, from the root. */
FIB_COUNTS_BITS static inline __attribute__((always_inline)) void
look_up(const struct fib *f, struct burst *b, uint64_t mask, bool wide)
{
	for (b->n = 0; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);

		b->who[b->n] = (uint8_t)i;
		b->next[b->n] = root_of(f, &b->dst[i]);
		__builtin_prefetch(b->next[b->n++]);
	}
	/* the root is two levels in one: it ends as 16 bits and 8 would */
	for (unsigned depth = 16; b->n > 0; depth += 8) {
		ask_for_leaves(f, b, depth, wide);
		take_leaves(f, b, depth, wide);
	}
}

/* At most FIB_BURST addresses; those that end in 64 bits. The others remain. */
static uint64_t
look_up_short(const struct fib *f, const struct burst *b, unsigned n)
{
	_Alignas(64) uint32_t value[FIB_BURST];
	uint64_t left = fib6_values_avx512(f, b->dst, value, n);
	bool wide = f->wide != 0;

	for (unsigned i = 0; i < n; i++)
		b->result[i] =
		    fib_result(f, left >> i & 1 ? 0 : value[i], wide);
	return left;
}

FIB_COUNTS_BITS void
fib6_lookup_burst(const struct fib6 *f, const struct fib6_addr *dst,
    uint16_t *result, unsigned n)
{
	if (unlikely(f->fib.engine)) {
		f->fib.engine->look_up(f->fib.table, dst, result, n);
		return;
	}
	for (unsigned i = 0; i < n; i += FIB_BURST) {
		unsigned k = MIN(n - i, (unsigned)FIB_BURST);
		uint64_t left = UINT64_MAX >> (FIB_BURST - k);
		struct burst b;

		b.dst = dst + i;
		b.result = result + i;
		if (fib_has_avx512())
			left = look_up_short(&f->fib, &b, k);
		if (likely(!f->fib.wide))
			look_up(&f->fib, &b, left, false);
		else
			look_up(&f->fib, &b, left, true);
	}
}

uint16_t
fib6_lookup(const struct fib6 *f, struct fib6_addr dst)
{
	uint16_t result;

	fib6_lookup_burst(f, &dst, &result, 1);
	return result;
}
