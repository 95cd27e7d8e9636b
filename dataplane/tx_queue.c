/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx_queue: what routers want to send, taken from their tx rings in bursts, in an
 * order that lets the slow path's go first; tx.c sends them.
 *
 * A burst is taken, then others have their turn while its bytes come from the
 * router's core, then it is sent: tx_finish() sends the last of a round. A router
 * that gives much work pays with its next turns.
 */
#include "dataplane/worker_internal.h"
#include "lib/stage.h"
#include "lib/vnic_ring.h"

#include <rte_cycles.h>

enum {
	WAIT_ROUNDS = 2 * DEBT_ROUNDS
}; /* a debt is paid, and some looks are over */

void
tx_finish(struct worker *w, struct plan *p)
{
	struct tx_burst *b = w->taken;

	w->taken = NULL;
	if (b)
		tx_send(w, p, b);
}

/* At most max. Returns how many descriptors b now has. */
static unsigned
take(struct plan_queue *q, unsigned vnic, unsigned max, struct tx_burst *b)
{
	unsigned n_taken;

	b->queue = q;
	b->vnic = vnic;
	b->n = ledger_take(q->ledger, vnic, b->frame, max, &n_taken);
	b->end = ledger_tx_pos(q->ledger, vnic);
	q->share->copies_left -= (int32_t)n_taken;
	STAGE(TAKE, b->n);
	return n_taken;
}

/*
 * A router's slow path sends the first packets of a flow and then tells its
 * fast path how to go on. So what has been taken from a data queue goes after
 * what lies in the control queue now, or it would overtake.
 */
static unsigned
control_goes_first(struct worker *w, struct plan *p, const struct plan_queue *q)
{
	struct plan_queue *control = q->share->control;
	struct tx_burst b;
	unsigned n = 0;

	if (q == control || !control ||
	    ledger_phase(control->ledger) != LEDGER_RUN ||
	    likely(!ledger_has_tx(control->ledger, q->router->serve)))
		return 0;
	tx_finish(w, p);
	for (uint32_t left = q->router->serve; left; left &= left - 1) {
		n += take(
		    control, (unsigned)__builtin_ctz(left), VNIC_BURST, &b);
		tx_send(w, p, &b);
	}
	return n;
}

/* Worker 0 has the control queue: lies there what it has not sent yet? */
static bool
control_lags(const struct plan_router *r)
{
	struct set *s = r->set;
	const struct ledger *l = s->queue[r->n_queues - 1].ledger;

	if (ledger_phase(l) != LEDGER_RUN)
		return false;
	for (uint32_t left = r->serve; left; left &= left - 1) {
		unsigned v = (unsigned)__builtin_ctz(left);

		/* pairs with the release in tx_send(): it has been sent */
		if (ledger_lies_at(l, v,
			atomic_load_explicit(
			    &s->control_done.pos[v], memory_order_acquire)))
			return true;
	}
	return false;
}

static uint64_t
control_looks(const struct plan_router *r)
{
	/* pairs with the release in tx_begin_look(): what was sent is sent */
	return atomic_load_explicit(
	    &r->set->control_done.looks, memory_order_acquire);
}

void
tx_begin_look(struct plan_share *r)
{
	_Atomic(uint64_t) *looks = &r->router->set->control_done.looks;
	uint64_t n = atomic_load_explicit(looks, memory_order_relaxed);

	if (!r->looked)
		return;
	r->looked = false;
	atomic_store_explicit(looks, n + 1, memory_order_release);
}

/* A flood of the control queue has no end, and looks may not end in it either. */
static bool
has_waited(const struct worker *w, const struct plan_queue *q, unsigned index)
{
	const struct set_wait *wait = &q->home->wait[index];

	return control_looks(q->router) >= wait->look ||
	       worker_rounds(w->peer[0]) >= wait->round;
}

/*
 * The same order where the control queue is another worker's: data stays where
 * it is until that worker has sent what lies there, or has begun and ended a look,
 * which takes a burst of each ring, or many rounds, as after a debt. Returns how many of the ring may be
 * taken at most; each of them was there before we looked at the control queue.
 */
static unsigned
may_take(struct worker *w, const struct plan_queue *q, unsigned index)
{
	struct set_wait *wait = &q->home->wait[index];
	unsigned n = wait->n;

	if (q->share->control)
		return VNIC_BURST;
	if (likely(n == 0)) {
		n = ledger_ready(q->ledger, index);
		if (n == 0 || likely(!control_lags(q->router)))
			return n;
		wait->n = n;
		/* one was under way; of one the begin may be seen late */
		wait->look = control_looks(q->router) + 3;
		wait->round = worker_rounds(w->peer[0]) + WAIT_ROUNDS;
	} else if (!control_lags(q->router) || has_waited(w, q, index)) {
		wait->n = 0;
		return n;
	}
	w->given |= 1; /* worker 0 may sleep */
	q->share->lively_ns = w->now_ns;
	return 0;
}

/*
 * What its slow path has sent since we were here, by another worker's hands, may
 * wait for ours, on the way to a port or a neighbour. What that moves is no router's
 * charge, as at the begin of a round: it is of all. A look in vain is.
 */
static void
slow_goes_first(struct worker *w, struct plan_share *r)
{
	const struct set_control_done *done = &r->router->set->control_done;
	uint64_t sent = 0, begin;
	unsigned n;

	for (uint32_t left = r->router->serve; left; left &= left - 1)
		/* pairs with the release in tx_send(): it has been handed over */
		sent += atomic_load_explicit(
		    &done->pos[__builtin_ctz(left)], memory_order_acquire);
	if (likely(sent == r->slow_sent))
		return;
	r->slow_sent = sent;
	begin = rte_rdtsc();
	n = cross_take(w);
	n += home_send(w);
	if (n > 0)
		w->send_cycles += rte_rdtsc() - begin;
}

/*
 * Takes a burst, whose bytes are then on their way to our cache, and sends the
 * one before, whose bytes have arrived.
 */
static unsigned
tx_ring(struct worker *w, struct plan *p, struct plan_queue *q, unsigned vnic)
{
	struct tx_burst *b = &w->burst[w->taken == &w->burst[0]];
	unsigned max = may_take(w, q, vnic);
	unsigned n;

	if (!q->share->control && max > 0)
		slow_goes_first(w, q->share);
	n = take(q, vnic, max, b);
	if (n == 0)
		return 0;
	n += control_goes_first(w, p, q);
	tx_finish(w, p);
	w->taken = b;
	return n;
}

unsigned
tx_queue(struct worker *w, struct plan *p, struct plan_queue *q)
{
	struct plan_share *r = q->share;
	uint32_t left = q->router->serve;
	uint64_t begin = rte_rdtsc() - w->send_cycles;
	unsigned n = 0;

	while (left && r->copies_left > 0 && r->cycles_left > 0) {
		n += tx_ring(w, p, q, (unsigned)__builtin_ctz(left));
		left &= left - 1;
	}
	if (q == r->control && left == 0)
		r->looked = true;
	if (n > 0 || !r->control) /* looks at worker 0's lines cost, too */
		/* what was sent has been charged to who sent it */
		r->cycles_left -=
		    (int64_t)(rte_rdtsc() - w->send_cycles - begin);
	if (n > 0)
		q->home->kicks = 0; /* there was a reason */
	return n;
}
