/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot: the neighbours as the slow path knows them, copied for the main
 * thread when that asks:
 *
 *	main                          slow path
 *	snapshot_ask(), ring     ->   copies all
 *	event, snapshot_is_there <-   snapshot_give()
 *
 * Who asks again while it is on its way gets the same one.
 */
#ifndef ROUTER_SNAPSHOT_H
#define ROUTER_SNAPSHOT_H

#include "router/ip6.h"

#include <stdatomic.h>

enum { SNAPSHOT_MAX = 2 * 2048 }; /* NEIGH_MAX of both families */

struct snapshot_neighbour {
	struct ip6 ip; /* IPv4: ::ffff:a.b.c.d */
	uint32_t due_ms;
	bool is6;
	uint8_t state; /* enum neigh_state */
	uint8_t vnic;
	uint8_t n_pending;
	uint8_t mac[6];
};

struct snapshot {
	int event;            /* eventfd, borrowed: main polls it */
	_Atomic(bool) wanted; /* who has what follows: true = the slow path */
	unsigned n;
	struct snapshot_neighbour neighbour[SNAPSHOT_MAX];
};

/* Context: main, while it is there. */
static inline void
snapshot_ask(struct snapshot *t)
{
	atomic_store_explicit(&t->wanted, true, memory_order_seq_cst);
}

/* Context: main. */
static inline bool
snapshot_is_there(const struct snapshot *t)
{
	/* pairs with snapshot_give() */
	return !atomic_load_explicit(&t->wanted, memory_order_acquire);
}

/* Context: slow. */
static inline bool
snapshot_is_wanted(const struct snapshot *t)
{
	return atomic_load_explicit(&t->wanted, memory_order_seq_cst);
}

static inline void
snapshot_give(struct snapshot *t)
{
	uint64_t one = 1;

	atomic_store_explicit(&t->wanted, false, memory_order_release);
	if (write(t->event, &one, sizeof(one)) < 0) {
		/* it is full: main will look anyway */
	}
}

#endif
