/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set: the memory of one router, mapped here, with the ledgers of its queues
 * and its vNICs as europad described them. Owned by the control thread; the
 * worker sees queues through the plan only.
 *
 * The descriptors are kept: europad may have lost its own.
 */
#ifndef DATAPLANE_SET_H
#define DATAPLANE_SET_H

#include "dataplane/impair.h"
#include "dataplane/ledger.h"
#include "dataplane/police.h"
#include "lib/loop.h"
#include "lib/wire.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

struct set;

/*
 * A tx ring whose data waits: it may be younger than what lies in the control queue,
 * which worker 0 has.
 */
struct set_wait {
	unsigned n; /* so many; 0 = it does not wait */
	uint64_t look,
	    round; /* of worker 0: then they go, whatever lies there */
};

struct set_queue {
	alignas(VNIC_LINE) struct set *set;
	struct ledger *ledger;
	unsigned index;
	int bell; /* eventfd of the router; never read or written */
	/* (c) why packets are dropped while no epoch runs: enum vnic_drop */
	_Atomic(uint8_t) down_reason;

	/* (c) */
	struct loop_source *bell_source; /* listens while WAITING */
	unsigned n_bells;                /* heard in this epoch's WAITING */
	uint32_t dead;                   /* vNICs removed in this epoch */
	bool said_no_ack;
	uint64_t hot_until_ms; /* look often: something is about to happen */
	uint32_t beat;         /* as last seen */
	uint64_t back;         /* as last seen */
	uint64_t still_ms;     /* since when nothing has moved, 0 = moves */
	bool said_stalled;

	/* (w) */
	alignas(VNIC_LINE) uint32_t kicks; /* in this second, without work */
	bool muted; /* out of the worker's epoll: it kicks too much */
	uint64_t second_ns;
	/* (w in RUN, else c) by tx ring */
	struct set_wait wait[VNIC_MAX_VNICS];
};

/* Places in set.tank: the router's by enum police_way, then each vNIC's. */
enum set_tanks {
	SET_TANKS_OF_ROUTER = POLICE_N_WAYS,
	SET_N_TANKS = (int)POLICE_N_WAYS * (1 + (int)VNIC_MAX_VNICS),
};

/*
 * How far worker 0 has sent what came by the control queue, per tx ring: other
 * workers look whether something still lies there that is to go first.
 */
struct set_control_done {
	alignas(VNIC_LINE) _Atomic(uint64_t) pos[VNIC_MAX_VNICS];
	/* how often it has looked at all of them, and sent what it took */
	alignas(VNIC_LINE) _Atomic(uint64_t) looks;
};

/*
 * Packets that were refused by somebody who writes no counters of the router: a
 * worker that serves no queue of it, since it has fewer than there are workers,
 * or control, which takes a link away. Anybody adds, worker 0 takes them into
 * the counters of the control queue. Rare: no lines are kept apart for it.
 */
enum set_refusal {
	SET_REFUSED_BROADCAST,
	SET_REFUSED_WORKER_FULL,
	SET_REFUSED_OVERSIZE,
	SET_REFUSED_LINK_DOWN,
	SET_LOST_WORKER_FULL, /* the router had sent it */
	SET_LOST_LINK_DOWN,
	SET_LOST_IMPAIR_QUEUE,
	SET_REFUSED_IMPAIR_QUEUE,
	SET_N_REFUSALS,
};
struct set_refused {
	_Atomic(bool) any;
	_Atomic(uint64_t) n[VNIC_MAX_VNICS][SET_N_REFUSALS];
};

struct set_vnic {
	bool up;
	struct wire_vnic v;
	/* by enum wire_way; NULL: its link does nothing */
	struct wire_impair impair[WIRE_N_WAYS];
	struct wire_match match; /* what else of its port it gets */
	struct wire_macs macs;   /* what else it may be */
	struct impair *waiting[WIRE_N_WAYS];
};

struct set {
	struct set *next;
	struct wire_set info;
	struct ledger_maps maps;
	struct vnic_fds fds;
	int sigbus_slot[3];
	bool broken; /* its memory had a hole: no epoch begins any more */
	unsigned n_queues;
	struct set_queue queue[VNIC_MAX_QUEUES];
	struct set_vnic vnic[VNIC_MAX_VNICS];
	struct police_tank *tank; /* [SET_N_TANKS], (w): what limits let pass */
	struct set_control_done control_done;
	struct set_refused refused;
};

/*
 * Checks and maps what came with a SET_ADD; takes m's descriptors. On failure
 * why names the cause. Returns 0 or negative errno. Context: control.
 */
int set_new(struct wire_msg *m, struct set **out, const char **why);

/* No worker may see it any more. says_gone: the router shall ask for another. */
void set_free(struct set *s, bool says_gone);

/* The number of usable slots of queue q when europad grants s of them. */
uint32_t set_slots_of(const struct set *s, unsigned q, uint32_t slots);

/* --- the vNIC table (P4) ------------------------------------------------------ */

/*
 * Adds or changes a vNIC. Returns 0; -EBUSY if an UP entry would change, or
 * the index was used in an epoch that still runs. Context: control.
 */
int set_vnic_put(struct set *s, const struct wire_vnic *v);

/* n packets of vNIC v are no more; worker 0 will count them. Any thread. */
void set_refuse(struct set *s, unsigned v, enum set_refusal i, uint64_t n);

/* Takes it DOWN; 0 also if it was not there. */
void set_vnic_drop(struct set *s, uint32_t index);

/* What each new epoch forgets. */
void set_queue_forget(struct set_queue *q);

#endif
