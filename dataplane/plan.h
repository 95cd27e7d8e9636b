/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: all that workers know: ports, queues, vNICs, and who is attached to
 * whom. Built whole from what europad has asked for, published with one pointer
 * store, never changed by control afterwards; the one before is freed when all
 * workers have passed a quiescent point and taken what they had handed over.
 * What workers themselves write here (the batches, debts) is empty at that
 * point, or may be forgotten.
 *
 *	plan -- port[] -- rules --> number of a vNIC
 *	     |- vnic[] -- lane[queue] --> queue
 *	     |- router[]
 *	     \- part[worker] -- share[] of routers -- queue[] --> ledger
 *			     \- rx[], tx[] of ports
 *
 * A part, its shares and queues, and each lane are written by one worker and
 * share no cache line with what another writes.
 */
#ifndef DATAPLANE_PLAN_H
#define DATAPLANE_PLAN_H

#include "dataplane/frame.h"
#include "dataplane/impair.h"
#include "dataplane/ledger.h"
#include "dataplane/match.h"
#include "dataplane/police.h"
#include "dataplane/rules.h"

#include <stdalign.h>

struct node;
struct port;
struct set;
struct set_queue;

struct plan_queue {
	struct ledger *ledger;
	struct set_queue *home; /* of the set: bell, why it is down */
	struct plan_share *share;
	const struct plan_router *router;
	unsigned index; /* in the router */
};

struct plan_router {
	struct set *set;
	unsigned n_queues; /* the control queue is last */
	uint8_t gate;      /* enum wire_gate */
	/* by index; NULL: none, or removed in this epoch */
	struct plan_vnic *vnic[VNIC_MAX_VNICS];
	uint32_t serve; /* tx rings to look at, a bit per vNIC */
};

/* What one worker does for one router. */
struct plan_share {
	const struct plan_router *router;
	struct plan_queue *queue; /* [n_queues]; control, if it has it, last */
	unsigned n_queues;
	bool is_asked_for; /* others want to know of our looks at control */
	bool looked;       /* (w) at all rings of control, of late */
	struct plan_queue *control; /* NULL: another worker has it */
	int32_t copies_left;        /* (w) of this round; negative = a debt */
	int32_t floods_left;        /* (w) the same */
	int64_t cycles_left;        /* (w) of this round; negative = a debt */
	/*
	 * (w) when it was new, or was last offered or sent anything, was owed a
	 * wake-up, or waited for worker 0
	 */
	uint64_t lively_ns;
	/* (w) control_done, all rings, when it last went first */
	uint64_t slow_sent;
};
static_assert(sizeof(struct plan_share) == VNIC_LINE, "many are looked at");

/* What waits for one queue of one vNIC, as numbers of the worker's frames. */
struct plan_lane {
	alignas(VNIC_LINE) struct plan_vnic *vnic;
	struct plan_queue *queue;
	struct plan_detour *detour; /* NULL: straight into the queue */
	uint8_t worker;             /* that serves the queue, and fills this */
	unsigned n;                 /* (w) */
	uint16_t len[VNIC_BURST]; /* (w) bytes of each, with the tag it keeps */
	uint16_t frame[VNIC_BURST]; /* (w) */
};
static_assert(sizeof(struct plan_lane) % VNIC_LINE == 0, "lines of its own");

/* One direction of a vNIC's link that impairs its packets. */
struct plan_detour {
	struct plan_lane lane; /* of the worker at home, and its queue's */
	struct wire_impair spec;
	struct impair *waiting; /* (w) the set's, it outlives the plan */
	enum wire_way way;
};

/* Where what a vNIC sends goes. */
enum plan_way {
	PLAN_TO_NOTHING, /* link_down */
	PLAN_TO_PORT,
	PLAN_TO_PEER,
	PLAN_TO_SEGMENT,
	PLAN_TO_DETOUR,
};

/* What else a vNIC may be; each as plan_vnic.mac is loaded at once. */
struct plan_macs {
	uint32_t n;
	uint64_t mac[WIRE_MAX_MACS];
};

