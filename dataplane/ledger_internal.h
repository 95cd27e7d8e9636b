/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_internal: what ledger.c (a worker's turn) and ledger_epoch.c (the
 * control thread) know of a queue and nobody else does.
 *
 * Marks: (w) the owner by phase: the worker in RUN, else the control thread;
 * (c) the control thread in every phase; (a) any of the two, an atomic.
 *
 * Invariant at the end of each call: every usable slot is EMPTY and on the free
 * list, EMPTY and in a frame that the worker still copies, FILLED or GRANTED.
 */
#ifndef DATAPLANE_LEDGER_INTERNAL_H
#define DATAPLANE_LEDGER_INTERNAL_H

#include "dataplane/ledger.h"
#include "lib/base.h"
#include "lib/vnic_ring.h"

#include <stdalign.h>
#include <stddef.h>

/*
 * Between the load of shared words and their use. Tests compile these files
 * with a hook that plays the tenant at its worst moment.
 */
#ifndef LEDGER_HOOK
#define LEDGER_HOOK(l) ((void)(l))
#endif

enum ledger_own {
	OWN_EMPTY = 0,
	OWN_FILLED = 1, /* OWN_FILLED + v: a packet for vNIC v */
	OWN_GRANTED = 254,
	OWN_RETIRED = 255, /* not in use */
};
static_assert((int)OWN_FILLED + (int)VNIC_MAX_VNICS < (int)OWN_GRANTED,
    "a byte holds every owner");

/*
 * The first line and the positions are all that a turn on a queue without packets
 * reads, the second is what packets want besides: where there are a hundred
 * routers, their lines do not fit into the nearest cache.
 */
struct ledger {
	alignas(VNIC_LINE) _Atomic(uint32_t) phase; /* (a) enum ledger_phase */
	_Atomic(uint32_t) stop_asked;               /* (a) */
	_Atomic(uint32_t) want_slots;               /* (a) */
	_Atomic(uint32_t) n_slots;   /* (w) atomic for readers elsewhere */
	_Atomic(uint32_t) n_granted; /* (w) the same */
	uint32_t epoch;              /* (w) */
	uint32_t n_faults;           /* (w) of this epoch */
	uint32_t reserve;            /* (w) grants to keep outstanding */
	uint32_t n_free;             /* (w) */
	uint32_t router_seen;        /* (w) router's asleep, as last rung for */
	uint32_t log2;               /* of the entries of a ring; constant */
	bool published;              /* (w) since the last ledger_ring() */
	bool wake_owed;              /* (w) */
	bool quarantined;            /* (w) why the last epoch ended */
	struct vnic_router_line *router; /* constant; read-only mapping */
	vnic_desc_t *tx_rings;           /* constant */

	/* constant but for what is marked */
	alignas(VNIC_LINE) vnic_desc_t *rx_rings;
	uint8_t *pool;                  /* slot 0 */
	struct vnic_counters *counters; /* [max_vnics] */
	uint32_t *free_slots;           /* (w) last in, first out */
	uint8_t *own;                   /* (w) enum ledger_own */
	uint32_t stride;                /* bytes */
	uint32_t max_slots;
	uint32_t slot_mask; /* own[] has slot_mask + 1 entries */
	uint16_t slot_bytes;
	uint16_t headroom;
	_Atomic(uint32_t) n_filled; /* (w) atomic for readers elsewhere */
	uint32_t surplus; /* (w) slots that retire when they come home */

	alignas(VNIC_LINE) uint64_t tx_pos[VNIC_MAX_VNICS]; /* (w) */
	uint64_t rx_pos[VNIC_MAX_VNICS + 1]; /* (w) the last is for grants */

	uint32_t max_vnics;          /* constant */
	struct vnic_host_line *host; /* constant */
	struct vnic_beat_line *beat; /* constant */
	uint64_t woken_ns;           /* (w) when the router was last woken */
	uint32_t old_grants; /* (w) beside n_slots, see ledger_resize() */

	bool has_run;                /* (c) since the last reset */
	uint64_t run_ns;             /* (c) when RUN began */
	uint64_t reset_ns;           /* (c) */
	uint64_t hold_until_ns;      /* (c) no RUN before */
	uint64_t reset_hold_ns;      /* (c) last hold of a reset */
	uint64_t quarantine_hold_ns; /* (c) last hold of a quarantine */
};
static_assert(offsetof(struct ledger, tx_pos) == 2 * VNIC_LINE, "two lines");

static inline vnic_desc_t *
ledger_tx_ring(const struct ledger *l, unsigned v)
{
	return l->tx_rings + ((size_t)v << l->log2);
}

/* v = max_vnics: that of grants */
static inline vnic_desc_t *
ledger_rx_ring(const struct ledger *l, unsigned v)
{
	return l->rx_rings + ((size_t)v << l->log2);
}

/* relaxed: one writer, and readers elsewhere want a number, no order */
static inline uint32_t
ledger_number(const _Atomic(uint32_t) *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static inline void
ledger_set_number(_Atomic(uint32_t) *n, uint32_t v)
{
	atomic_store_explicit(n, v, memory_order_relaxed);
}

/* A slot comes home: to the free list, or out of use if slots were taken away. */
static inline void
ledger_put_free(struct ledger *l, uint32_t slot)
{
	if (unlikely(l->surplus > 0)) {
		l->surplus--;
		l->own[slot] = OWN_RETIRED;
		return;
	}
	l->own[slot] = OWN_EMPTY;
	l->free_slots[l->n_free++] = slot;
}

/* ledger_epoch.c: applies want_slots. Context: the owner, no frames are out. */
void ledger_resize(struct ledger *l);

/* ledger_epoch.c: changes the wake word and wakes. Context: the owner. */
void ledger_wake_router(struct ledger *l);

#endif
