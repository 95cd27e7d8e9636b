/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_internal: what the steps of a round share: rx.c, tx.c, tx_queue.c, lane.c,
 * detour.c, cross.c, home.c, sleep.c and worker.c; beside them tests/guard alone.
 */
#ifndef DATAPLANE_WORKER_INTERNAL_H
#define DATAPLANE_WORKER_INTERNAL_H

#include "dataplane/set.h"
#include "dataplane/worker.h"

#include <pthread.h>
#include <stdatomic.h>

struct rte_mbuf;

enum worker_budget {
	/* what a router may cost in one round; more is a debt */
	ROUND_COPIES = 512,
	ROUND_FLOODS = 128, /* copies of broadcasts among them */
	DEBT_ROUNDS = 100,  /* of a core, that a router pays off at most */
	/* copies of broadcasts from all ports in one round */
	ROUND_RX_FLOODS = 512,
	/* of a port, sorted before any is copied; its mbufs fit their cache */
	MAX_ROUND_BURSTS = 12,
	GATHER = MAX_ROUND_BURSTS * VNIC_BURST,
};

/* Which of a router's data queues get a frame. */
enum worker_spread {
	SPREAD_NEAR, /* this worker's: the flow came to it, and to no other */
	SPREAD_ANY,  /* all: the frame goes to the worker of its queue */
};

/* What was taken from one tx ring and is to be sent. */
struct tx_burst {
	struct plan_queue *queue;
	unsigned vnic;
	unsigned n;
	uint64_t end; /* position of the ring behind it */
	struct ledger_frame frame[VNIC_BURST];
};

struct worker {
	/* (w), read by others */
	alignas(VNIC_LINE) _Atomic(uint64_t) seen; /* generation in use */
	_Atomic(uint64_t) rounds;
	alignas(VNIC_LINE) _Atomic(uint32_t) asleep; /* odd: wake me */

	/* (c) */
	alignas(VNIC_LINE) _Atomic(struct plan *) plan;
	_Atomic(bool) stopping;
	struct loop *control;
	pthread_t thread;
	bool started;
	int core;
	int epoll_fd;
	int wake_fd;
	unsigned index, n_workers;
	struct worker *peer[SPREAD_MAX_WORKERS]; /* NULL: itself, and none */
	struct handover *to[SPREAD_MAX_WORKERS];
	struct handover *from[SPREAD_MAX_WORKERS];

	/* (w) */
	alignas(VNIC_LINE) uint64_t now_ns; /* of this round, CLOCK_MONOTONIC */
	struct plan_part *part;             /* of the plan in use */
	uint64_t beat_ns;
	int64_t round_cycles; /* of one router in a round */
	int32_t floods_left;  /* from ports, in this round; negative = a debt */
	unsigned round_bursts; /* of a port, at most of a ring, in a round */
	unsigned n_lively;     /* routers visited in this round, not quiet */
	unsigned n_moved;      /* packets, in the round before */
	unsigned first_due, n_due; /* shares that are visited in any case */
	uint64_t due_parts;        /* what is left towards one more */
	unsigned n_muted; /* queues out of epoll for kicking too much */
	enum worker_spread spread; /* of the burst at hand */
	struct plan_share *payer;  /* of the tx burst at hand; NULL: none is */
	uint32_t unpublished; /* peers to whom something waits in our ring */
	uint32_t given;       /* peers that have got something: a bit each */
	bool tx_waits;        /* a port takes no more of what was handed over */
	uint32_t peer_seen[SPREAD_MAX_WORKERS]; /* asleep, as last rung for */
	uint64_t send_cycles;                   /* spent in sending, ever */
	uint64_t due_ns;        /* when something is that waits on a detour */
	struct tx_burst *taken; /* the one to be sent next, or NULL */
	struct tx_burst burst[2];
	struct frame frame[GATHER];
	struct rte_mbuf *mbuf[GATHER];
	uint8_t head[VNIC_BURST][FRAME_HEAD_COPY];
};

/*
 * worker.c: takes from every router, polls every port, rings. *owes: somebody
 * is to be woken later. Returns how many packets moved.
 */
unsigned worker_round(struct worker *w, struct plan *p, bool *owes);

/* lane.c: frames on their way to vNICs; flush after each burst or gather. */
void lanes_flush(struct worker *w);
/* The lane is full and others are not; it stays among those touched. */
void lane_flush(struct worker *w, struct plan_lane *lane);
/* By which lane f goes to v: its detour, or the next. */
struct plan_lane *lane_choose(
    const struct worker *w, const struct plan_vnic *v, const struct frame *f);
