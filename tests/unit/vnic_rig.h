/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_rig: one set of shared memory with both sides in one process, for tests.
 *
 * The host side is the real ledger, the router side the real library; time is a
 * number that the test moves. rig_check() asserts the invariants that hold at
 * any moment, and each test ends with it.
 */
#ifndef TESTS_VNIC_RIG_H
#define TESTS_VNIC_RIG_H

#include "dataplane/ledger.h"
#include "lib/vnic.h"
#include "lib/vnic_ring.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
/* cmocka wants the four above */
#include <cmocka.h>

struct rig {
	struct vnic_fds fds;
	struct ledger_maps maps; /* the host's view */
	void *router_rw;         /* the tenant's view, for its misdeeds */
	struct ledger *l;        /* queue 0 */
	struct vnic *v;
	struct vnic_queue *q; /* queue 0 */
	uint64_t now_ns;
};

/* A set of 2 queues; n_slots of them in use. */
void rig_open(struct rig *r, uint32_t max_slots, uint32_t ring_log2,
    uint32_t max_vnics, uint32_t n_slots);
void rig_close(struct rig *r);

/* The router process ends without a word, and another one comes. */
void rig_router_restart(struct rig *r);
/* The data plane ends without a word, and another one comes. */
void rig_host_restart(struct rig *r, uint32_t n_slots);

/* From STOPPED or WAITING to RUN, on both sides; time moves as it must. */
void rig_run(struct rig *r);

/* Fills one packet of len bytes of value fill for vNIC v. Returns its slot. */
uint32_t rig_fill(struct rig *r, unsigned v, uint16_t len, uint8_t fill);

/* Takes from ring v all that is there, counts packets as sent. Returns them. */
unsigned rig_take(struct rig *r, unsigned v, struct ledger_frame *out);

/* A tenant's store into its own tx ring v, position pos: d with the turn. */
void rig_store(struct rig *r, unsigned v, uint64_t pos, uint64_t d);

uint64_t rig_faults(const struct rig *r, unsigned v, enum vnic_fault f);

/* V8, the balance of the queue, and slots = free + filled + granted. */
void rig_check(const struct rig *r);

#endif
