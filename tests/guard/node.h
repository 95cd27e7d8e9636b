/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: the host's data plane in the thread of a guard, which does the rounds
 * of all workers itself, one after another: the same ones in each run. The
 * guard plays europad (tests/bench/say.h). Under valgrind it is linked with
 * --wrap=mlock2.
 */
#ifndef TESTS_GUARD_NODE_H
#define TESTS_GUARD_NODE_H

#include "dataplane/worker_internal.h"
#include "tests/bench/say.h"

#include "dataplane/node.h"

struct rte_ring;

struct guard_node {
	struct node node;
	struct worker *worker[SPREAD_MAX_WORKERS];
};

void __attribute__((noreturn)) guard_die(const char *what);

/* Each of these ends the guard if it fails. */
void guard_start(struct guard_node *g, unsigned n_workers);
void guard_tell(struct guard_node *g, struct wire_msg m);
/*
 * Router uid, 16 times. The node takes the memory; returned are other descriptors
 * of the same.
 */
struct vnic_fds guard_add_set(struct guard_node *g, uint8_t uid,
    unsigned n_data, unsigned n_vnics, unsigned slots);
/* Begins an epoch on each queue; the routers poll their queues in between. */
void guard_begin(struct guard_node *g);
/* The router's side, in this process: opens its queues and polls them. */
void guard_attach(const struct vnic_fds *fds, struct vnic_queue **queue);
void guard_run(struct guard_node *g);

/* Opens port p<i> on net_ring<i>; what is put into the ring, it receives. */
struct rte_ring *guard_wire(struct guard_node *g, unsigned i);
/* Opens port p<i> with one tx queue; what it sends is gone, it receives nothing. */
void guard_single(struct guard_node *g, unsigned i);
/* Puts n frames of len bytes into it, from the mbufs of who polls the port. */
void guard_feed(struct guard_node *g, struct rte_ring *wire, unsigned i,
    const uint8_t *const *frame, unsigned n, unsigned len);

#endif
