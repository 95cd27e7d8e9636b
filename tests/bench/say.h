/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say: what a benchmark or guard says to a data plane in europad's place: one
 * router, whose vNIC i is on port "p<i>". The message is whole but for what the
 * caller wants to be different; how it gets there is his.
 */
#ifndef TESTS_BENCH_SAY_H
#define TESTS_BENCH_SAY_H

#include "lib/vnic.h"
#include "lib/wire.h"
#include "tests/bench/bench.h"

#include <stdio.h>

static inline struct wire_msg
say_port(const char *name, const char *devargs)
{
	struct wire_msg m = { .type = WIRE_PORT_ADD };

	snprintf(m.u.port.name, sizeof(m.u.port.name), "%s", name);
	snprintf(m.u.port.devargs, sizeof(m.u.port.devargs), "%s", devargs);
	m.u.port.mtu = 1500;
	return m;
}

static inline struct wire_msg
say_vnic(unsigned i)
{
	struct wire_msg m = { .type = WIRE_VNIC_SET };
	struct wire_vnic *v = &m.u.vnic;

	memset(v->uid, 1, WIRE_UID_BYTES);
	v->index = i;
	v->mtu = 1500;
	v->attach = WIRE_ATTACH_PORT;
	snprintf(v->name, sizeof(v->name), "eth%u", i);
	snprintf(v->port, sizeof(v->port), "p%u", i);
	bench_mac(BENCH_ETH0, v->mac);
	v->mac[5] = (uint8_t)i; /* as BENCH_ETH0 and BENCH_ETH1 have it */
	v->n_addresses = 1;
	v->address[0].family = 4;
	store_be32(v->address[0].bytes, BENCH_OWN0 + (i << 8));
	return m;
}

/* Borrows the descriptors. */
static inline struct wire_msg
say_set(const struct vnic_geometry *g, const struct vnic_fds *fds)
{
	struct wire_msg m = { .type = WIRE_SET_ADD };

	memset(m.u.set.uid, 1, WIRE_UID_BYTES);
	memset(m.u.set.set, 1, WIRE_UID_BYTES);
	strcpy(m.u.set.name, "bench");
	m.u.set.g = *g;
	m.u.set.slots = g->max_slots;
	m.n_fds = 3 + g->n_queues;
	m.fds[0] = fds->host;
	m.fds[1] = fds->router;
	m.fds[2] = fds->pool;
	memcpy(m.fds + 3, fds->bell, g->n_queues * sizeof(int));
	return m;
}

#endif
