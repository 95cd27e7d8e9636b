/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port: one DPDK device, from its devargs to queues that workers poll.
 *
 *	device can			rx queues		tx queues
 *	RSS, or fan-out by devargs	one per worker, or	one per worker,
 *					as many as it has	or one at home
 *	neither				one, at home		the same
 *
 * A worker without a tx queue hands its frames to the one at home. What a
 * worker writes of a port is its share: counters, mbufs and the way home.
 *
 * A port that cannot be opened stays known, DOWN, with its reason in the log:
 * the node goes on. Each port has its own mbufs, so that none starves another.
 * Workers touch ports of their plan only; control closes a port after the plan
 * without it is in force.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include "dataplane/handover.h"
#include "dataplane/ports_file.h"
#include "dataplane/spread.h"
#include "lib/err.h"

struct rte_mempool;

enum { PORT_MAX_FDS = 16 };

/* Who may poll a port. */
struct port_workers {
	unsigned n;
	int node[SPREAD_MAX_WORKERS];      /* NUMA node, -1 = it has none */
	unsigned load[SPREAD_MAX_WORKERS]; /* ports that are at home there */
};

/* What one worker knows and writes of a port. */
struct port_share {
	alignas(VNIC_LINE) _Atomic(uint64_t) count[WIRE_N_PORT_COUNTERS];
	struct rte_mempool *pool; /* its mbufs, for rx and tx */
	uint16_t tx_queue;
	/* frames to the home of the tx queue; NULL: it has one of its own */
	struct handover *home;
};

struct port {
	struct port *next; /* (c) */
	struct port_spec spec;
	enum wire_port_state state;   /* (c) */
	char device[PORT_NAME_BYTES]; /* DPDK's name of it */
	char driver[32];
	bool hotplugged;  /* we made the device, we remove it */
	uint16_t id;      /* DPDK's number of it */
	unsigned ifindex; /* (c) of the kernel's interface, 0 = none */
	bool no_line;     /* (c) it is open, but nothing would pass */
	uint8_t mac[6];
	uint32_t max_frame; /* bytes of the longest frame */
	uint32_t room;      /* bytes that an mbuf holds */
	unsigned n_workers;
	struct port_share *share; /* [n_workers] */
	unsigned home;            /* worker of what there is one of */
	unsigned n_rx, n_tx;      /* queues */
	/* the driver's own descriptors that become readable; borrowed */
	unsigned n_fds;
	int fds[PORT_MAX_FDS];
};

/* Returns a port that is DOWN, or NULL without memory. Context: control. */
struct port *port_new(const struct port_spec *spec, unsigned n_workers);

/*
 * Opens and starts it; state becomes UP. Its home is the least loaded worker of
 * its NUMA node, or of all. Returns 0 or negative errno, then a sentence is in
 * the log and the state is DOWN. Context: control.
 */
int port_open(struct port *p, const struct port_workers *w);
void port_close(struct port *p);
void port_free(struct port *p); /* closes; NULL is allowed */

/*
 * Puts into e why port_open() said rc, and what to do, for whoever typed it.
 * Returns rc. Context: control.
 */
int port_explain(const struct port_spec *spec, int rc, struct err *e);

/*
 * The value of iface= in its devargs: the interface that the device is, or for
 * some drivers makes. false: there is none.
 */
bool port_interface(const struct port_spec *spec, char *name, size_t size);

/* Devices that must be there when EAL starts, or need more rights. */
bool port_is_pci(const struct port_spec *spec);
bool port_needs_start(const struct port_spec *spec);

/* Fills u.port_info of m. Context: control. */
void port_describe(const struct port *p, struct wire_msg *m);

static inline void
port_count(struct port_share *s, enum wire_port_counter c, uint64_t n)
{
	/* relaxed: one writer, readers want numbers */
	atomic_store_explicit(&s->count[c],
	    atomic_load_explicit(&s->count[c], memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* The worker that polls rx queue q. */
static inline unsigned
port_rx_worker(const struct port *p, unsigned q)
{
	return p->n_rx == 1 ? p->home : q % p->n_workers;
}

/* Has the device brought each flow to a worker, and every worker a part? */
static inline bool
port_spreads(const struct port *p)
{
	return p->n_rx > 1 && p->n_rx >= p->n_workers;
}

/* port_fds.c: open descriptors, and what a driver has added to them. */
struct fd_list {
	unsigned n;
	int *fd;
};
int fd_list_read(struct fd_list *out);
void fd_list_free(struct fd_list *l);
/* Finds those not in before that tell of packets: packet, XDP, and TUN. */
unsigned port_find_fds(const struct fd_list *before, int *out, unsigned max);

#endif
