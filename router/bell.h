/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell: how threads of this process wake a thread that sleeps on its vNIC
 * queue. The sleeper says so, looks at everything, and waits; who has something
 * for it publishes that, then rings. Both are seq_cst, so one sees the other:
 *
 *	sleeper                         ringer
 *	seen = bell_sleep(b)            publish (seq_cst)
 *	look at all that is published   bell_ring(b)
 *	vnic_wait_on(..., &b->word, seen, ...)
 *	bell_awake(b)
 *
 * Ringing at a thread that is awake is one load.
 */
#ifndef ROUTER_BELL_H
#define ROUTER_BELL_H

#include <stdatomic.h>
#include <stdint.h>

struct bell {
	_Atomic(uint32_t) word;   /* grows with each ring */
	_Atomic(uint32_t) asleep; /* (sleeper) 1 = ring */
};

static inline uint32_t
bell_sleep(struct bell *b)
{
	/* relaxed: a later value makes the wait return, that is all */
	uint32_t seen = atomic_load_explicit(&b->word, memory_order_relaxed);

	atomic_store_explicit(&b->asleep, 1, memory_order_seq_cst);
	return seen;
}

static inline void
bell_awake(struct bell *b)
{
	/* relaxed: a ring too many harms nobody */
	atomic_store_explicit(&b->asleep, 0, memory_order_relaxed);
}

void bell_ring_sleeper(struct bell *b);

static inline void
bell_ring(struct bell *b)
{
	if (atomic_load_explicit(&b->asleep, memory_order_seq_cst))
		bell_ring_sleeper(b);
}

#endif
