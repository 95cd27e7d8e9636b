/* SPDX-License-Identifier: Apache-2.0 */
/* node: see node.h. */
#include "tests/guard/node.h"

#include "dataplane/control.h"
#include "dataplane/crew.h"
#include "dataplane/eal.h"
#include "lib/log.h"
#include "lib/region.h"

#include <stdio.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

void
guard_die(const char *what)
{
	fprintf(stderr, "guard: %s\n", what);
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

void
guard_start(struct guard_node *g, unsigned n_workers)
{
	struct options o = { .huge = HUGE_NO, .mem_mib = 128 };
	struct node *n = &g->node;
	struct err e = { 0 };

	log_init("guard", LOG_LEVEL_WARN);
	strcpy(o.ports, "/dev/null");
	if (eal_start(&o, &n->hugepages, &e) < 0)
		guard_die(e.msg);
	if (loop_new(&n->loop) < 0 ||
	    crew_new(n->loop, n_workers, &n->crew) < 0)
		guard_die("no workers");
	n->workers.n = n_workers;
	for (unsigned i = 0; i < n_workers; i++) {
		n->workers.node[i] = -1;
		g->worker[i] = crew_worker(n->crew, i);
		/* it is slow under a simulator, and that is no router's debt */
		g->worker[i]->round_cycles = INT64_MAX / 1000;
	}
	if (node_publish(n) < 0)
		guard_die("no plan");
}

void
guard_tell(struct guard_node *g, struct wire_msg m)
{
	struct err e = { 0 };

	if (control_do(&g->node, NULL, &m, &e) < 0)
		guard_die(e.msg);
}

struct vnic_fds
guard_add_set(struct guard_node *g, uint8_t uid, unsigned n_data,
    unsigned n_vnics, unsigned slots)
{
	struct wire_msg m;
	struct vnic_geometry geometry;
	struct vnic_fds all, routers;

	vnic_geometry_for(&geometry, n_data, n_vnics, slots, 1500);
	if (geometry.n_queues != n_data + 1 || vnic_create(&geometry, &all) < 0)
		guard_die("no memory for a router");
	/* without close-on-exec */
	routers = all;
	routers.host = dup(region_reopen_ro(all.host));
	routers.router = dup(all.router);
	routers.pool = dup(all.pool);
	for (unsigned q = 0; q < geometry.n_queues; q++)
		routers.bell[q] = dup(all.bell[q]);
	m = say_set(&geometry, &all);
	memset(m.u.set.uid, uid, WIRE_UID_BYTES);
	memset(m.u.set.set, uid, WIRE_UID_BYTES);
	guard_tell(g, m);
	return routers;
}

void
guard_begin(struct guard_node *g)
{
	for (struct set *s = g->node.sets; s; s = s->next)
		for (unsigned q = 0; q < s->n_queues; q++)
			ledger_reset(s->queue[q].ledger, 1);
}

void
guard_attach(const struct vnic_fds *fds, struct vnic_queue **queue)
{
	struct vnic *v;

	if (vnic_attach(fds, &v) < 0)
		guard_die("cannot attach");
	for (unsigned q = 0; q < vnic_layout(v)->g.n_queues; q++)
		if (vnic_queue_open(v, q, &queue[q]) < 0 ||
		    vnic_poll(queue[q]) != VNIC_FRESH)
			guard_die("cannot attach to a queue");
}

void
guard_run(struct guard_node *g)
{
	/* an hour later no hold is left */
	for (struct set *s = g->node.sets; s; s = s->next)
		for (unsigned q = 0; q < s->n_queues; q++)
			if (!ledger_try_run(
				s->queue[q].ledger, UINT64_C(3600000000000)))
				guard_die("no epoch");
}

struct rte_ring *
guard_wire(struct guard_node *g, unsigned i)
{
	char name[32], device[32];
	struct rte_ring *wire;

	snprintf(name, sizeof(name), "p%u", i);
	snprintf(device, sizeof(device), "net_ring%u", i);
	guard_tell(g, say_port(name, device));
	/* what is sent into it is received by it: the name is the driver's */
	snprintf(device, sizeof(device), "ETH_RXTX0_net_ring%u", i);
	wire = rte_ring_lookup(device);
	if (!wire)
		guard_die("no ring to put frames into");
	return wire;
}

void
guard_feed(struct guard_node *g, struct rte_ring *wire, unsigned i,
    const uint8_t *const *frame, unsigned n, unsigned len)
{
	char name[32];
	struct rte_mbuf *m[VNIC_BURST];
	const struct port *p;

	snprintf(name, sizeof(name), "p%u", i);
	p = node_port(&g->node, name);
	/* as drivers do */
	if (rte_pktmbuf_alloc_bulk(p->share[p->home].pool, m, n) != 0)
		guard_die("no mbufs: the node keeps them");
	for (unsigned k = 0; k < n; k++) {
		memcpy(rte_pktmbuf_mtod(m[k], uint8_t *), frame[k], len);
		m[k]->data_len = (uint16_t)len; /* < 2^16 */
		m[k]->pkt_len = len;
	}
	if (rte_ring_enqueue_bulk(wire, (void **)m, n, NULL) != n)
		guard_die("the ring is full: the node does not take them");
}

void
guard_single(struct guard_node *g, unsigned i)
{
	static const uint32_t header[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535,
		1 };
	char file[] = "/tmp/europa-guard.XXXXXX", name[8], devargs[128];
	int fd = mkstemp(file);

	if (fd < 0 || write(fd, header, sizeof(header)) != sizeof(header))
		guard_die("no file for a port");
	snprintf(name, sizeof(name), "p%u", i);
	snprintf(devargs, sizeof(devargs),
	    "net_pcap%u,rx_pcap=%s,tx_pcap=/dev/null", i, file);
	guard_tell(g, say_port(name, devargs));
	close(fd);
	unlink(file);
}
