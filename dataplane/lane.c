/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane: frames on their way into a router's slots, as one batch per vNIC and
 * queue. Whatever comes in by a port, from a neighbour on the same segment or
 * over a link goes this way, so a vNIC sees one order and one account:
 *
 *	offered = filled + sum of rx_drop
 */
#include "dataplane/copy.h"
#include "dataplane/worker_internal.h"
#include "lib/stage.h"
#include "lib/vnic_ring.h"

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

void
lane_copy(uint8_t *to, const struct frame *f, bool with_tag)
{
	copy_frame(to, f, with_tag);
}

/* Leaves those that the quotas let pass and that find a slot. */
static unsigned
police(struct worker *w, struct plan_lane *lane, struct vnic_counters *c)
{
	const struct plan_queue *q = lane->queue;
	const struct police_burst burst = {
		.now_ns = w->now_ns,
		.lens = lane->len,
		.n = lane->n,
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
		lane->len[kept++] = lane->len[i];
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

/* What of a lane has slots, whose lines are on their way to our cache. */
struct fill {
	struct plan_lane *lane;
	unsigned n;
	uint32_t slots[VNIC_BURST];
	uint8_t *buffers[VNIC_BURST];
};

static void
begin_fill(struct worker *w, struct plan_lane *lane, struct fill *f)
{
	struct ledger *l = lane->queue->ledger;
	const struct plan_vnic *v = lane->vnic;
	struct vnic_counters *c = ledger_counters(l, v->index);
	enum vnic_drop closed = closed_because(lane->queue);
	unsigned n = lane->n;
	unsigned room;

	f->lane = lane;
	f->n = 0;
	vnic_count_add(&c->offered, lane->n);
	if (unlikely(closed != VNIC_N_DROP)) {
		drop(c, closed, lane->n);
		return;
	}
	if (unlikely(v->police[POLICE_RX]))
		n = police(w, lane, c);
	room = ledger_room(l);
	if (unlikely(n > room)) {
		drop(c, VNIC_DROP_NO_SLOT, n - room);
		n = room;
	}
	f->n = n;
	ledger_claim(l, v->index, f->slots, n);
	ledger_buffers(l, f->slots, f->buffers, n);
	STAGE(CLAIM, n);
}

static void
end_fill(const struct worker *w, const struct fill *f)
{
	struct plan_lane *lane = f->lane;
	const struct plan_vnic *v = lane->vnic;

	for (unsigned i = 0; i < f->n; i++)
		copy_frame(f->buffers[i], &w->frame[lane->frame[i]], v->trunk);
	STAGE(COPY_IN, f->n);
	ledger_publish(
	    lane->queue->ledger, v->index, f->slots, lane->len, f->n);
	lane->queue->share->lively_ns = w->now_ns;
	STAGE(PUBLISH, f->n);
	lane->n = 0;
}

void
lane_flush(struct worker *w, struct plan_lane *lane)
{
	struct fill f;

	if (unlikely(lane->detour)) {
		detour_flush(w, lane);
		lane->n = 0;
		return;
	}
	begin_fill(w, lane, &f);
	end_fill(w, &f);
}

/* Slots of the next lane come while those of this one are written. */
void
lanes_flush(struct worker *w)
{
	struct plan_part *part = w->part;
	struct fill fill[2], *last = NULL, *next = fill;

	for (unsigned i = 0; i < part->n_touched; i++) {
		struct plan_lane *lane = part->touched[i];

		if (unlikely(lane->detour)) {
			lane_flush(w, lane);
			continue;
		}
		begin_fill(w, lane, next);
		if (last)
			end_fill(w, last);
		last = next;
		next = &fill[next == fill];
	}
	if (likely(last != NULL))
		end_fill(w, last);
	part->n_touched = 0;
	if (unlikely(w->unpublished))
		cross_publish(w);
}

struct plan_lane *
lane_choose(
    const struct worker *w, const struct plan_vnic *v, const struct frame *f)
{
	if (unlikely(v->detour[WIRE_RX]))
		return &v->detour[WIRE_RX]->lane;
	return lane_of(w, v, f);
}

struct plan_lane *
lane_of(
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
lane_refuse_long(struct plan_lane *lane)
{
	struct vnic_counters *c =
	    ledger_counters(lane->queue->ledger, lane->vnic->index);

	vnic_count_add(&c->offered, 1);
	drop(c, VNIC_DROP_OVERSIZE, 1);
}

/* By a worker that serves no queue of the router: worker 0 will count it. */
static void
refuse_far(
    struct worker *w, struct plan_vnic *v, enum vnic_drop why, unsigned n)
{
	enum set_refusal i = SET_REFUSED_OVERSIZE;

	if (why == VNIC_DROP_BROADCAST)
		i = SET_REFUSED_BROADCAST;
	else if (why == VNIC_DROP_WORKER_FULL)
		i = SET_REFUSED_WORKER_FULL;
	set_refuse(v->router->set, v->index, i, n);
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
