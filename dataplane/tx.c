/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx: bursts that routers have sent, to the port, to a neighbour on the same
 * segment, over a link to another router's slots, or onto a detour there.
 *
 * The router may change its pool at any moment. So bytes are copied out once,
 * into an mbuf or (over a link) the header into private memory, and the copy is
 * judged; nothing in the pool is read again.
 */
#include "dataplane/copy.h"
#include "dataplane/port.h"
#include "dataplane/worker_internal.h"
#include "lib/stage.h"
#include "lib/vnic_ring.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_memcpy.h>

enum verdict { PASS = VNIC_N_DROP }; /* else an enum vnic_drop */

/* What one burst of one vNIC came to. */
struct outcome {
	uint64_t sent, sent_bytes;
	uint32_t drop[VNIC_N_DROP];
	bool any_drop;
};

static void
drop(struct outcome *o, unsigned why, uint32_t n)
{
	o->drop[why] += n;
	o->any_drop = true;
}

static void
count(struct plan_queue *q, unsigned vnic, const struct outcome *o)
{
	struct vnic_counters *c = ledger_counters(q->ledger, vnic);

	vnic_count_add(&c->sent, o->sent);
	vnic_count_add(&c->sent_bytes, o->sent_bytes);
	for (unsigned i = 0; o->any_drop && i < VNIC_N_DROP; i++)
		if (o->drop[i])
			vnic_count_add(&c->tx_drop[i], o->drop[i]);
}

/* What its vNIC may send at most, before the copy, by the descriptor. */
static inline uint32_t
most_bytes(const struct plan_vnic *v)
{
	return v->max_tx_bytes + (v->trunk ? 2 * FRAME_TAG : 0);
}

/* Not its own MAC: one of those that it may use? */
static __attribute__((noinline)) bool
may_send_as(const struct plan_vnic *v, uint64_t mac)
{
	for (uint32_t i = 0; v->macs && i < v->macs->n; i++)
		if (v->macs->mac[i] == mac)
			return true;
	return false;
}

/* f is private: the frame of vNIC v as it would go out. */
static inline unsigned
judge(const struct plan_vnic *v, const struct frame *f)
{
	uint64_t source, mine;

	memcpy(&source, f->macs + 4, sizeof(source));
	memcpy(&mine, v->mac, sizeof(mine));
	if (unlikely(source >> 16 != mine) && !may_send_as(v, source >> 16))
		return VNIC_DROP_SPOOFED;
	if (unlikely(v->trunk)) {
		if (frame_full_bytes(f) > v->max_tx_bytes + frame_tag_bytes(f))
			return VNIC_DROP_OVERSIZE;
		if (f->vlan == FRAME_NO_VLAN)
			return VNIC_DROP_SPOOFED;
	} else if (unlikely(f->vlan != v->vlan || f->tagged != (v->vlan > 0))) {
		/* an untagged vNIC that sends a tag wants another VLAN */
		return VNIC_DROP_SPOOFED;
	}
	return PASS;
}

/* --- to a port ---------------------------------------------------------------- */

/* What is the same for all frames of a burst. */
struct sender {
	const struct plan_vnic *v;
	uint64_t mac;       /* as in a frame, two bytes before it */
	uint32_t max_bytes; /* of a frame as the router gives it */
	bool untagged;      /* neither VLAN nor trunk */
	bool alone;         /* on its port */
	const struct rules *rules;
};

static struct sender
sender_of(const struct plan_vnic *v)
{
	struct sender s = {
		.v = v,
		.max_bytes = most_bytes(v),
		.untagged = v->vlan == 0,
		.alone = v->port->n_vnics <= 1,
		.rules = v->rules,
	};

	memcpy((uint8_t *)&s.mac + 2, v->mac, 6);
	return s;
}

