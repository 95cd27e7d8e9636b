/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib: what a lookup reads, for both families: a trie of bytes whose nodes are
 * bitmaps, changed in place beside its readers.
 *
 *	entry = 32 slots in 8 bytes: base << 0 | starts << 32
 *	root  = one entry for each value of the first 19 bits, 24 with its slots
 *	line  = 8 entries, a cache line: the next 8 bits
 *
 * Equal neighbours among the 32 slots of an entry share a leaf; bit v of starts
 * says that slot v differs from the one before it, so the leaf of slot v is at
 * base + how many of the bits 1..v are set. Most of an Internet table ends in
 * the root: one line for the entry and one for the leaf. Bit 0 of starts says
 * that some slots go on: then 1 is counted for it, and the four bytes before
 * the first leaf are the number of the line of the first such slot; the others
 * are next to it.
 *
 * A leaf is a value of one byte, or of two if there are too many results. The
 * highest 32 values are slots that go on; 0 is "no match but the default", and
 * the leaves 0, 1, 2.. are their own values, so that 32 equal slots need no leaf
 * of their own. A root of zeros is an empty table: its pages take no memory.
 *
 * A change makes a new run of leaves and then stores the entry, 8 bytes at once;
 * a reader loads each entry once. What an old entry led to is used again only
 * when all readers have passed (fib_store.h).
 *
 * Or the table is another engine's (fib_engine.h): then root is empty, and a
 * change makes another table.
 */
#ifndef ROUTER_FIB_H
#define ROUTER_FIB_H

#ifndef VNIC_FFI
#include "lib/vnic_abi.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#endif

enum fib_shape {
	FIB_ROOT_BITS = 19,
	FIB_SLOTS = 32,     /* of an entry, 5 bits */
	FIB_LINE = 8,       /* entries of a line, 3 bits */
	FIB_NARROW = 0x100, /* values of one byte */
	FIB_WIDE = 0x10000, /* values of two bytes */
	FIB_MAX_RESULT = FIB_WIDE - FIB_SLOTS - 1,
	FIB_BURST = 64, /* addresses that are on their way together */
};

struct fib {
	VNIC_ATOMIC(uint64_t) * root;    /* 1 << FIB_ROOT_BITS */
	VNIC_ATOMIC(uint64_t) * line;    /* FIB_LINE each */
	uint8_t *leaf;                   /* of one or two bytes */
	uint32_t wide;                   /* leaves have two bytes */
	const struct fib_engine *engine; /* NULL: the above is the table, */
	void *table;                     /* else this */
	/* narrow: the result of each value; [0]: of the default route, always */
	VNIC_ATOMIC(uint16_t) result[FIB_NARROW];
};

#ifndef VNIC_FFI
/* x86-64-v2 has it, and DPDK on the host asks for no less. */
#ifdef __x86_64__
#define FIB_COUNTS_BITS __attribute__((target("popcnt")))
#else
#define FIB_COUNTS_BITS
#endif

/* The number of the leaf of slot v. */
FIB_COUNTS_BITS static inline uint32_t
fib_at(uint64_t entry, uint32_t v)
{
	uint32_t starts = (uint32_t)(entry >> 32);

	/* the bits 0..v, the others are shifted out */
	return (uint32_t)entry +
	       (uint32_t)__builtin_popcount(starts << (31 - v));
}

static inline uint64_t
fib_entry(const VNIC_ATOMIC(uint64_t) * at)
{
	/* pairs with fib_publish(): the leaves are there */
	return atomic_load_explicit(at, memory_order_acquire);
}

/* leaf: of the fib, as a variable that no store makes the compiler load again */
static inline const uint8_t *
fib_leaf(const uint8_t *leaf, uint32_t at, bool wide)
{
	return leaf + ((size_t)at << wide);
}

static inline uint32_t
fib_value(const uint8_t *leaf, uint32_t at, bool wide)
{
	const uint8_t *p = fib_leaf(leaf, at, wide);
	uint16_t v;

	if (!wide)
		return *p;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
fib_first_child(bool wide)
{
	return (wide ? FIB_WIDE : FIB_NARROW) - FIB_SLOTS;
}

/* The entry of the next byte, below the slot of entry that has this value. */
static inline const VNIC_ATOMIC(uint64_t) *
    fib_below(const struct fib *f, uint64_t entry, uint32_t value, uint8_t byte)
{
	const uint8_t *first =
	    fib_leaf(f->leaf, (uint32_t)entry + 1, f->wide != 0);
	uint32_t line;

	memcpy(&line, first - sizeof(line), sizeof(line));
	line += value - fib_first_child(f->wide != 0);
	return &f->line[(size_t)line * FIB_LINE + (byte >> 5)];
}

static inline uint16_t
fib_result(const struct fib *f, uint32_t value, bool wide)
{
	if (wide && value != 0)
		return (uint16_t)value;
	/* relaxed: a value is published after its result */
	return atomic_load_explicit(
	    &f->result[wide ? 0 : value], memory_order_relaxed);
}
#endif

#endif
