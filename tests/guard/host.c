/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: the node of the guard, in one thread and in step with a router
 * (router.c), with a clock of its own: each run executes the same instructions,
 * so that they can be counted.
 *
 *	host N ROUTER
 *
 * N packets of 64 bytes come in by a port and go out by another one:
 *
 *	net_ring0 --> host_turn() --> net_null1      set up as by europad
 *	               |       ^
 *	            shared memory
 *	               v       |
 *	             router_turn() in ROUTER
 *
 * Who counts looks at host_turn() and router_turn() with all that they call,
 * for N and for 2 N packets: the difference has no start-up in it. Bursts are
 * full ones. Frames are put into the ring outside of both functions. Prints how
 * many packets were forwarded; fails if that is not all of them.
 */
#include "dataplane/control.h"
#include "dataplane/crew.h"
#include "dataplane/eal.h"
#include "dataplane/worker_internal.h"
#include "lib/log.h"
#include "lib/region.h"
#include "lib/vnic.h"
#include "tests/bench/bench.h"
#include "tests/guard/guard.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

enum {
	SLOTS = 512,
	DRAIN_TURNS = 4,
	FAR_NET = 0xc6130000, /* 198.19.0.0 */
};

struct host {
	struct node node;
	struct worker *worker; /* the only one; its thread is ours */
	pid_t router;
	int to_router, from_router;
	struct rte_ring *wire;
	struct rte_mempool *pool;
	uint8_t frame[BENCH_FRAMES][BENCH_FRAME_BYTES];
	unsigned next; /* frame */
};

static void
die(const char *what)
{
	fprintf(stderr, "host: %s\n", what);
	exit(1);
}

int __wrap_mlock2(const void *at, size_t n, unsigned flags);

/* valgrind 3.19 does not know this call. */
int
__wrap_mlock2(const void *at, size_t n, unsigned flags)
{
	(void)at;
	(void)n;
	(void)flags;
	return 0;
}

/* --- the node ------------------------------------------------------------------- */

static void
tell(struct host *h, struct wire_msg *m)
{
	struct err e = { 0 };

	if (control_do(&h->node, NULL, m, &e) < 0)
		die(e.msg);
}

static void
add_port(struct host *h, const char *name, const char *devargs)
{
	struct wire_msg m = { .type = WIRE_PORT_ADD };

	snprintf(m.u.port.name, sizeof(m.u.port.name), "%s", name);
	snprintf(m.u.port.devargs, sizeof(m.u.port.devargs), "%s", devargs);
	m.u.port.mtu = 1500;
	tell(h, &m);
}

static void
add_vnic(struct host *h, unsigned i)
{
	struct wire_msg m = { .type = WIRE_VNIC_SET };
	struct wire_vnic *v = &m.u.vnic;

	memset(v->uid, 1, WIRE_UID_BYTES);
	v->index = i;
	v->mtu = 1500;
	v->attach = WIRE_ATTACH_PORT;
	snprintf(v->name, sizeof(v->name), "eth%u", i);
	snprintf(v->port, sizeof(v->port), "p%u", i);
	bench_mac(i == 0 ? BENCH_ETH0 : BENCH_ETH1, v->mac);
	v->n_addresses = 1;
	v->address[0].family = 4;
	store_be32(v->address[0].bytes, i == 0 ? BENCH_OWN0 : BENCH_OWN1);
	tell(h, &m);
}

/* The node takes the memory; returned is the router's end. */
static struct vnic_fds
add_set(struct host *h)
{
	struct wire_msg m = { .type = WIRE_SET_ADD };
	struct vnic_geometry *g = &m.u.set.g;
	struct vnic_fds all, routers;

	vnic_geometry_for(g, N_QUEUES - 1, N_VNICS, SLOTS, 1500);
	if (g->n_queues != N_QUEUES || vnic_create(g, &all) < 0)
		die("no memory for a router");
	/* without close-on-exec */
	routers = all;
	routers.host = dup(region_reopen_ro(all.host));
	routers.router = dup(all.router);
	routers.pool = dup(all.pool);
	for (unsigned q = 0; q < N_QUEUES; q++)
		routers.bell[q] = dup(all.bell[q]);
	memset(m.u.set.uid, 1, WIRE_UID_BYTES);
	memset(m.u.set.set, 1, WIRE_UID_BYTES);
	strcpy(m.u.set.name, "guard");
	m.u.set.slots = SLOTS;
	m.n_fds = 3 + N_QUEUES;
	m.fds[0] = all.host;
	m.fds[1] = all.router;
	m.fds[2] = all.pool;
	memcpy(m.fds + 3, all.bell, N_QUEUES * sizeof(int));
	tell(h, &m);
	return routers;
}

static void
start_node(struct host *h)
{
	struct options o = { .huge = HUGE_NO, .mem_mib = 64 };
	struct err e = { 0 };

	strcpy(o.ports, "/dev/null");
	if (eal_start(&o, &h->node.hugepages, &e) < 0)
		die(e.msg);
	if (loop_new(&h->node.loop) < 0 ||
	    crew_new(h->node.loop, 1, &h->node.crew) < 0)
		die("no worker");
	h->node.workers.n = 1;
	h->node.workers.node[0] = -1;
	h->worker = crew_worker(h->node.crew, 0);
	/* it is slow under a simulator, and that is no router's debt */
	h->worker->round_cycles = INT64_MAX / 4;
	if (node_publish(&h->node) < 0)
		die("no plan");
}

