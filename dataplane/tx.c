/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx: from a router's tx rings to the port, to a neighbour on the same segment,
 * or over a link to another router's slots.
 *
 * The router may change its pool at any moment. So bytes are copied out once,
 * into an mbuf or (over a link) the header into private memory, and the copy is
 * judged; nothing in the pool is read again. A router that gives much work pays
 * with its next turns.
 */
#include "dataplane/port.h"
#include "dataplane/worker_internal.h"
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

/* Is it as long as its vNIC may send? Before the copy, by the descriptor. */
static inline bool
may_be_copied(const struct plan_vnic *v, uint32_t len)
{
	return len <= v->max_tx_bytes + (v->trunk ? 2 * FRAME_TAG : 0);
}

/* f is private: the frame of vNIC v as it would go out. */
static inline unsigned
judge(const struct plan_vnic *v, const struct frame *f)
{
	uint64_t source, mine;

	memcpy(&source, f->macs + 4, sizeof(source));
	memcpy(&mine, v->mac, sizeof(mine));
	if (unlikely(source >> 16 != mine))
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

/* Copies a frame out, with the tag of its vNIC's VLAN. Returns its bytes. */
static inline uint16_t
put_in_mbuf(
    struct rte_mbuf *m, const struct plan_vnic *v, const struct ledger_frame *f)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t len = f->len;

	if (likely(v->vlan == 0 || v->trunk)) {
		rte_memcpy(p, f->bytes, len);
	} else {
		rte_memcpy(p + FRAME_TAG, f->bytes, len);
		memmove(p, p + FRAME_TAG, FRAME_MACS);
		store_be32(
		    p + FRAME_MACS, (uint32_t)FRAME_TYPE_VLAN << 16 | v->vlan);
		len = (uint16_t)(len + FRAME_TAG); /* fits: may_be_copied() */
	}
	m->data_len = len;
	m->pkt_len = len;
	return len;
}

/* To the others on the segment. Returns false if that would cost too much. */
static bool
flood_neighbours(
    struct worker *w, struct plan *p, const struct plan_vnic *v, unsigned i)
{
	const struct frame *f = &w->frame[i];
	struct plan_router *r = v->router;
	uint32_t n;
	const uint32_t *to = rules_all(v->port->rules, f->vlan, &n);

	if (n <= 1)
		return true; /* itself */
	if (r->floods_left < (int32_t)n)
		return false;
	r->floods_left -= (int32_t)n;
	r->copies_left -= (int32_t)n;
	for (uint32_t k = 0; k < n; k++)
		if (&p->vnic[to[k]] != v)
			lane_offer(p, &p->vnic[to[k]], f, i);
	return true;
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
	to = rules_find(v->port->rules, f->vlan, f->macs);
	if (to == RULES_NONE || &p->vnic[to] == v)
		return TO_PORT;
	lane_offer(p, &p->vnic[to], f, i);
	return TO_NEIGHBOUR;
}

static void
send_burst(struct plan_port *port, struct rte_mbuf **m, unsigned n,
    uint64_t bytes, struct outcome *o)
{
	unsigned sent = n ? rte_eth_tx_burst(port->id, 0, m, (uint16_t)n) : 0;

	for (unsigned i = sent; unlikely(i < n); i++)
		bytes -= m[i]->pkt_len;
	if (unlikely(sent < n)) {
		rte_pktmbuf_free_bulk(m + sent, n - sent);
		drop(o, VNIC_DROP_PORT_TX_FULL, n - sent);
	}
	o->sent += sent;
	o->sent_bytes += bytes;
	port_count(port->port, WIRE_PORT_TX, sent);
	port_count(port->port, WIRE_PORT_TX_BYTES, bytes);
}

