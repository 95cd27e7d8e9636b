/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cross: frames that one worker has and another's queue shall get: those of a
 * port with one rx queue, and what a router sends to another's own addresses.
 *
 * The giver has classified the frame and names its lane; the taker fills it and
 * counts. The lane may be of a plan that has just been replaced: control keeps
 * that until the ring is past it. A frame that finds the ring full is a drop of
 * its vNIC, worker_full. For what routers send the ring is full when it is half
 * full: one that floods its neighbours shall not keep from everybody what comes
 * by a port.
 */
#include "dataplane/worker_internal.h"
#include "lib/vnic_ring.h"

enum { MAX_BURSTS = 16 }; /* from one giver in a round */

/* --- give ----------------------------------------------------------------------- */

void
cross_hand(struct worker *w, struct plan_lane *lane, const struct frame *f)
{
	struct handover_record r = {
		.to = lane,
		.len = (uint16_t)frame_bare_bytes(f), /* < 2^16, or oversize */
		.tci = f->tci,
		.tagged = f->tagged,
	};
	struct handover *h = w->to[lane->worker];
	uint8_t *to = NULL;

	if (unlikely(frame_bare_bytes(f) > HANDOVER_MAX_FRAME)) {
		lane_refuse(w, lane->vnic, VNIC_DROP_OVERSIZE, 1);
		return;
	}
	if (!w->payer || handover_is_wide(h, r.len))
		to = handover_put(h, &r);
	if (unlikely(!to)) {
		lane_refuse(w, lane->vnic, VNIC_DROP_WORKER_FULL, 1);
		return;
	}
	lane_copy(to, f, false);
	w->unpublished |= UINT32_C(1) << lane->worker;
}

void
cross_publish(struct worker *w)
{
	while (w->unpublished) {
		unsigned i = (unsigned)__builtin_ctz(w->unpublished);

		w->unpublished &= w->unpublished - 1;
		handover_publish(w->to[i]);
		w->given |= UINT32_C(1) << i;
	}
}

void
cross_ring(struct worker *w)
{
	while (w->given) {
		unsigned i = (unsigned)__builtin_ctz(w->given);

		w->given &= w->given - 1;
		/* seq_cst, after the store of head: see worker_sleep() */
		if (vnic_peer_sleeps(&w->peer[i]->asleep, &w->peer_seen[i]))
			worker_wake(w->peer[i]);
	}
}

/* --- take ----------------------------------------------------------------------- */

/* The bytes are private to us: their giver does not touch them again. */
static void
read_frame(struct frame *f, const struct handover_record *r, const uint8_t *p)
{
	*f = (struct frame){
		.macs = p,
		.head = p + FRAME_MACS,
		.head_bytes = (uint16_t)(r->len - FRAME_MACS),
		.tci = r->tci,
		.vlan = r->tagged ? r->tci & FRAME_VLAN_MASK : 0,
		.tagged = r->tagged,
		.in_line = true,
	};
}

static unsigned
take_burst(struct worker *w, struct handover *h)
{
	const struct handover_record *r;
	const uint8_t *p;
	unsigned n = 0;

	while (n < VNIC_BURST && (r = handover_take(h, &p))) {
		read_frame(&w->frame[n], r, p);
		lane_add(w, r->to, n++);
	}
	if (n == 0)
		return 0;
	lanes_flush(w);
	handover_release(h);
	return n;
}

unsigned
cross_take(struct worker *w)
{
	unsigned total = 0;

	for (unsigned i = 0; i < SPREAD_MAX_WORKERS; i++) {
		unsigned n = VNIC_BURST;

		if (!w->from[i])
			continue;
		for (unsigned k = 0; n == VNIC_BURST && k < MAX_BURSTS; k++) {
			n = take_burst(w, w->from[i]);
			total += n;
		}
	}
	return total;
}

bool
cross_has_work(const struct worker *w)
{
	for (unsigned i = 0; i < SPREAD_MAX_WORKERS; i++)
		if (w->from[i] && handover_has(w->from[i]))
			return true;
	return false;
}

/* --- what others refused ---------------------------------------------------------- */

static void
count_refused(const struct plan_router *r)
{
	static const enum vnic_drop why[SET_N_REFUSALS] = {
		[SET_REFUSED_BROADCAST] = VNIC_DROP_BROADCAST,
		[SET_REFUSED_WORKER_FULL] = VNIC_DROP_WORKER_FULL,
		[SET_REFUSED_OVERSIZE] = VNIC_DROP_OVERSIZE,
	};
	struct ledger *l = r->set->queue[r->n_queues - 1].ledger;
	struct set_refused *from = &r->set->refused;

	/* seq_cst: see refuse_far() in lane.c */
	if (likely(!atomic_load_explicit(&from->any, memory_order_seq_cst)) ||
	    !atomic_exchange_explicit(&from->any, false, memory_order_seq_cst))
		return;
	for (unsigned v = 0; v < r->set->maps.l.g.max_vnics; v++)
		for (unsigned i = 0; i < SET_N_REFUSALS; i++) {
			/* relaxed: any has said that it is there */
			uint64_t n = atomic_exchange_explicit(
			    &from->n[v][i], 0, memory_order_relaxed);

			if (n == 0)
				continue;
			vnic_count_add(&ledger_counters(l, v)->offered, n);
			vnic_count_add(
			    &ledger_counters(l, v)->rx_drop[why[i]], n);
		}
}

void
cross_count_refused(struct plan *p)
{
	for (unsigned i = 0; i < p->n_routers; i++)
		count_refused(&p->router[i]);
}
