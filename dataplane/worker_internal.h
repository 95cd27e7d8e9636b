/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_internal: what the steps of a round share: rx.c, tx.c, lane.c, sleep.c
 * and worker.c, and nobody else.
 */
#ifndef DATAPLANE_WORKER_INTERNAL_H
#define DATAPLANE_WORKER_INTERNAL_H

#include "dataplane/set.h"
#include "dataplane/worker.h"

#include <pthread.h>
#include <stdatomic.h>

#include <rte_memcpy.h>

struct rte_mbuf;

enum worker_budget {
	/* what a router may cost in one round; more is a debt */
	ROUND_COPIES = 512,
	ROUND_FLOODS = 128, /* copies of broadcasts among them */
	/* copies of broadcasts from all ports in one round */
	ROUND_RX_FLOODS = 512,
};

/* What was taken from one tx ring and is to be sent. */
struct tx_burst {
	struct plan_queue *queue;
	unsigned vnic;
	unsigned n;
	struct ledger_frame frame[VNIC_BURST];
};

struct worker {
	_Atomic(struct plan *) plan; /* (c) */
	_Atomic(uint64_t) seen;      /* (w) generation of the plan in use */
	_Atomic(uint64_t) rounds;    /* (w) */
	_Atomic(bool) stopping;      /* (c) */
	struct loop *control;
	pthread_t thread;
	bool started;
	int core;
	int epoll_fd;
	int wake_fd;

	/* (w) */
	uint64_t now_ns; /* of this round, CLOCK_MONOTONIC */
	uint64_t beat_ns;
	int64_t round_cycles; /* of one router in a round */
	int32_t floods_left;  /* from ports, in this round */
	unsigned n_muted;     /* queues out of epoll for kicking too much */
	uint64_t send_cycles; /* spent in sending, ever */
	struct tx_burst burst[2];
	struct tx_burst *taken; /* the one to be sent next, or NULL */
	struct frame frame[VNIC_BURST];
	struct rte_mbuf *mbuf[VNIC_BURST];
	uint8_t head[VNIC_BURST][FRAME_HEAD_COPY];
};

/*
 * Exactly len bytes. Most frames are short: two halves that overlap need no
 * branch per size.
 */
static inline void
copy_bytes(uint8_t *to, const uint8_t *from, size_t len)
{
	if (likely(len - 32 <= 32)) {
		uint8_t head[32], tail[32];

		memcpy(head, from, 32);
		memcpy(tail, from + len - 32, 32);
		memcpy(to, head, 32);
		memcpy(to + len - 32, tail, 32);
		return;
	}
	rte_memcpy(to, from, len);
}

/*
 * worker.c: takes from every router, polls every port, rings. *owes: somebody
 * is to be woken later. Returns how many packets moved.
 */
unsigned worker_round(struct worker *w, struct plan *p, bool *owes);

/* lane.c: frame i of w goes to this queue of v; flush after each burst. */
void lanes_flush(struct worker *w, struct plan *p);

/* Frame i of w, which f is, goes to v; what it carries chooses the lane. */
static inline void
lane_offer(
    struct plan *p, struct plan_vnic *v, const struct frame *f, unsigned i)
{
	unsigned n_data = v->router->n_queues - 1;
	struct plan_lane *lane;
	unsigned q = 0;

	if (unlikely(frame_is_control(f, v->address, v->n_addresses)))
		q = n_data;
	else if (unlikely(n_data > 1)) /* each has its share of 2^32 hashes */
		q = (unsigned)((uint64_t)frame_flow(f) * n_data >> 32);
	lane = &v->lane[q];
	if (lane->n == 0)
		p->touched[p->n_touched++] = lane;
	lane->frame[lane->n++] = (uint8_t)i; /* < VNIC_BURST */
}

/* Not even offered to the rings: n packets for v, dropped because of why. */
void lane_refuse(struct plan_vnic *v, enum vnic_drop why, unsigned n);

/* rx.c, tx.c: return how many packets they took */
unsigned rx_port(struct worker *w, struct plan *p, struct plan_port *port);
unsigned tx_queue(struct worker *w, struct plan *p, struct plan_queue *q);
/* Sends what tx_queue() has taken and not sent yet. */
void tx_finish(struct worker *w, struct plan *p);

/* sleep.c: blocks until there may be work; returns at once if there is. */
void worker_sleep(struct worker *w, struct plan *p);

#endif
