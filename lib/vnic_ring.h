/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_ring: the moves on the shared words, and the only file of Europa that
 * names a memory order for them. The contract is vnic_abi.h, pairs P1 to P4
 * are explained there.
 *
 * A ring is an array of descriptors that carry their own state: the producer
 * writes at its private position, the consumer polls at its own and never
 * writes. A burst is written back to front: its head appears last, so that the
 * consumer sees a burst whole and one seq_cst store covers it. A ring has at
 * least as many entries as its partition has slots, so it cannot overflow.
 *
 * No stand-alone fences: ThreadSanitizer does not model them.
 */
#ifndef VNIC_RING_H
#define VNIC_RING_H

#include "lib/base.h"
#include "lib/vnic_abi.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef _Atomic(uint64_t) vnic_desc_t;

/* --- descriptors ------------------------------------------------------------ */

/* Everything of a descriptor but its turn, which put adds. */
static inline uint64_t
vnic_desc(
    uint32_t slot, uint32_t off, uint32_t len, uint32_t kind, uint32_t arg)
{
	return (uint64_t)slot | (uint64_t)off << VNIC_DESC_OFF_SHIFT |
	       (uint64_t)len << VNIC_DESC_LEN_SHIFT |
	       (uint64_t)kind << VNIC_DESC_KIND_SHIFT |
	       (uint64_t)arg << VNIC_DESC_ARG_SHIFT;
}

static inline uint32_t
vnic_desc_slot(uint64_t d)
{
	return (uint32_t)d & 0xfffff;
}

static inline uint32_t
vnic_desc_off(uint64_t d)
{
	return (uint32_t)(d >> VNIC_DESC_OFF_SHIFT) & 0xfff;
}

static inline uint32_t
vnic_desc_len(uint64_t d)
{
	return (uint32_t)(d >> VNIC_DESC_LEN_SHIFT) & 0xffff;
}

static inline uint32_t
vnic_desc_kind(uint64_t d)
{
	return (uint32_t)(d >> VNIC_DESC_KIND_SHIFT) & 0xf;
}

static inline uint32_t
vnic_desc_arg(uint64_t d)
{
	return (uint32_t)(d >> VNIC_DESC_ARG_SHIFT) & 0xff;
}

static inline uint32_t
vnic_desc_zero(uint64_t d)
{
	return (uint32_t)(d >> VNIC_DESC_ZERO_SHIFT) & 0x3;
}

/* --- P1: rings --------------------------------------------------------------- */

/* The turn bits that entry pos mod N carries once it is written; never 0. */
static inline uint64_t
vnic_turn(uint64_t pos, unsigned log2)
{
	return (1 + 2 * ((pos >> log2) & 1)) << VNIC_DESC_TURN_SHIFT;
}

/*
 * Appends n descriptors (without turn) at *pos and advances it. The caller owns
 * the slots they name. n may be 0.
 */
static inline void
vnic_put(vnic_desc_t *ring, unsigned log2, uint64_t *pos, const uint64_t *d,
    unsigned n)
{
	uint64_t mask = (UINT64_C(1) << log2) - 1;
	uint64_t p = *pos;
	uint64_t turn = vnic_turn(p, log2);
	vnic_desc_t *at = &ring[p & mask];
	/* as many as there are before the end of the array, in one turn */
	unsigned whole = (unsigned)MIN((uint64_t)n, mask + 1 - (p & mask));

	if (n == 0)
		return;
	/* P1: pairs with vnic_take() */
	for (unsigned i = n - 1; i >= whole; i--)
		atomic_store_explicit(&ring[(p + i) & mask],
		    d[i] | vnic_turn(p + i, log2), memory_order_release);
	for (unsigned i = whole - 1; i > 0; i--)
		atomic_store_explicit(
		    &at[i], d[i] | turn, memory_order_release);
	/* P1, and P2: the head of a burst, then the peer's asleep */
	atomic_store_explicit(at, d[0] | turn, memory_order_seq_cst);
	*pos = p + n;
}

/* Brings the lines that the next n descriptors go to, to be written. */
static inline void
vnic_put_soon(const vnic_desc_t *ring, unsigned log2, uint64_t pos, unsigned n)
{
	uint64_t mask = (UINT64_C(1) << log2) - 1;

	for (unsigned i = 0; i < n; i += VNIC_LINE / sizeof(*ring))
		prefetch_write(
		    (const void *)(uintptr_t)&ring[(pos + i) & mask]);
}

/*
 * Takes up to max descriptors at *pos into out and advances it. Each entry is
 * loaded once; any turn but the expected one is "not yet". Returns how many.
 */
static inline unsigned
vnic_take(vnic_desc_t *ring, unsigned log2, uint64_t *pos, uint64_t *out,
    unsigned max)
{
	uint64_t mask = (UINT64_C(1) << log2) - 1;
	uint64_t p = *pos;
	unsigned n = 0, end = 0;

	while (n == end && n < max) { /* again behind the end of the array */
		uint64_t turn = vnic_turn(p + n, log2);
		vnic_desc_t *at = &ring[(p + n) & mask];
		unsigned first = n;

		end = (unsigned)MIN(
		    (uint64_t)max, n + mask + 1 - ((p + n) & mask));
		for (; n < end; n++) {
			/* P1: pairs with vnic_put() */
			uint64_t d = atomic_load_explicit(
			    &at[n - first], memory_order_acquire);

			if ((d ^ turn) >> VNIC_DESC_TURN_SHIFT)
				break;
			out[n] = d;
		}
	}
	*pos = p + n;
	return n;
}

