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

/* What a router has sent and is on a detour is its own loss. */
static void
refuse(struct worker *w, struct plan_lane *lane)
{
	struct plan_vnic *v = lane->vnic;

	if (likely(!lane->detour || lane->detour->way == WIRE_RX)) {
		lane_refuse(w, v, VNIC_DROP_WORKER_FULL, 1);
		return;
	}
	set_refuse(v->router->set, v->index, SET_LOST_WORKER_FULL, 1);
	w->given |= 1;
}

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
		/* from the wire: no router has slots for it */
		lane_refuse(w, lane->vnic, VNIC_DROP_OVERSIZE, 1);
		return;
	}
	if (!w->payer || handover_is_wide(h, r.len))
		to = handover_put(h, &r);
	if (unlikely(!to)) {
		refuse(w, lane);
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

static inline void
take_one(struct worker *w, struct plan_lane *lane, unsigned i)
{
	if (unlikely(lane->detour)) /* it is judged there */
		lane_put(w, lane, i, 0);
	else
		lane_add(w, lane, i);
}

static unsigned
take_burst(struct worker *w, struct handover *h)
{
	const struct handover_record *r;
	const uint8_t *p;
	unsigned n = 0;

	while (n < VNIC_BURST && (r = handover_take(h, &p))) {
		read_frame(&w->frame[n], r, p);
		take_one(w, r->to, n++);
	}
	if (n == 0)
		return 0;
	lanes_flush(w);
	handover_release(h);
	return n;
}

/*
 * We look at worker 0 last and take its frames first: it has the slow paths, and
 * what one has sent leaves before what another worker sent after that.
 */
unsigned
cross_take(struct worker *w)
{
	unsigned total = 0;

	for (unsigned i = w->n_workers; i-- > 0;)
		if (i != w->index)
			handover_look(w->from[i]);
	for (unsigned i = 0; i < w->n_workers; i++) {
		unsigned n = VNIC_BURST;

		if (i == w->index)
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
	for (unsigned i = 0; i < w->n_workers; i++)
		if (i != w->index && handover_has(w->from[i]))
			return true;
	return false;
}

/* --- what others refused ---------------------------------------------------------- */

static void
count_refused(const struct plan_router *r)
{
	static const struct {
		enum vnic_drop why;
		bool was_sent;
	} kind[SET_N_REFUSALS] = {
		[SET_REFUSED_BROADCAST] = { VNIC_DROP_BROADCAST, false },
		[SET_REFUSED_WORKER_FULL] = { VNIC_DROP_WORKER_FULL, false },
		[SET_REFUSED_OVERSIZE] = { VNIC_DROP_OVERSIZE, false },
		[SET_REFUSED_LINK_DOWN] = { VNIC_DROP_LINK_DOWN, false },
		[SET_LOST_WORKER_FULL] = { VNIC_DROP_WORKER_FULL, true },
		[SET_LOST_LINK_DOWN] = { VNIC_DROP_LINK_DOWN, true },
		[SET_LOST_IMPAIR_QUEUE] = { VNIC_DROP_IMPAIR_QUEUE, true },
		[SET_REFUSED_IMPAIR_QUEUE] = { VNIC_DROP_IMPAIR_QUEUE, false },
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
			struct vnic_counters *c = ledger_counters(l, v);

			if (n == 0)
				continue;
			if (kind[i].was_sent) {
				vnic_count_add(&c->tx_drop[kind[i].why], n);
				continue;
			}
			vnic_count_add(&c->offered, n);
			vnic_count_add(&c->rx_drop[kind[i].why], n);
		}
}

void
cross_count_refused(struct plan *p)
{
	for (unsigned i = 0; i < p->n_routers; i++)
		count_refused(&p->router[i]);
}
