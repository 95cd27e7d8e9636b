/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_ring: pointers to mbufs over two rte_rings in memory that both processes
 * have whole: no copy, and no isolation. The router is forked off a host that is
 * ready: DPDK's memory is shared at the same addresses, as with a secondary
 * process.
 */
#include "tests/bench/peer.h"

#include <sched.h>

#include <rte_ring.h>

static struct rte_ring *there, *back;

static void
ready(struct peer *p)
{
	unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;

	(void)p;
	there = rte_ring_create("there", PEER_RING, SOCKET_ID_ANY, flags);
	back = rte_ring_create("back", PEER_RING, SOCKET_ID_ANY, flags);
	if (!there || !back)
		peer_die("no memory for rings");
}

static void
run_router(struct peer *p)
{
	struct rte_mbuf *m[PEER_BURST_MAX];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(p->router_core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		peer_die("core %u: %s", p->router_core, strerror(errno));
	for (;;) {
		unsigned n = rte_ring_sc_dequeue_burst(
		    there, (void **)m, p->burst, NULL);

		for (unsigned i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		for (unsigned i = 0; i < n; i++)
			peer_swap(rte_pktmbuf_mtod(m[i], uint8_t *));
		for (unsigned sent = 0; sent < n;)
			sent += rte_ring_sp_enqueue_burst(
			    back, (void **)m + sent, n - sent, NULL);
	}
}

static unsigned
give(struct peer *p, struct rte_mbuf **m, unsigned n)
{
	(void)p;
	return rte_ring_sp_enqueue_burst(there, (void **)m, n, NULL);
}

static unsigned
take(struct peer *p, struct rte_mbuf **m, unsigned n)
{
	(void)p;
	return rte_ring_sc_dequeue_burst(back, (void **)m, n, NULL);
}

const struct peer_way peer_ring = {
	.name = "ring",
	.burst = 64,
	.inherits = true,
	.ready = ready,
	.run_router = run_router,
	.give = give,
	.take = take,
};
