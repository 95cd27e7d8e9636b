/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port: one DPDK device, from its devargs to a queue pair that a worker polls.
 *
 * A port that cannot be opened stays known, DOWN, with its reason in the log:
 * the node goes on. Each port has its own mbufs, so that none starves another.
 * The worker touches ports of its plan only; control closes a port after the
 * plan without it is in force.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include "dataplane/ports_file.h"

#include <stdatomic.h>

struct rte_mempool;

enum { PORT_MAX_FDS = 8 };

struct port {
	struct port *next; /* (c) */
	struct port_spec spec;
	enum wire_port_state state;   /* (c) */
	char device[PORT_NAME_BYTES]; /* DPDK's name of it */
	char driver[32];
	bool hotplugged; /* we made the device, we remove it */
	uint16_t id;     /* DPDK's number of it */
	uint8_t mac[6];
	uint32_t max_frame; /* bytes that an mbuf holds */
	struct rte_mempool *pool;
	/* the driver's own descriptors that become readable; borrowed */
	unsigned n_fds;
	int fds[PORT_MAX_FDS];
	_Atomic(uint64_t) count[WIRE_N_PORT_COUNTERS]; /* (w) */
};

/* Returns a port that is DOWN, or NULL without memory. Context: control. */
struct port *port_new(const struct port_spec *spec);

/*
 * Opens and starts it; state becomes UP. Returns 0 or negative errno, then a
 * sentence is in the log and the state is DOWN. Context: control.
 */
int port_open(struct port *p);
void port_close(struct port *p);
void port_free(struct port *p); /* closes; NULL is allowed */

/* Devices that must be there when EAL starts, or need more rights. */
bool port_is_pci(const struct port_spec *spec);
bool port_needs_start(const struct port_spec *spec);

/* Fills u.port_info of m. Context: control. */
void port_describe(const struct port *p, struct wire_msg *m);

static inline void
port_count(struct port *p, enum wire_port_counter c, uint64_t n)
{
	/* relaxed: one writer, readers want numbers */
	atomic_store_explicit(&p->count[c],
	    atomic_load_explicit(&p->count[c], memory_order_relaxed) + n,
	    memory_order_relaxed);
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