struct plan_vnic {
	const struct plan_router *router;
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
	bool is_odd;          /* not one lane for all data, or a detour to it */
	enum plan_way way;    /* of what it sends */
	enum plan_way onward; /* behind a detour */
	const struct rules *rules; /* of its port or segment, or NULL */
	struct plan_detour *detour[WIRE_N_WAYS];
	/* by enum police_way; NULL: no limit there */
	const struct police *police[POLICE_N_WAYS];
	uint32_t n_addresses;
	const struct wire_address *address;
	struct plan_macs *macs; /* NULL: its own MAC alone */
};

struct plan_port {
	struct port *port;
	uint16_t id;
	uint32_t max_frame;
	uint32_t n_vnics;
	bool spreads; /* each worker gets flows of its own */
	struct rules *rules;
	struct match *match; /* NULL: its frames go by MAC alone */
};

enum { PLAN_HITS_LOG2 = 6, PLAN_HIT_ADDRESSES = 2 };

/*
 * A vNIC that frames of a port go to, all that are IPv4 data by one lane: long
 * enough, not too long, and to none of its own addresses.
 */
struct plan_hit {
	uint64_t key; /* rules_key(); 0 = none */
	struct plan_lane *lane;
	uint32_t most; /* bytes more than those of the headers */
	uint32_t own[PLAN_HIT_ADDRESSES]; /* as they are in a frame */
};

/* An rx queue of a port. */
struct plan_rx {
	alignas(VNIC_LINE) struct plan_port *port;
	uint16_t queue;
	struct plan_hit hit[1 << PLAN_HITS_LOG2]; /* (w) the last of a hash */
};

/* What one worker follows. */
struct plan_part {
	alignas(VNIC_LINE) unsigned n_shares, n_queues, n_rx, n_tx, n_lanes;
	bool polls; /* a port cannot wake the worker */
	struct plan_share *share;
	struct plan_share **more; /* (w) [n_shares]: to be served again */
	unsigned n_more;          /* (w) */
	struct plan_queue *queue;
	struct plan_rx *rx;
	struct plan_detour **detour; /* [n_detours] */
	unsigned n_detours;
	struct plan_port **tx; /* ports at home here, which others use, too */
	struct plan_lane **touched; /* (w) [n_lanes + n_detours + a burst] */
	unsigned n_touched;         /* (w) */
};

struct plan {
	uint64_t generation;
	unsigned n_workers;
	unsigned n_ports, n_routers, n_vnics, n_lanes, n_detours, n_segments;
	struct plan_port *port;
	struct plan_router *router;
	struct plan_vnic *vnic;
	struct plan_lane *lane;
	struct wire_address *address;
	struct plan_detour *detour;
	struct rules **segment; /* [n_segments] */
	struct police *police;  /* [n_vnics * POLICE_N_WAYS] */
	struct plan_macs *macs; /* of those that have any; NULL: none has */
	struct plan_part *part; /* [n_workers] */
};

/* plan_link.c: what of a plan is about links. Return 0 or -ENOMEM. */
void plan_count_detours(struct plan *p, const struct set *s, unsigned v);
int plan_add_segments(struct plan *p);
int plan_add_detours(struct plan *p);
int plan_add_matches(struct plan *p);
void plan_free_links(struct plan *p);

/*
 * plan_macs.c: which of the MACs that vNICs ask for they have. Returns 0 or
 * -ENOMEM. From then on v is so many members of a table of rules: its own MAC
 * and those.
 */
int plan_pick_macs(struct plan *p);
static inline uint32_t
plan_n_members(const struct plan_vnic *v)
{
	return 1 + (v->macs ? v->macs->n : 0);
}
/* Puts them; returns how many they are. */
uint32_t plan_put_members(
    const struct plan_vnic *v, uint32_t value, struct rules_member *m);

/* Builds what node's sets and ports ask for. Returns 0 or -ENOMEM. */
int plan_new(const struct node *n, struct plan **out);
void plan_free(struct plan *p); /* NULL is allowed */

#endif