/* Copies a frame out, with the tag of its vNIC's VLAN. Returns its bytes. */
static inline uint16_t
put_in_mbuf(
    struct rte_mbuf *m, const struct sender *s, const struct ledger_frame *f)
{
	uint8_t *p = (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;
	uint16_t len = f->len;

	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->ol_flags = 0;
	if (likely(s->untagged || s->v->trunk)) {
		copy_bytes(p, f->bytes, len);
	} else {
		copy_bytes(p + FRAME_TAG, f->bytes, len);
		memmove(p, p + FRAME_TAG, FRAME_MACS);
		store_be32(p + FRAME_MACS,
		    (uint32_t)FRAME_TYPE_VLAN << 16 | s->v->vlan);
		len = (uint16_t)(len + FRAME_TAG); /* fits: most_bytes() */
	}
	m->data_len = len;
	m->pkt_len = len;
	return len;
}

/*
 * To the others on the segment, however many; what that costs beyond the budget
 * comes off the next rounds. Returns false if there is nothing left of it.
 */
static bool
flood_neighbours(
    struct worker *w, struct plan *p, const struct plan_vnic *v, unsigned i)
{
	const struct frame *f = &w->frame[i];
	struct plan_share *r = w->payer;
	uint32_t n;
	const uint32_t *to = rules_all(v->rules, f->vlan, &n);

	if (n <= 1)
		return true; /* itself */
	if (r->floods_left <= 0)
		return false;
	r->floods_left -= (int32_t)n;
	r->copies_left -= (int32_t)n;
	for (uint32_t k = 0; k < n; k++)
		if (&p->vnic[to[k]] != v)
			lane_offer(w, &p->vnic[to[k]], f, i);
	return true;
}

/*
 * What nearly every frame of an untagged vNIC is: untagged, its own, and for
 * nobody who is here.
 */
static inline bool
goes_straight_out(const struct sender *s, const uint8_t *p)
{
	uint64_t source;

	memcpy(&source, p + 4, sizeof(source));
	if (!s->untagged || (source ^ s->mac) >> 16 != 0 ||
	    load_be16(p + FRAME_MACS) == FRAME_TYPE_VLAN)
		return false;
	return s->alone ||
	       (!(p[0] & 1) && rules_find(s->rules, 0, p) == RULES_NONE);
}

enum way { TO_PORT, TO_NEIGHBOUR, TO_NOWHERE };

/* As a switch would: a known neighbour is reached here, all else by the port. */
static inline enum way
choose_way(struct worker *w, struct plan *p, const struct plan_vnic *v,
    unsigned i, struct outcome *o)
{
	const struct frame *f = &w->frame[i];
	unsigned why = judge(v, f);
	uint32_t to;

	if (unlikely(why != PASS)) {
		drop(o, why, 1);
		return TO_NOWHERE;
	}
	if (v->port->n_vnics <= 1)
		return TO_PORT;
	if (unlikely(frame_is_group(f))) {
		if (flood_neighbours(w, p, v, i))
			return TO_PORT;
		drop(o, VNIC_DROP_BROADCAST, 1);
		return TO_NOWHERE;
	}
	to = rules_find(v->rules, f->vlan, f->macs);
	if (to == RULES_NONE || &p->vnic[to] == v)
		return TO_PORT;
	lane_offer(w, &p->vnic[to], f, i);
	return TO_NEIGHBOUR;
}

/* What of a burst leaves by a port. */
struct leaving {
	struct rte_mbuf *m[VNIC_BURST];
	unsigned n;
	uint64_t bytes;
};

static inline void
leave(struct leaving *l, struct rte_mbuf *m, uint16_t len)
{
	l->m[l->n++] = m;
	l->bytes += len;
}

static void
send_burst(struct worker *w, const struct plan_port *port, struct leaving *l,
    struct outcome *o)
{
	struct port_share *share = &port->port->share[w->index];
	unsigned sent = 0;

