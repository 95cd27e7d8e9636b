/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detour: packets of links that impair them (impair.h), on their way aside. A
 * link that does nothing has no detour, and its packets do not come here.
 *
 *	tx: router -> [detour] -> tx.c -> port, peer, segment
 *	rx: port, neighbour -> [detour] -> lane.c -> router
 *
 * A detour has a lane, as a queue of a vNIC has: that is how frames come to it,
 * from its own worker and from others. What it flushes into is host memory, and
 * the slots that the frames came in are free. Its own worker is the only one
 * that looks at what waits there: the order, and with it what is lost, is one.
 *
 * What is lost here is counted on the vNIC: of tx it is tx_drop, of rx it was
 * offered and is rx_drop. What is sent late is counted as sent when it is.
 */
#include "dataplane/worker_internal.h"
#include "lib/vnic_ring.h"

enum { TRIM_NS = 1000000 }; /* between pieces of memory that go back */

static struct vnic_counters *
counters(const struct plan_detour *d)
{
	return ledger_counters(d->lane.queue->ledger, d->lane.vnic->index);
}

void
detour_begin(struct worker *w, struct plan_detour *d, unsigned i)
{
	if (likely(d->lane.worker == w->index))
		lane_put(w, &d->lane, i, 0);
	else
		cross_hand(w, &d->lane, &w->frame[i]);
}

/* Returns why it does not wait, or VNIC_N_DROP. */
static enum vnic_drop
offer(struct worker *w, struct plan_detour *d, const struct frame *f)
{
	/* a router sends its tags, an access vNIC gets none */
	bool with_tag = d->way == WIRE_TX || d->lane.vnic->trunk;
	uint32_t len = with_tag ? frame_full_bytes(f) : frame_bare_bytes(f);
	uint8_t *to;

	if (unlikely(len > impair_frame_bytes(d->waiting)))
		return VNIC_DROP_OVERSIZE;
	switch (
	    impair_offer(d->waiting, &d->spec, w->now_ns, (uint16_t)len, &to)) {
	case IMPAIR_LOST:
		return VNIC_DROP_IMPAIR_LOSS;
	case IMPAIR_FULL:
		return VNIC_DROP_IMPAIR_QUEUE;
	case IMPAIR_KEPT:
	default:
		lane_copy(to, f, with_tag);
		return VNIC_N_DROP;
	}
}

void
detour_flush(struct worker *w, struct plan_lane *lane)
{
	struct plan_detour *d = lane->detour;
	struct vnic_counters *c = counters(d);

	for (unsigned i = 0; i < lane->n; i++) {
		enum vnic_drop why = offer(w, d, &w->frame[lane->frame[i]]);

		if (why == VNIC_N_DROP)
			continue;
		if (d->way == WIRE_TX) {
			vnic_count_add(&c->tx_drop[why], 1);
			continue;
		}
		vnic_count_add(&c->offered, 1);
		vnic_count_add(&c->rx_drop[why], 1);
	}
	w->due_ns = MIN(w->due_ns, impair_due(d->waiting));
}

/* --- the end of it ---------------------------------------------------------------- */

static void
send_late(struct worker *w, struct plan *p, struct plan_detour *d,
    const struct impair_frame *in, unsigned n)
{
	struct ledger_frame f[VNIC_BURST];
	uint64_t n_copies = 0;

	for (unsigned i = 0; i < n; i++) {
		f[i] = (struct ledger_frame){
			.bytes = in[i].bytes,
			.len = in[i].len,
			.vnic = (uint16_t)d->lane.vnic->index,
		};
		n_copies += in[i].is_copy;
	}
	vnic_count_add(&counters(d)->duplicated, n_copies);
	tx_send_late(w, p, d, f, n);
}

static void
deliver_late(struct worker *w, struct plan_detour *d,
    const struct impair_frame *in, unsigned n)
{
	struct plan_vnic *v = d->lane.vnic;

	w->spread = SPREAD_ANY;
	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &w->frame[i];
		struct plan_lane *lane;

		/* it was no runt when it came */
		(void)frame_parse(f, in[i].bytes, in[i].len, NULL, 0);
		lane = lane_of(w, v, f);
		if (likely(lane->worker == w->index))
			lane_add(w, lane, i);
		else
			cross_hand(w, lane, f);
	}
	lanes_flush(w);
}

/* A burst of each: a flood over one link does not keep others waiting. */
static unsigned
end_some(struct worker *w, struct plan *p, struct plan_detour *d)
{
	struct impair_frame f[VNIC_BURST];
	unsigned n = impair_take(d->waiting, w->now_ns, f, VNIC_BURST);

	if (n == 0)
		return 0;
	if (d->way == WIRE_TX)
		send_late(w, p, d, f, n);
	else
		deliver_late(w, d, f, n);
	impair_give_back(d->waiting, f, n);
	return n;
}

unsigned
detour_end(struct worker *w, struct plan *p)
{
	const struct plan_part *part = w->part;
	unsigned n = 0;

	/* one detour may lead to another */
	w->due_ns = IMPAIR_NEVER;
	for (unsigned i = 0; i < part->n_detours; i++) {
		struct plan_detour *d = part->detour[i];

		n += end_some(w, p, d);
		w->due_ns = MIN(w->due_ns, impair_due(d->waiting));
		if (unlikely(impair_trim(d->waiting, d->spec.queue_packets)))
			w->due_ns = MIN(w->due_ns, w->now_ns + TRIM_NS);
	}
	return n;
}
