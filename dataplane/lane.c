/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane: frames on their way into a router's slots, as one batch per vNIC and
 * queue. Whatever comes in by a port, from a neighbour on the same segment or
 * over a link goes this way, so a vNIC sees one order and one account:
 *
 *	offered = filled + sum of rx_drop
 */
#include "dataplane/worker_internal.h"
#include "lib/vnic_ring.h"

#include <rte_memcpy.h>

static void
drop(struct vnic_counters *c, enum vnic_drop why, uint64_t n)
{
	vnic_count_add(&c->rx_drop[why], n);
}

static inline void
copy_frame(uint8_t *to, const struct frame *f, bool with_tag)
{
	with_tag &= f->tagged;
	if (likely(f->in_line && !with_tag)) {
		rte_memcpy(to, f->macs, FRAME_MACS + (size_t)f->head_bytes);
		to += FRAME_MACS + f->head_bytes;
	} else {
		rte_memcpy(to, f->macs, FRAME_MACS);
		to += FRAME_MACS;
		if (with_tag) {
			store_be32(
			    to, (uint32_t)FRAME_TYPE_VLAN << 16 | f->tci);
			to += FRAME_TAG;
		}
		rte_memcpy(to, f->head, f->head_bytes);
		to += f->head_bytes;
	}
	if (f->tail_bytes > 0)
		rte_memcpy(to, f->tail, f->tail_bytes);
}

void
lane_copy(uint8_t *to, const struct frame *f, bool with_tag)
{
	copy_frame(to, f, with_tag);
}

static inline bool
fits(const struct plan_vnic *v, const struct frame *f, uint32_t bytes)
{
	if (likely(bytes <= v->max_bytes))
		return bytes <= v->room;
	return v->trunk && bytes <= v->max_bytes + frame_tag_bytes(f) &&
	       bytes <= v->room;
}

/* Leaves those that fit in the lane, with their lengths; the others count. */
static unsigned
measure(struct worker *w, struct plan_lane *lane, uint16_t *lens,
    struct vnic_counters *c)
{
	const struct plan_vnic *v = lane->vnic;
	unsigned kept = 0;

	for (unsigned i = 0; i < lane->n; i++) {
		const struct frame *f = &w->frame[lane->frame[i]];
		uint32_t bytes =
		    v->trunk ? frame_full_bytes(f) : frame_bare_bytes(f);

		if (unlikely(!fits(v, f, bytes)))
			continue;
		lane->frame[kept] = lane->frame[i];
		lens[kept++] = (uint16_t)bytes; /* <= room < 2^16 */
	}
	if (unlikely(kept < lane->n))
		drop(c, VNIC_DROP_OVERSIZE, lane->n - kept);
	return kept;
}

/* Why this queue takes nothing at present; VNIC_N_DROP if it does. */
static enum vnic_drop
closed_because(const struct plan_queue *q)
{
	if (unlikely(q->router->gate == WIRE_GATE_PAUSED))
		return VNIC_DROP_PAUSED;
	if (unlikely(q->router->gate != WIRE_GATE_OPEN))
		return VNIC_DROP_NOT_RUNNING;
	if (unlikely(ledger_phase(q->ledger) != LEDGER_RUN))
		/* relaxed: a reason for a counter */
		return (enum vnic_drop)atomic_load_explicit(
		    &q->home->down_reason, memory_order_relaxed);
	return VNIC_N_DROP;
}

static void
flush(struct worker *w, struct plan_lane *lane)
{
	struct ledger *l = lane->queue->ledger;
	const struct plan_vnic *v = lane->vnic;
	struct vnic_counters *c = ledger_counters(l, v->index);
	enum vnic_drop closed = closed_because(lane->queue);
	uint32_t slots[VNIC_BURST];
	uint16_t lens[VNIC_BURST];
	unsigned n, room;

	vnic_count_add(&c->offered, lane->n);
	if (unlikely(closed != VNIC_N_DROP)) {
		drop(c, closed, lane->n);
		return;
	}
	n = measure(w, lane, lens, c);
	room = ledger_room(l);
	if (unlikely(n > room)) {
		drop(c, VNIC_DROP_NO_SLOT, n - room);
		n = room;
	}
	ledger_claim(l, v->index, slots, n);
	for (unsigned i = 0; i < n; i++)
		copy_frame(ledger_buffer(l, slots[i]),
		    &w->frame[lane->frame[i]], v->trunk);
	ledger_publish(l, v->index, slots, lens, n);
}

void
lanes_flush(struct worker *w)
{
	struct plan_part *part = w->part;

	for (unsigned i = 0; i < part->n_touched; i++) {
		flush(w, part->touched[i]);
		part->touched[i]->n = 0;
	}
	part->n_touched = 0;
	if (unlikely(w->unpublished))
		cross_publish(w);
}

void
lane_add(struct worker *w, struct plan_lane *lane, unsigned i)
{
	if (lane->n == 0)
		w->part->touched[w->part->n_touched++] = lane;
	lane->frame[lane->n++] = (uint8_t)i; /* < VNIC_BURST */
}

static struct plan_lane *
choose_lane(
    const struct worker *w, const struct plan_vnic *v, const struct frame *f)
{
	unsigned n_data = v->router->n_queues - 1;

	if (frame_is_control(f, v->address, v->n_addresses))
		return &v->lane[n_data];
	if (n_data == 1)
		return &v->lane[0];
	if (w->spread == SPREAD_ANY)
		return &v->lane[spread_any(frame_flow(f), n_data)];
	return &v->lane[spread_near(
	    frame_flow(f), n_data, w->index, w->n_workers)];
}

void
lane_offer(
    struct worker *w, struct plan_vnic *v, const struct frame *f, unsigned i)
{
	struct plan_lane *lane = choose_lane(w, v, f);

	if (likely(lane->worker == w->index))
		lane_add(w, lane, i);
	else
		cross_hand(w, lane, f);
}

/* By a worker that serves no queue of the router: worker 0 will count it. */
static void
refuse_far(
    struct worker *w, struct plan_vnic *v, enum vnic_drop why, unsigned n)
{
	struct set_refused *to = &v->router->set->refused;
	enum set_refusal i = SET_REFUSED_OVERSIZE;

	if (why == VNIC_DROP_BROADCAST)
		i = SET_REFUSED_BROADCAST;
	else if (why == VNIC_DROP_WORKER_FULL)
		i = SET_REFUSED_WORKER_FULL;
	/* relaxed: published by any */
	atomic_fetch_add_explicit(&to->n[v->index][i], n, memory_order_relaxed);
	/* seq_cst: said, then looked whether worker 0 sleeps, which does it the
	 * other way round */
	atomic_store_explicit(&to->any, true, memory_order_seq_cst);
	w->given |= 1;
}

void
lane_refuse(
    struct worker *w, struct plan_vnic *v, enum vnic_drop why, unsigned n)
{
	struct vnic_counters *c;

	if (unlikely(w->index >= v->router->n_queues - 1)) {
		refuse_far(w, v, why, n);
		return;
	}
	/* data queue w is worker w's */
	c = ledger_counters(v->lane[w->index].queue->ledger, v->index);
	vnic_count_add(&c->offered, n);
	drop(c, why, n);
}