	if (unlikely(share->home))
		sent = home_give(w, port, l->m, l->n);
	else if (l->n > 0)
		sent = rte_eth_tx_burst(
		    port->id, share->tx_queue, l->m, (uint16_t)l->n);
	for (unsigned i = sent; unlikely(i < l->n); i++)
		l->bytes -= l->m[i]->pkt_len;
	if (unlikely(sent < l->n)) {
		rte_pktmbuf_free_bulk(l->m + sent, l->n - sent);
		drop(o, VNIC_DROP_PORT_TX_FULL, l->n - sent);
	}
	o->sent += sent;
	o->sent_bytes += l->bytes;
	if (unlikely(share->home))
		return; /* they are counted when they have been sent */
	port_count(share, WIRE_PORT_TX, sent);
	port_count(share, WIRE_PORT_TX_BYTES, l->bytes);
}

static void
to_port(struct worker *w, struct plan *p, struct plan_vnic *v,
    const struct ledger_frame *f, unsigned n, struct outcome *o)
{
	struct port_share *share = &v->port->port->share[w->index];
	const struct sender s = sender_of(v);
	struct rte_mbuf *rest[VNIC_BURST];
	struct leaving out;
	unsigned n_rest = 0;

	out.n = 0;
	out.bytes = 0;
	if (unlikely(
		rte_mempool_get_bulk(share->pool, (void **)w->mbuf, n) != 0)) {
		drop(o, VNIC_DROP_PORT_TX_FULL, n);
		return;
	}
	STAGE(TX_ALLOC, n);
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = w->mbuf[i];
		enum way way = TO_NOWHERE;
		uint16_t len;

		if (unlikely(f[i].len > s.max_bytes)) {
			drop(o, VNIC_DROP_OVERSIZE, 1);
			rest[n_rest++] = m;
			continue;
		}
		len = put_in_mbuf(m, &s, &f[i]);
		if (likely(goes_straight_out(
			&s, rte_pktmbuf_mtod(m, uint8_t *)))) {
			leave(&out, m, len);
			continue;
		}
		if (likely(frame_parse(&w->frame[i],
			rte_pktmbuf_mtod(m, uint8_t *), len, NULL, 0)))
			way = choose_way(w, p, v, i, o);
		else
			drop(o, VNIC_DROP_RUNT, 1);
		if (likely(way == TO_PORT)) {
			leave(&out, m, len);
			continue;
		}
		rest[n_rest++] = m;
		if (way == TO_NEIGHBOUR) {
			o->sent++;
			o->sent_bytes += len;
		}
	}
	STAGE(COPY_OUT, n);
	if (unlikely(w->part->n_touched > 0 || w->unpublished))
		lanes_flush(w); /* before the driver may free an mbuf */
	if (n_rest > 0)
		rte_pktmbuf_free_bulk(rest, n_rest);
	send_burst(w, v->port, &out, o);
	STAGE(TX_BURST, out.n);
}

/* --- over a link -------------------------------------------------------------- */

/*
 * To its one member, or to all others: false if there is nobody, or nothing left
 * of the budget; then o says so.
 */
static bool
to_segment(struct worker *w, struct plan *p, const struct plan_vnic *v,
    unsigned i, struct outcome *o)
{
	const struct frame *f = &w->frame[i];
	uint32_t to;

	if (frame_is_group(f)) {
		if (flood_neighbours(w, p, v, i))
			return true;
		drop(o, VNIC_DROP_BROADCAST, 1);
		return false;
	}
	to = rules_find(v->rules, f->vlan, f->macs);
	if (to == RULES_NONE || &p->vnic[to] == v) {
		drop(o, VNIC_DROP_NO_MATCH, 1);
		return false;
	}
	lane_offer(w, &p->vnic[to], f, i);
	return true;
}

/* Frame i goes on; false if it is not sent, or not yet. */
static inline bool
pass_on(struct worker *w, struct plan *p, const struct plan_vnic *v,
    enum plan_way way, unsigned i, struct outcome *o)
{
	if (likely(way == PLAN_TO_PEER)) {
		lane_offer(w, v->peer, &w->frame[i], i);
		return true;
	}
	if (way == PLAN_TO_SEGMENT)
		return to_segment(w, p, v, i, o);
	detour_begin(w, v->detour[WIRE_TX], i);
	return false;
}

/*
 * Pool to pool: the header is copied and judged, the rest is copied once. What
 * goes on a detour is judged at its end, as it leaves there.
 */
static void
to_others(struct worker *w, struct plan *p, const struct plan_vnic *v,
    enum plan_way way, const struct ledger_frame *f, unsigned n,
    struct outcome *o)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t head = MIN(f[i].len, (uint32_t)FRAME_HEAD_COPY);
		unsigned why = VNIC_DROP_RUNT;

		if (unlikely(f[i].len > most_bytes(v))) {
			drop(o, VNIC_DROP_OVERSIZE, 1);
			continue;
		}
		rte_memcpy(w->head[i], f[i].bytes, head);
		if (likely(frame_parse(&w->frame[i], w->head[i], head,
			f[i].bytes + head, f[i].len - head)))
			why = way == PLAN_TO_DETOUR ? (unsigned)PASS
						    : judge(v, &w->frame[i]);
		if (unlikely(why != PASS)) {
			drop(o, why, 1);
			continue;
		}
		if (pass_on(w, p, v, way, i, o)) {
			o->sent++;
			o->sent_bytes += f[i].len;
		}
	}
	lanes_flush(w);
}

