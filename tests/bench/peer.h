/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer: what carries packets between a host process and the process of a router
 * elsewhere; each way is a file, peer.c is the host process.
 *
 *	source net_pcap, endless --> host --give--> router, swaps MACs
 *	sink net_null            <-- host <--take-- router
 *
 * All ways have the same source, sink, mbufs, ring length and swap. give takes
 * what it accepts, the rest is offered again: no way loses a packet.
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include "tests/bench/bench.h"

#include <stdio.h>

#include <rte_mbuf.h>

enum peer_limits {
	PEER_RING = 1024,
	PEER_MBUFS = 8191,
	PEER_CACHE = 512,
	PEER_ROOM = 2048 + RTE_PKTMBUF_HEADROOM,
	PEER_BURST_MAX = 256,
	PEER_MAX_ARGS = 16,
};

struct peer {
	const char *dir; /* of the frames, and for sockets */
	unsigned host_core;
	unsigned router_core;
	unsigned warm_ms;
	unsigned window_ms;
	unsigned burst;
	const struct peer_way *way;
	struct rte_mempool *pool; /* of the host */
	uint16_t source;
	uint16_t sink;
	uint16_t port; /* of the way, if it is one */
	pid_t router;
};

struct peer_way {
	const char *name;
	const char *host;   /* --vdev, %s is the folder; NULL = none */
	const char *router; /* the same of a router that is DPDK; else NULL */
	unsigned burst;     /* where it is at its best */
	bool inherits;      /* the router is forked when the host is ready */
	/* before both processes; NULL = nothing */
	void (*prepare)(void);
	/* the host, its ports are there; NULL = nothing */
	void (*ready)(struct peer *p);
	/* the router: never returns */
	void (*run_router)(struct peer *p);
	unsigned (*give)(struct peer *p, struct rte_mbuf **m, unsigned n);
	unsigned (*take)(struct peer *p, struct rte_mbuf **m, unsigned n);
};

extern const struct peer_way peer_memif, peer_memif_zc, peer_vhost, peer_ring,
    peer_proto;

void peer_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Starts DPDK on one core, with up to two devices (NULL = none). */
void peer_start_eal(const struct peer *p, unsigned core, const char *source,
    const char *device);
struct rte_mempool *peer_make_pool(void);
uint16_t peer_start_port(const char *name, struct rte_mempool *pool);

static inline void
peer_swap(uint8_t *frame)
{
	uint8_t mac[6];

	memcpy(mac, frame, 6);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, mac, 6);
}

#endif
