/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: all that the worker knows: ports, queues, vNICs, and who is attached to
 * whom. Built whole from what europad has asked for, published with one pointer
 * store, never changed by control afterwards; the one before is freed when the
 * worker has passed a quiescent point. What the worker itself writes here (the
 * batches, debts) is empty at that point, or may be forgotten.
 *
 *	plan -- port[] -- rules --> number of a vNIC
 *	     \- vnic[] -- lane[queue] --> queue
 *	     \- router[] -- queue[] --> ledger
 */
#ifndef DATAPLANE_PLAN_H
#define DATAPLANE_PLAN_H

#include "dataplane/frame.h"
#include "dataplane/ledger.h"
#include "dataplane/police.h"
#include "dataplane/rules.h"

struct node;
struct port;
struct set_queue;

struct plan_queue {
	struct ledger *ledger;
	struct set_queue *home; /* of the set: bell, why it is down */
	struct plan_router *router;
	unsigned index;
};

struct plan_router {
	struct plan_queue *queue; /* [n_queues], the control queue is last */
	unsigned n_queues;
	uint8_t gate; /* enum wire_gate */
	/* by index; NULL: none, or removed in this epoch */
	struct plan_vnic *vnic[VNIC_MAX_VNICS];
	uint32_t serve;      /* tx rings to look at, a bit per vNIC */
	int32_t copies_left; /* (w) of this round; negative = a debt */
	int32_t floods_left; /* (w) of this round */
	int64_t cycles_left; /* (w) of this round; negative = a debt */
};

/* What waits for one queue of one vNIC, as numbers of the worker's frames. */
struct plan_lane {
	struct plan_vnic *vnic;
	struct plan_queue *queue;
	unsigned n;                /* (w) */
	uint8_t frame[VNIC_BURST]; /* (w) */
};

struct plan_vnic {
	struct plan_router *router;
	struct plan_lane *lane; /* [n_queues] */
	struct plan_port *port; /* NULL: not on a port that is up */
	struct plan_vnic *peer; /* NULL: no link, or not named by its end */
	uint32_t index;
	uint32_t max_bytes;    /* of a frame, without the tags of a trunk */
	uint32_t max_tx_bytes; /* the same, and as its port allows */
	uint32_t room;         /* bytes of a slot for a frame */
	uint8_t mac[8];        /* 6, and 2 zeros to be loaded at once */
	uint16_t vlan;         /* RULES_ANY_VLAN for a trunk */
	bool trunk;
	/* by enum police_way; NULL: no limit there */
	const struct police *police[POLICE_N_WAYS];
	uint32_t n_addresses;
	const struct wire_address *address;
};

struct plan_port {
	struct port *port;
	uint16_t id;
	uint32_t max_frame;
	uint32_t n_vnics;
	struct rules *rules;
};

struct plan {
	uint64_t generation;
	bool polls; /* a port cannot wake the worker */
	unsigned n_ports, n_routers, n_queues, n_vnics, n_lanes;
	struct plan_port *port;
	struct plan_router *router;
	struct plan_queue *queue;
	struct plan_vnic *vnic;
	struct plan_lane *lane;
	struct plan_lane **touched; /* (w) [n_lanes]: lanes with n > 0 */
	unsigned n_touched;         /* (w) */
	struct wire_address *address;
	struct police *police; /* [n_vnics * POLICE_N_WAYS] */
};

/* Builds what node's sets and ports ask for. Returns 0 or -ENOMEM. */
int plan_new(const struct node *n, struct plan **out);
void plan_free(struct plan *p); /* NULL is allowed */

#endif
