/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane: frames on their way into a router's slots, as one batch per vNIC and
 * queue. Whatever comes in by a port, from a neighbour on the same segment or
 * over a link goes this way, so a vNIC sees one order and one account:
 *
 *	offered = filled + sum of rx_drop
 */
#include "dataplane/worker_internal.h"
#include "lib/stage.h"
#include "lib/vnic_ring.h"

#include <rte_memcpy.h>

static void
drop(struct vnic_counters *c, enum vnic_drop why, uint64_t n)
{
	vnic_count_add(&c->rx_drop[why], n);
}

/* Exactly the bytes of the frame: what is behind them is another tenant's. */
static inline void
copy_frame(uint8_t *to, const struct frame *f, bool with_tag)
{
	with_tag &= f->tagged;
	if (likely(f->in_line && !with_tag)) {
		copy_bytes(to, f->macs, FRAME_MACS + (size_t)f->head_bytes);
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

/* Leaves those that the quotas let pass and that find a slot. */
static unsigned
police(struct worker *w, struct plan_lane *lane, uint16_t *lens, unsigned n,
    struct vnic_counters *c)
{
	const struct plan_queue *q = lane->queue;
	const struct police_burst burst = {
		.now_ns = w->now_ns,
		.lens = lens,
		.n = n,
		.max = ledger_room(q->ledger),
		.urgent = q->index + 1 == q->router->n_queues,
	};
	struct police_verdict v;
	unsigned kept = 0;

	police_judge(lane->vnic->police[POLICE_RX], &burst, &v);
	for (unsigned i = 0; kept < v.n_pass; i++) {
		if (!(v.pass >> i & 1))
			continue;
		lane->frame[kept] = lane->frame[i];
		lens[kept++] = lens[i];
	}
	drop(c, VNIC_DROP_QUOTA_PPS, v.n_drop[POLICE_PPS]);
	drop(c, VNIC_DROP_QUOTA_BPS, v.n_drop[POLICE_BPS]);
	drop(c, VNIC_DROP_NO_SLOT, v.n_rest);
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
	uint8_t *buffers[VNIC_BURST];
	unsigned n, room;

	vnic_count_add(&c->offered, lane->n);
	if (unlikely(closed != VNIC_N_DROP)) {
		drop(c, closed, lane->n);
		return;
	}
	n = measure(w, lane, lens, c);
	if (unlikely(v->police[POLICE_RX]))
		n = police(w, lane, lens, n, c);
	room = ledger_room(l);
	if (unlikely(n > room)) {
		drop(c, VNIC_DROP_NO_SLOT, n - room);
		n = room;
	}
	ledger_claim(l, v->index, slots, n);
	STAGE(CLAIM, n);
	ledger_buffers(l, slots, buffers, n);
	for (unsigned i = 0; i < n; i++)
		copy_frame(buffers[i], &w->frame[lane->frame[i]], v->trunk);
	STAGE(COPY_IN, n);
	ledger_publish(l, v->index, slots, lens, n);
	STAGE(PUBLISH, n);
}

void
lanes_flush(struct worker *w, struct plan *p)
{
	for (unsigned i = 0; i < p->n_touched; i++) {
		flush(w, p->touched[i]);
		p->touched[i]->n = 0;
	}
	p->n_touched = 0;
}

void
lane_refuse(struct plan_vnic *v, enum vnic_drop why, unsigned n)
{
	struct vnic_counters *c =
	    ledger_counters(v->lane[0].queue->ledger, v->index);

	vnic_count_add(&c->offered, n);
	drop(c, why, n);
}
