/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc_fib: see inproc.h. The lookup is for the whole batch at once, with the
 * widest vectors that the processor has, as rte_fib is meant to be used.
 */
#include "lib/base.h"
#include "router/batch.h"
#include "router/plan.h"
#include "tests/bench/inproc.h"

#include <rte_fib.h>
#include <rte_memory.h>

enum { N_TBL8 = 1 << 14 };

static struct rte_fib *fib;

static unsigned
hop_of(const struct plan *plan, uint32_t via)
{
	for (unsigned i = 0; i < plan->n_gateways; i++)
		if (plan->gateway[i].ip == via)
			return HOP_I_GATEWAY + i;
	return HOP_I_NONE;
}

void
inproc_fib_make(const struct routerconf *c, const struct plan *plan)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.default_nh = HOP_I_NONE,
		.max_routes = (int)c->n_routes * 2 + 1024,
		.dir24_8 = { RTE_FIB_DIR24_8_2B, N_TBL8 },
	};

	fib = rte_fib_create("bench", SOCKET_ID_ANY, &conf);
	if (!fib)
		inproc_die("no memory for rte_fib");
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct routerconf_route *r = &c->route[i];

		if (rte_fib_add(fib, r->prefix, r->len, hop_of(plan, r->via)) <
		    0)
			inproc_die("rte_fib takes no more routes");
	}
	/* not there on this processor: the scalar one stays */
	rte_fib_select_lookup(fib, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512);
}

bool
inproc_fib_lookup(const struct tables *t, struct batch *b)
{
	uint64_t hop[BATCH_MAX];

	if (rte_fib_lookup_bulk(fib, b->dst, hop, (int)b->n) < 0)
		inproc_die("rte_fib does not look up");
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);

		b->hop[i] = (uint16_t)hop[i];
		if (unlikely(t->hop[hop[i]].kind != HOP_FORWARD))
			batch_drop(b, i, FATE_NO_ROUTE);
	}
	return b->alive != 0;
}
