/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish: how new tables reach the fast paths, and when old ones may be freed.
 *
 * One pointer is swapped. Each reader says which tables it uses (a hazard
 * pointer), says it anew only when they changed, and nothing while it sleeps.
 * The writer frees what is neither current nor named by a reader: a reader that
 * sleeps for hours holds nothing back, and no packet waits for a swap.
 */
#ifndef ROUTER_PUBLISH_H
#define ROUTER_PUBLISH_H

#include "router/tables.h"

#include <stdatomic.h>
#include <stdbool.h>

enum publish_limits {
	PUBLISH_MAX_READERS = VNIC_MAX_QUEUES,
	PUBLISH_MAX_OLD = 8,
};

struct publish {
	_Atomic(const struct tables *) current;
	_Atomic(const struct tables *) used[PUBLISH_MAX_READERS];
	const struct tables *old[PUBLISH_MAX_OLD]; /* (writer) */
	unsigned n_old;                            /* (writer) */
};

/*
 * The tables to use now. They stay until reader's next call of this or of
 * publish_leave(). NULL before the first publication. Context: reader.
 */
static inline const struct tables *
publish_enter(struct publish *p, unsigned reader)
{
	/* pairs with the swap in publish_swap(): the tables are complete */
	const struct tables *t =
	    atomic_load_explicit(&p->current, memory_order_seq_cst);

	/* relaxed: our own */
	while (
	    t != atomic_load_explicit(&p->used[reader], memory_order_relaxed)) {
		/* seq_cst: said, then looked again; the writer does it
		 * the other way round, so one of the two sees the other */
		atomic_store_explicit(
		    &p->used[reader], t, memory_order_seq_cst);
		t = atomic_load_explicit(&p->current, memory_order_seq_cst);
	}
	return t;
}

static inline void
publish_leave(struct publish *p, unsigned reader)
{
	/* release: pairs with the look of the writer, before it frees */
	atomic_store_explicit(&p->used[reader], NULL, memory_order_release);
}

/* Can publish_swap() take another one? Context: writer. */
static inline bool
publish_has_room(const struct publish *p)
{
	return p->n_old < PUBLISH_MAX_OLD;
}

/* Makes t the current tables; takes it. Context: writer, if there is room. */
void publish_swap(struct publish *p, const struct tables *t);

/* Frees what nobody uses any more. Returns how many wait. Context: writer. */
unsigned publish_reclaim(struct publish *p);

/* Frees everything; no readers are left. */
void publish_destroy(struct publish *p);

#endif
