/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: a source that waits. A library that is loaded first (LD_PRELOAD): it
 * stands before rte_eth_dev_start() and gives one port a callback on receive,
 * which drops all frames until a file is there.
 *
 *	BENCH_GATE_PORT   device, net_pcap0
 *	BENCH_GATE_FILE   opens when it is there, for as long as the port is
 *
 * So routers are attached to a port at leisure, and get their first frame at
 * the same time.
 */
#include "tests/bench/bench.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_ethdev.h>

enum { LOOK_EVERY = 1024 }; /* bursts */

/* Of queue 0: of who starts the port, then of the worker that polls it. */
static struct {
	bool open;
	unsigned turn;
	/* ethdev keeps callbacks when a port goes */
	bool held[RTE_MAX_ETHPORTS];
} gate;

static bool
look(const char *file)
{
	if (gate.turn++ % LOOK_EVERY == 0)
		gate.open = access(file, F_OK) == 0;
	return gate.open;
}

static uint16_t
hold(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n,
    uint16_t max, void *arg)
{
	(void)port;
	(void)queue;
	(void)max;
	if (likely(gate.open) || look(arg))
		return n;
	rte_pktmbuf_free_bulk(m, n);
	return 0;
}

/* As in ethdev; the next one does the work. */
int
rte_eth_dev_start(uint16_t port)
{
	const char *wanted = getenv("BENCH_GATE_PORT");
	char *file = getenv("BENCH_GATE_FILE");
	char name[RTE_ETH_NAME_MAX_LEN];
	int (*next)(uint16_t);
	int rc;

	*(void **)&next = dlsym(RTLD_NEXT, "rte_eth_dev_start");
	if (!next || !wanted || !file) {
		fprintf(stderr, "gate: no ethdev, port or file\n");
		exit(1);
	}
	rc = next(port);
	if (rc < 0 || rte_eth_dev_get_name_by_port(port, name) != 0 ||
	    strcmp(name, wanted) != 0)
		return rc;
	gate.open = false;
	gate.turn = 0;
	if (!gate.held[port] && !rte_eth_add_rx_callback(port, 0, hold, file)) {
		fprintf(stderr, "gate: no callback\n");
		exit(1);
	}
	gate.held[port] = true;
	return rc;
}