static inline void
forward(struct worker *w, struct plan *p, struct plan_vnic *v,
    enum plan_way way, const struct ledger_frame *f, unsigned n,
    struct outcome *o)
{
	if (likely(way == PLAN_TO_PORT))
		to_port(w, p, v, f, n, o);
	else
		to_others(w, p, v, way, f, n, o);
}

/* --- a burst ------------------------------------------------------------------ */

/* Puts those that the quotas let pass first. Returns how many; o has the rest. */
static unsigned
police(struct worker *w, const struct plan_queue *q, struct ledger_frame *f,
    unsigned n, struct outcome *o)
{
	const struct plan_vnic *v = q->router->vnic[f->vnic];
	uint16_t lens[VNIC_BURST];
	const struct police_burst burst = {
		.now_ns = w->now_ns,
		.lens = lens,
		.n = n,
		.max = n,
		.urgent = q->index + 1 == q->router->n_queues,
	};
	struct police_verdict verdict;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		lens[i] = f[i].len;
	police_judge(v->police[POLICE_TX], &burst, &verdict);
	for (unsigned i = 0; kept < verdict.n_pass; i++) {
		struct ledger_frame passes = f[i];

		if (!(verdict.pass >> i & 1))
			continue;
		f[i] = f[kept];
		f[kept++] = passes;
	}
	for (unsigned k = 0; k < POLICE_N_KINDS; k++)
		if (verdict.n_drop[k] > 0)
			drop(o, VNIC_DROP_QUOTA_PPS + k, verdict.n_drop[k]);
	return kept;
}

void
tx_send(struct worker *w, struct plan *p, struct tx_burst *b)
{
	struct plan_queue *q = b->queue;
	struct plan_vnic *v = q->router->vnic[b->vnic];
	uint64_t begin = rte_rdtsc(), cycles;
	struct outcome o = { 0 };
	unsigned n = b->n;

	w->payer = q->share;
	w->spread = q == q->share->control ? SPREAD_ANY : SPREAD_NEAR;
	if (unlikely(!v))
		drop(&o, VNIC_DROP_VNIC_DOWN, n);
	else if (unlikely(q->router->gate != WIRE_GATE_OPEN))
		drop(&o, VNIC_DROP_PAUSED, n);
	else if (unlikely(v->way == PLAN_TO_NOTHING))
		drop(&o, VNIC_DROP_LINK_DOWN, n);
	else {
		if (unlikely(v->police[POLICE_TX]) && n > 0)
			n = police(w, q, b->frame, n, &o);
		forward(w, p, v, v->way, b->frame, n, &o);
	}
	w->payer = NULL;
	ledger_release(q->ledger, b->frame, b->n);
	count(q, b->vnic, &o);
	if (unlikely(w->spread == SPREAD_ANY))
		/* pairs with the acquire in control_lags() */
		atomic_store_explicit(&q->home->set->control_done.pos[b->vnic],
		    b->end, memory_order_release);
	cycles = rte_rdtsc() - begin;
	q->share->cycles_left -= (int64_t)cycles;
	w->send_cycles += cycles;
	STAGE(RELEASE, b->n);
}

void
tx_send_late(struct worker *w, struct plan *p, struct plan_detour *d,
    const struct ledger_frame *f, unsigned n)
{
	struct plan_queue *q = d->lane.queue;
	struct plan_vnic *v = d->lane.vnic;
	uint64_t begin = rte_rdtsc();
	struct outcome o = { 0 };

	w->payer = q->share;
	w->payer->lively_ns = w->now_ns; /* it pays by its next visits */
	w->spread = SPREAD_ANY;
	if (v->onward == PLAN_TO_NOTHING)
		drop(&o, VNIC_DROP_LINK_DOWN, n);
	else
		forward(w, p, v, v->onward, f, n, &o);
	w->payer = NULL;
	count(q, v->index, &o);
	q->share->cycles_left -= (int64_t)(rte_rdtsc() - begin);
}
