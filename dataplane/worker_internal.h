/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_internal: what the steps of a round share: rx.c, tx.c, lane.c, cross.c,
 * home.c, sleep.c and worker.c, and nobody else.
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
	/* copies of broadcasts from all ports in one round */
	ROUND_RX_FLOODS = 512,
};

/* Which of a router's data queues get a frame. */
enum worker_spread {
	SPREAD_NEAR, /* this worker's: the flow came to it, and to no other */
	SPREAD_ANY,  /* all: the frame goes to the worker of its queue */
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
	int32_t floods_left;  /* from ports, in this round */
	unsigned n_muted;     /* queues out of epoll for kicking too much */
	enum worker_spread spread; /* of the burst at hand */
	struct plan_share *payer;  /* of the tx burst at hand */
	uint32_t unpublished; /* peers to whom something waits in our ring */
	uint32_t given;       /* peers that have got something: a bit each */
	bool tx_waits;        /* a port takes no more of what was handed over */
	uint32_t peer_seen[SPREAD_MAX_WORKERS]; /* asleep, as last rung for */
	struct frame frame[VNIC_BURST];
	struct rte_mbuf *mbuf[VNIC_BURST];
	uint8_t head[VNIC_BURST][FRAME_HEAD_COPY];
};

/* lane.c: frame i of w goes to this queue of v; flush after each burst. */
void lanes_flush(struct worker *w);
/* Frame i of w goes to v; the lane is chosen by what it carries. */
void lane_offer(
    struct worker *w, struct plan_vnic *v, const struct frame *f, unsigned i);
/* The same, the lane is chosen, and w's. */
void lane_add(struct worker *w, struct plan_lane *lane, unsigned i);
/* Not even offered to the rings: n packets for v, dropped because of why. */
void lane_refuse(
    struct worker *w, struct plan_vnic *v, enum vnic_drop why, unsigned n);
/* Exactly the bytes of a frame: what is behind them is another tenant's. */
void lane_copy(uint8_t *to, const struct frame *f, bool with_tag);

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

/* rx.c, tx.c: return how many packets they took */
unsigned rx_port(struct worker *w, struct plan *p, const struct plan_rx *rx);
unsigned tx_queue(struct worker *w, struct plan *p, struct plan_queue *q);

/*
 * home.c: to ports with one tx queue, through the worker at home there. Gives
 * it the first of n mbufs, as many as it has room for, and frees those.
 */
unsigned home_give(struct worker *w, const struct plan_port *port,
    struct rte_mbuf **m, unsigned n);
/* At home: sends what was given. */
unsigned home_send(struct worker *w, const struct plan_port *port);
bool home_has_work(const struct worker *w);

/* sleep.c: blocks until there may be work; returns at once if there is. */
void worker_sleep(struct worker *w, struct plan *p);

#endif