static void
to_port(struct worker *w, struct plan *p, struct plan_vnic *v,
    const struct ledger_frame *f, unsigned n, struct outcome *o)
{
	struct rte_mbuf *out[VNIC_BURST], *rest[VNIC_BURST];
	unsigned n_out = 0, n_rest = 0;
	uint64_t bytes = 0;

	if (unlikely(
		rte_pktmbuf_alloc_bulk(v->port->port->pool, w->mbuf, n) != 0)) {
		drop(o, VNIC_DROP_PORT_TX_FULL, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = w->mbuf[i];
		enum way way = TO_NOWHERE;
		uint16_t len;

		if (unlikely(!may_be_copied(v, f[i].len))) {
			drop(o, VNIC_DROP_OVERSIZE, 1);
			rest[n_rest++] = m;
			continue;
		}
		len = put_in_mbuf(m, v, &f[i]);
		if (likely(frame_parse(&w->frame[i],
			rte_pktmbuf_mtod(m, uint8_t *), len, NULL, 0)))
			way = choose_way(w, p, v, i, o);
		else
			drop(o, VNIC_DROP_RUNT, 1);
		if (likely(way == TO_PORT)) {
			out[n_out++] = m;
			bytes += len;
			continue;
		}
		rest[n_rest++] = m;
		if (way == TO_NEIGHBOUR) {
			o->sent++;
			o->sent_bytes += len;
		}
	}
	if (p->n_touched > 0)
		lanes_flush(w, p); /* before the driver may free an mbuf */
	if (n_rest > 0)
		rte_pktmbuf_free_bulk(rest, n_rest);
	send_burst(v->port, out, n_out, bytes, o);
}

/* --- over a link -------------------------------------------------------------- */

/* Pool to pool: the header is copied and judged, the rest is copied once. */
static void
to_peer(struct worker *w, struct plan *p, struct plan_vnic *v,
    const struct ledger_frame *f, unsigned n, struct outcome *o)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t head = MIN(f[i].len, (uint32_t)FRAME_HEAD_COPY);
		unsigned why = VNIC_DROP_RUNT;

		if (unlikely(!may_be_copied(v, f[i].len))) {
			drop(o, VNIC_DROP_OVERSIZE, 1);
			continue;
		}
		rte_memcpy(w->head[i], f[i].bytes, head);
		if (likely(frame_parse(&w->frame[i], w->head[i], head,
			f[i].bytes + head, f[i].len - head)))
			why = judge(v, &w->frame[i]);
		if (unlikely(why != PASS)) {
			drop(o, why, 1);
			continue;
		}
		lane_offer(p, v->peer, &w->frame[i], i);
		o->sent++;
		o->sent_bytes += f[i].len;
	}
	lanes_flush(w, p);
}

/* --- the queue ---------------------------------------------------------------- */

/*
 * A router's slow path sends the first packets of a flow and then tells its
 * fast path how to go on. So what has been taken from a data queue goes after
 * what lies in the control queue now, or it would overtake.
 */
static unsigned
control_goes_first(struct worker *w, struct plan *p, const struct plan_queue *q)
{
	struct plan_router *r = q->router;
	struct plan_queue *control = &r->queue[r->n_queues - 1];

	if (q == control || ledger_phase(control->ledger) != LEDGER_RUN ||
	    likely(!ledger_has_tx(control->ledger, r->serve)))
		return 0;
	return tx_queue(w, p, control);
}

static unsigned
tx_ring(struct worker *w, struct plan *p, struct plan_queue *q, unsigned index)
{
	struct plan_vnic *v = q->router->vnic[index];
	struct ledger_frame f[VNIC_BURST];
	struct outcome o = { 0 };
	unsigned n_taken, n_control;
	unsigned n = ledger_take(q->ledger, index, f, VNIC_BURST, &n_taken);

	if (n_taken == 0)
		return 0;
	n_control = control_goes_first(w, p, q);
	q->router->copies_left -= (int32_t)n_taken;
	if (unlikely(!v))
		drop(&o, VNIC_DROP_VNIC_DOWN, n);
	else if (unlikely(q->router->gate != WIRE_GATE_OPEN))
		drop(&o, VNIC_DROP_PAUSED, n);
	else if (v->port)
		to_port(w, p, v, f, n, &o);
	else if (v->peer)
		to_peer(w, p, v, f, n, &o);
	else
		drop(&o, VNIC_DROP_LINK_DOWN, n);
	ledger_release(q->ledger, f, n);
	count(q, index, &o);
	return n_taken + n_control;
}

unsigned
tx_queue(struct worker *w, struct plan *p, struct plan_queue *q)
{
	struct plan_router *r = q->router;
	uint32_t left = r->serve;
	uint64_t begin = rte_rdtsc();
	unsigned n = 0;

	while (left && r->copies_left > 0 && r->cycles_left > 0) {
		unsigned index = (unsigned)__builtin_ctz(left);

		left &= left - 1;
		n += tx_ring(w, p, q, index);
	}
	if (n > 0) {
		r->cycles_left -= (int64_t)(rte_rdtsc() - begin);
		q->home->kicks = 0; /* there was a reason */
	}
	return n;
}