/* That of the queue of v which gets f, by what it carries. */
struct plan_lane *lane_of(
    const struct worker *w, const struct plan_vnic *v, const struct frame *f);
/* f does not fit into the slots of its vNIC, or is longer than it may be. */
void lane_refuse_long(struct plan_lane *lane);
/* Not even offered to the rings: n packets for v, dropped because of why. */
void lane_refuse(
    struct worker *w, struct plan_vnic *v, enum vnic_drop why, unsigned n);
/* Exactly the bytes of a frame: what is behind them is another tenant's. */
void lane_copy(uint8_t *to, const struct frame *f, bool with_tag);

static inline bool
lane_fits(const struct plan_vnic *v, const struct frame *f, uint32_t bytes)
{
	if (likely(bytes <= v->max_bytes))
		return bytes <= v->room;
	return v->trunk && bytes <= v->max_bytes + frame_tag_bytes(f) &&
	       bytes <= v->room;
}

/* Frame i of w, of as many bytes, goes by lane, which is one of w's. */
static inline void
lane_put(struct worker *w, struct plan_lane *lane, unsigned i, uint32_t bytes)
{
	if (unlikely(lane->n == VNIC_BURST))
		lane_flush(w, lane);
	else if (lane->n == 0)
		w->part->touched[w->part->n_touched++] = lane;
	lane->len[lane->n] = (uint16_t)bytes; /* <= room < 2^16 */
	lane->frame[lane->n++] = (uint16_t)i; /* < GATHER */
}

/* The same, if it is not too long. */
static inline void
lane_add(struct worker *w, struct plan_lane *lane, unsigned i)
{
	const struct frame *f = &w->frame[i];
	const struct plan_vnic *v = lane->vnic;
	uint32_t bytes = frame_bare_bytes(f);

	if (unlikely(v->trunk))
		bytes = frame_full_bytes(f);
	if (unlikely(!lane_fits(v, f, bytes))) {
		lane_refuse_long(lane);
		return;
	}
	lane_put(w, lane, i, bytes);
}

/* cross.c: between workers; return how many packets they moved */
void cross_hand(
    struct worker *w, struct plan_lane *lane, const struct frame *f);
void cross_publish(struct worker *w);
unsigned cross_take(struct worker *w);
/* Refused elsewhere, by workers without a queue of the router. Worker 0. */
void cross_count_refused(struct plan *p);
/* Wakes those who have got something and sleep. */
void cross_ring(struct worker *w);
bool cross_has_work(const struct worker *w);

/* Frame i of w, which f is, goes to v. */
static inline void
lane_offer(
    struct worker *w, struct plan_vnic *v, const struct frame *f, unsigned i)
{
	struct plan_lane *lane = &v->lane[0];

	if (unlikely(
		v->is_odd || frame_is_control(f, v->address, v->n_addresses)))
		lane = lane_choose(w, v, f);
	if (likely(lane->worker == w->index))
		lane_add(w, lane, i);
	else
		cross_hand(w, lane, f);
}

/*
 * detour.c: packets of links that impair them. Frame i of w, as its router sent
 * it, begins its way; those of a lane wait or are lost; those that are due go on.
 */
void detour_begin(struct worker *w, struct plan_detour *d, unsigned i);
void detour_flush(struct worker *w, struct plan_lane *lane);
unsigned detour_end(struct worker *w, struct plan *p);

/* rx.c, tx.c: return how many packets they took */
unsigned rx_port(struct worker *w, struct plan *p, struct plan_rx *rx);
unsigned tx_queue(struct worker *w, struct plan *p, struct plan_queue *q);
/* Before a visit; what was taken at the last one has been sent. */
void tx_begin_look(struct plan_share *r);
/* Sends what tx_queue() has taken and not sent yet. */
void tx_finish(struct worker *w, struct plan *p);
/* tx.c: a burst that was taken, and one whose detour ends. */
void tx_send(struct worker *w, struct plan *p, struct tx_burst *b);
void tx_send_late(struct worker *w, struct plan *p, struct plan_detour *d,
    const struct ledger_frame *f, unsigned n);

/*
 * home.c: to ports with one tx queue, through the worker at home there. Gives
 * it the first of n mbufs, as many as it has room for, and frees those.
 */
unsigned home_give(struct worker *w, const struct plan_port *port,
    struct rte_mbuf **m, unsigned n);
/* At home: sends what was given, by all ports. Returns how many packets. */
unsigned home_send(struct worker *w);
bool home_has_work(const struct worker *w);

/* sleep.c: blocks until there may be work; returns at once if there is. */
void worker_sleep(struct worker *w, struct plan *p);

#endif