/* Brings the line that the next descriptor is taken from. */
static inline void
vnic_take_soon(const vnic_desc_t *ring, unsigned log2, uint64_t pos)
{
	uint64_t mask = (UINT64_C(1) << log2) - 1;

	__builtin_prefetch((const void *)(uintptr_t)&ring[pos & mask]);
}

/* P2: the look of a side that has said it sleeps. */
static inline bool
vnic_ring_has(vnic_desc_t *ring, unsigned log2, uint64_t pos)
{
	uint64_t mask = (UINT64_C(1) << log2) - 1;
	uint64_t d =
	    atomic_load_explicit(&ring[pos & mask], memory_order_seq_cst);

	return ((d ^ vnic_turn(pos, log2)) >> VNIC_DESC_TURN_SHIFT) == 0;
}

/* Zeros a ring; the epoch word that follows is what publishes it. */
static inline void
vnic_ring_blank(vnic_desc_t *ring, unsigned log2)
{
	for (uint64_t i = 0; i < UINT64_C(1) << log2; i++)
		atomic_store_explicit(&ring[i], 0, memory_order_relaxed);
}

/* --- P3: epochs -------------------------------------------------------------- */

static inline uint32_t
vnic_h(uint32_t epoch, enum vnic_state state)
{
	return epoch << 2 | (uint32_t)state;
}

static inline uint32_t
vnic_h_epoch(uint32_t h)
{
	return h >> 2;
}

static inline enum vnic_state
vnic_h_state(uint32_t h)
{
	return (enum vnic_state)(h & 3);
}

/* P3: pairs with vnic_epoch_store() of the other side, on h and on r. */
static inline uint32_t
vnic_epoch_load(_Atomic(uint32_t) *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static inline void
vnic_epoch_store(_Atomic(uint32_t) *word, uint32_t v)
{
	atomic_store_explicit(word, v, memory_order_release);
}

/* P2: the same words, looked at by a side that has said it sleeps. */
static inline uint32_t
vnic_epoch_look(_Atomic(uint32_t) *word)
{
	return atomic_load_explicit(word, memory_order_seq_cst);
}

/* --- P2: sleeping and waking -------------------------------------------------- */

/* Makes own asleep odd. Look at everything after this, and only then block. */
static inline void
vnic_sleep_begin(_Atomic(uint32_t) *asleep)
{
	uint32_t a = atomic_load_explicit(asleep, memory_order_relaxed);

	atomic_store_explicit(
	    asleep, (a | 1) + 2 * (a & 1), memory_order_seq_cst);
}

/* Makes own asleep even. relaxed: a spurious wake-up harms nobody. */
static inline void
vnic_sleep_end(_Atomic(uint32_t) *asleep)
{
	uint32_t a = atomic_load_explicit(asleep, memory_order_relaxed);

	atomic_store_explicit(asleep, (a | 1) + 1, memory_order_relaxed);
}

/*
 * After publishing: true if the peer began a sleep that has not been rung for.
 * seen is private to the producer, one per peer queue.
 */
static inline bool
vnic_peer_sleeps(_Atomic(uint32_t) *asleep, uint32_t *seen)
{
	uint32_t a = atomic_load_explicit(asleep, memory_order_seq_cst);

	if (a == *seen)
		return false;
	*seen = a;
	return a & 1;
}

/* The futex word: load it before vnic_sleep_begin(), wait while it is equal. */
static inline uint32_t
vnic_wake_load(_Atomic(uint32_t) *wake)
{
	return atomic_load_explicit(wake, memory_order_acquire);
}

/* One writer per word at any time: a load and a store are enough. */
static inline void
vnic_wake_bump(_Atomic(uint32_t) *wake)
{
	uint32_t w = atomic_load_explicit(wake, memory_order_relaxed);

	atomic_store_explicit(wake, w + 1, memory_order_release);
}

/* --- P4: the vNIC table -------------------------------------------------------- */

static inline uint32_t
vnic_table_load(_Atomic(uint32_t) *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static inline void
vnic_table_store(_Atomic(uint32_t) *word, uint32_t v)
{
	atomic_store_explicit(word, v, memory_order_release);
}

/* --- counters and beat: one writer, readers want no order ----------------------- */

static inline uint64_t
vnic_count(_Atomic(uint64_t) *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void
vnic_count_add(_Atomic(uint64_t) *c, uint64_t n)
{
	/* one writer: no read-modify-write instruction is needed */
	atomic_store_explicit(c,
	    atomic_load_explicit(c, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline uint32_t
vnic_beat_load(_Atomic(uint32_t) *beat)
{
	return atomic_load_explicit(beat, memory_order_relaxed);
}

static inline void
vnic_beat(_Atomic(uint32_t) *beat)
{
	atomic_store_explicit(beat,
	    atomic_load_explicit(beat, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

#endif