/* --- the router ------------------------------------------------------------------ */

static void
exec_router(const char *program, const struct vnic_fds *fds, int in, int out)
{
	char text[64];

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	snprintf(text, sizeof(text), "%d,%d,%d,%d,%d", fds->host, fds->router,
	    fds->pool, fds->bell[0], fds->bell[1]);
	setenv("EUROPA_VNIC_FDS", text, 1);
	execl(program, program, (char *)NULL);
	_exit(127);
}

/* Has the router do something, and waits until it has. */
static void
order(const struct host *h, char what)
{
	char c;

	if (write(h->to_router, &what, 1) != 1 ||
	    read(h->from_router, &c, 1) != 1 || c != what)
		die("the router has ended");
}

static void
start_router(struct host *h, const char *program, const struct vnic_fds *fds)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		die("no pipes");
	h->to_router = to[1];
	h->from_router = from[0];
	h->router = fork();
	if (h->router == 0)
		exec_router(program, fds, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	for (unsigned q = 0; q < N_QUEUES; q++)
		ledger_reset(h->node.sets->queue[q].ledger, 1);
	order(h, 'p');
	/* an hour later no hold is left */
	for (unsigned q = 0; q < N_QUEUES; q++)
		if (!ledger_try_run(
			h->node.sets->queue[q].ledger, UINT64_C(3600000000000)))
			die("no epoch");
	order(h, 'p');
}

/* --- packets ---------------------------------------------------------------------- */

static uint16_t
checksum(const uint8_t *p, unsigned bytes)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < bytes; i += 2)
		sum += load_be16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
make_frames(struct host *h)
{
	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		uint8_t *p = h->frame[i], *ip = p + 14, *udp = ip + 20;

		bench_mac(BENCH_ETH0, p);
		bench_mac(BENCH_HOST, p + 6);
		store_be16(p + 12, 0x0800);
		ip[0] = 0x45;
		store_be16(ip + 2, BENCH_FRAME_BYTES - 14);
		ip[8] = 64;
		ip[9] = 17;
		store_be32(ip + 12, BENCH_OWN0 + 1);
		/* an odd step visits all of the network */
		store_be32(ip + 16, FAR_NET + (i * 25173 & 0xffff));
		store_be16(ip + 10, checksum(ip, 20));
		store_be16(udp, (uint16_t)(1024 + i));
		store_be16(udp + 2, 9);
		store_be16(udp + 4, BENCH_FRAME_BYTES - 34);
	}
}

static void
put_on_wire(struct host *h, unsigned n)
{
	struct rte_mbuf *m[VNIC_BURST];

	if (rte_pktmbuf_alloc_bulk(h->pool, m, n) != 0)
		die("no mbufs: the node keeps them");
	for (unsigned i = 0; i < n; i++) {
		memcpy(rte_pktmbuf_mtod(m[i], uint8_t *), h->frame[h->next],
		    BENCH_FRAME_BYTES);
		m[i]->data_len = BENCH_FRAME_BYTES;
		m[i]->pkt_len = BENCH_FRAME_BYTES;
		h->next = (h->next + 1) % BENCH_FRAMES;
	}
	if (rte_ring_enqueue_bulk(h->wire, (void **)m, n, NULL) != n)
		die("the ring is full: the node does not take them");
}

static void
open_wires(struct host *h)
{
	add_port(h, "p0", "net_ring0");
	add_port(h, "p1", "net_null1,no-rx=1");
	/* what is sent into it is received by it: the name is the driver's */
	h->wire = rte_ring_lookup("ETH_RXTX0_net_ring0");
	h->pool = node_port(&h->node, "p0")->share[0].pool; /* as drivers do */
	if (!h->wire || !h->pool)
		die("no ring to put frames into");
}

static void __attribute__((noipa)) host_turn(struct host *h)
{
	bool owes;

	worker_round(h->worker, h->node.plan, &owes);
}

static uint64_t
n_sent(const struct host *h)
{
	struct ledger *l = h->node.sets->queue[0].ledger;

	/* relaxed: our own */
	return atomic_load_explicit(
	    &ledger_counters(l, 1)->sent, memory_order_relaxed);
}

int
main(int argc, char **argv)
{
	static struct host h;
	unsigned long n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	struct vnic_fds fds;

	if (n == 0 || n % VNIC_BURST != 0)
		die("usage: host N ROUTER; N is a number of full bursts");
	log_init("host", LOG_LEVEL_WARN);
	start_node(&h);
	fds = add_set(&h);
	add_vnic(&h, 0);
	add_vnic(&h, 1);
	open_wires(&h);
	start_router(&h, argv[2], &fds);
	make_frames(&h);
	for (unsigned long i = 0; i < n; i += VNIC_BURST) {
		put_on_wire(&h, VNIC_BURST);
		host_turn(&h);
		order(&h, 't');
	}
	for (unsigned i = 0; i < DRAIN_TURNS; i++)
		host_turn(&h);
	printf("%llu\n", (unsigned long long)n_sent(&h));
	if (n_sent(&h) != n)
		die("packets got lost");
	close(h.to_router);
	waitpid(h.router, NULL, 0);
	return 0;
}
