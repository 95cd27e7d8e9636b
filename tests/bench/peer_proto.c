/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_proto: what Europa's path would be without everything that makes it safe:
 * one ring of descriptors that carry their owner, slot i for entry i, a copy into
 * the slot and a copy out. No ledger, no check, no rules, no counters, no
 * wake-up, no second queue; all in order. An upper estimate, not a product.
 */
#include "tests/bench/peer.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include <rte_memcpy.h>

enum {
	SLOT = 35 * 64, /* an odd number of lines: no two headers in one set */
	HUGE_PAGE = 2 << 20,
};

#define ROUTERS (UINT64_C(1) << 63) /* the descriptor is the router's */

static _Atomic(uint64_t) *desc;
static uint8_t *slots;
static unsigned given, taken; /* of the host */

static void *
map(size_t size)
{
	void *at;

	size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (at == MAP_FAILED)
		peer_die("no huge pages: %s", strerror(errno));
	return at;
}

static void
prepare(void)
{
	desc = map(PEER_RING * sizeof(*desc));
	slots = map((size_t)PEER_RING * SLOT);
}

static uint8_t *
slot_of(unsigned i)
{
	return slots + (size_t)(i % PEER_RING) * SLOT;
}

/* Counts the descriptors from i that are in that state, up to n. */
static unsigned
look(unsigned i, unsigned n, uint64_t owner, uint64_t *out)
{
	unsigned k;

	for (k = 0; k < n; k++) {
		/* acquire: with the release of hand_over() on the other side */
		out[k] = atomic_load_explicit(
		    &desc[(i + k) % PEER_RING], memory_order_acquire);
		if ((out[k] & ROUTERS) != owner)
			break;
		__builtin_prefetch(slot_of(i + k), 1);
	}
	return k;
}

static void
hand_over(unsigned i, uint64_t value)
{
	/* release: the frame is complete */
	atomic_store_explicit(
	    &desc[i % PEER_RING], value, memory_order_release);
}

static void
run_router(struct peer *p)
{
	uint64_t d[PEER_BURST_MAX];
	unsigned at = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(p->router_core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		peer_die("core %u: %s", p->router_core, strerror(errno));
	for (;;) {
		unsigned n = look(at, p->burst, ROUTERS, d);

		for (unsigned i = 0; i < n; i++)
			peer_swap(slot_of(at + i));
		for (unsigned i = 0; i < n; i++)
			hand_over(at + i, d[i] & ~ROUTERS);
		at += n;
		if (n == 0)
			rte_pause();
	}
}

static unsigned
give(struct peer *p, struct rte_mbuf **m, unsigned n)
{
	(void)p;
	n = MIN(n, PEER_RING - (given - taken));
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(slot_of(given + i), 1);
	for (unsigned i = 0; i < n; i++)
		rte_memcpy(slot_of(given + i),
		    rte_pktmbuf_mtod(m[i], uint8_t *), m[i]->data_len);
	for (unsigned i = 0; i < n; i++)
		hand_over(given + i, m[i]->data_len | ROUTERS);
	rte_pktmbuf_free_bulk(m, n);
	given += n;
	return n;
}

static unsigned
take(struct peer *p, struct rte_mbuf **m, unsigned n)
{
	uint64_t d[PEER_BURST_MAX];

	n = look(taken, MIN(n, given - taken), 0, d);
	if (n == 0 || rte_pktmbuf_alloc_bulk(p->pool, m, n) != 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		uint16_t len = (uint16_t)d[i];

		rte_memcpy(
		    rte_pktmbuf_mtod(m[i], uint8_t *), slot_of(taken + i), len);
		m[i]->data_len = len;
		m[i]->pkt_len = len;
	}
	taken += n;
	return n;
}

const struct peer_way peer_proto = {
	.name = "proto",
	.burst = 64,
	.prepare = prepare,
	.run_router = run_router,
	.give = give,
	.take = take,
};
