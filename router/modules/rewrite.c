/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite: the Ethernet addresses of the next hop, and a mark that this
 * neighbour is needed. The mark is stored only if it is not there: a store to
 * a line that the slow path reads costs more than a load.
 */
#include "router/modules.h"
#include "router/packet.h"

bool
rewrite(const struct tables *t, struct batch *b)
{
	b->alive |= b->alive6; /* from here on they are all alike */
	b->alive6 = 0;
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		const struct hop *hop = &t->hop[b->hop[i]];
		uint8_t *used = &t->used[hop->neigh];

		memcpy(b->frame[i].data, hop->eth, sizeof(hop->eth));
		/* relaxed: a hint that orders nothing */
		if (unlikely(!__atomic_load_n(used, __ATOMIC_RELAXED)))
			__atomic_store_n(used, 1, __ATOMIC_RELAXED);
	}
	return batch_any(b);
}
