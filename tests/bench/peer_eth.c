/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_eth: the ways that are a DPDK port on each side, with memory that both
 * share: memif, copying on both sides or on the host's only, and vhost-user with
 * virtio-user (packed ring, in order, with vectors). The router is a DPDK process
 * of its own that sees its own memory and, with vhost, lets the host see it; the
 * host reads and writes in it without looking whose turn it is but in the ring.
 */
#include "tests/bench/peer.h"

#include <fcntl.h>

#include <rte_ethdev.h>

#define MEMIF_ROUTER                                                          \
	"net_memif0,role=client,id=0,socket=%s/peer.sock,socket-abstract=no," \
	"rsize=10,zero-copy="
#define MEMIF_HOST                                                            \
	"net_memif1,role=server,id=0,socket=%s/peer.sock,socket-abstract=no," \
	"rsize=10"

static unsigned
give(struct peer *p, struct rte_mbuf **m, unsigned n)
{
	return rte_eth_tx_burst(p->port, 0, m, (uint16_t)n);
}

static unsigned
take(struct peer *p, struct rte_mbuf **m, unsigned n)
{
	return rte_eth_rx_burst(p->port, 0, m, (uint16_t)n);
}

/* The host makes the socket. */
static void
wait_for_socket(const struct peer *p)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/peer.sock", p->dir);
	while (access(path, F_OK) < 0)
		bench_sleep_ms(10);
	bench_sleep_ms(100);
}

static void
run_router(struct peer *p)
{
	struct rte_mbuf *m[PEER_BURST_MAX];
	char name[64];
	uint16_t port;

	wait_for_socket(p);
	peer_start_eal(p, p->router_core, NULL, p->way->router);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(p->way->router, ","),
	    p->way->router);
	port = peer_start_port(name, peer_make_pool());
	for (;;) {
		uint16_t n = rte_eth_rx_burst(port, 0, m, (uint16_t)p->burst);

		for (uint16_t i = 0; i < n; i++)
			rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
		for (uint16_t i = 0; i < n; i++)
			peer_swap(rte_pktmbuf_mtod(m[i], uint8_t *));
		for (uint16_t sent = 0; sent < n;)
			sent = (uint16_t)(sent + rte_eth_tx_burst(port, 0,
						     m + sent,
						     (uint16_t)(n - sent)));
	}
}

const struct peer_way peer_memif = {
	.name = "memif",
	.host = MEMIF_HOST,
	.router = MEMIF_ROUTER "no",
	.burst = 64,
	.run_router = run_router,
	.give = give,
	.take = take,
};

const struct peer_way peer_memif_zc = {
	.name = "memif_zc",
	.host = MEMIF_HOST,
	.router = MEMIF_ROUTER "yes",
	.burst = 64,
	.run_router = run_router,
	.give = give,
	.take = take,
};

const struct peer_way peer_vhost = {
	.name = "vhost",
	.host = "net_vhost1,iface=%s/peer.sock,queues=1",
	.router = "net_virtio_user0,path=%s/peer.sock,queues=1,"
		  "queue_size=1024,packed_vq=1,mrg_rxbuf=0,in_order=1,"
		  "vectorized=1,"
		  "mac=02:00:00:00:01:00",
	.burst = 32,
	.run_router = run_router,
	.give = give,
	.take = take,
};
