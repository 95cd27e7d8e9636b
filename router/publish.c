/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish: the writer's side; it belongs to the slow path.
 */
#include "router/publish.h"

#include "router/plan.h"

#include <assert.h>

void
publish_swap(struct publish *p, const struct tables *t)
{
	/* seq_cst: see publish_enter() */
	const struct tables *old =
	    atomic_exchange_explicit(&p->current, t, memory_order_seq_cst);

	assert(publish_has_room(p));
	if (old)
		p->old[p->n_old++] = old;
}

static bool
is_used(struct publish *p, const struct tables *t)
{
	for (unsigned i = 0; i < PUBLISH_MAX_READERS; i++)
		/* pairs with publish_enter() and publish_leave() */
		if (atomic_load_explicit(&p->used[i], memory_order_seq_cst) ==
		    t)
			return true;
	return false;
}

unsigned
publish_reclaim(struct publish *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->n_old; i++) {
		if (is_used(p, p->old[i]))
			p->old[kept++] = p->old[i];
		else
			tables_free(p->old[i]);
	}
	p->n_old = kept;
	return kept;
}

void
publish_destroy(struct publish *p)
{
	for (unsigned i = 0; i < p->n_old; i++)
		tables_free(p->old[i]);
	p->n_old = 0;
	tables_free(
	    atomic_exchange_explicit(&p->current, NULL, memory_order_relaxed));
}
