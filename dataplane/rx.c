/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rx: bursts from a port, each frame to its vNIC or to all of its segment.
 * [Europa paper, section 3.4] The mbufs are private memory: what is judged here
 * is what is copied.
 *
 * Where there are many routers a burst has a frame or two for each. So several
 * bursts are sorted before they are copied, router by router: what a router
 * costs whatever it gets, its ring's line above all, is paid once for all.
 */
#include "dataplane/port.h"
#include "dataplane/worker_internal.h"
#include "lib/stage.h"

#include <rte_ethdev.h>

/* An untagged frame of less has no whole header of IPv4. */
enum { PLAIN_BYTES = FRAME_HEADER + FRAME_IP4_BYTES };

/* All of the frame is in its bytes, in one piece. */
static inline bool
is_whole(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) == 0 &&
	       m->nb_segs == 1;
}

static_assert(offsetof(struct rte_mbuf, nb_segs) ==
		  offsetof(struct rte_mbuf, refcnt) + sizeof(uint16_t),
    "one load for both");

/*
 * All of the frame is in its bytes, in one piece that nobody else holds, and it
 * goes back to the port's pool as it is.
 */
static inline bool
is_own(const struct rte_mbuf *m, const struct rte_mempool *pool)
{
	const uint64_t odd = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_INDIRECT |
			     RTE_MBUF_F_EXTERNAL;
	uint32_t refcnt_and_segs;

	memcpy(&refcnt_and_segs, (const void *)&m->refcnt,
	    sizeof(refcnt_and_segs));
	return refcnt_and_segs == 0x00010001 && (m->ol_flags & odd) == 0 &&
	       m->pool == pool;
}

static void
note_oddities(struct frame *f, const struct rte_mbuf *m)
{
	/* the tag is beside the bytes only if the driver has taken it off */
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		frame_set_stripped_tag(f, m->vlan_tci);
	if (m->nb_segs > 1)
		f->head_bytes = UINT16_MAX; /* longer than any MTU: oversize */
}

/*
 * To everybody on the VLAN, or to nobody: were the budget to end in the middle
 * of a segment, its last vNICs would never get one. What a frame costs beyond
 * the budget comes off the next rounds. Returns true if there was anybody.
 */
static bool
flood(
    struct worker *w, struct plan *p, const struct plan_port *port, unsigned i)
{
	const struct frame *f = &w->frame[i];
	uint32_t n;
	const uint32_t *to = rules_all(port->rules, f->vlan, &n);

	if (unlikely(w->floods_left <= 0)) {
		for (uint32_t k = 0; k < n; k++)
			lane_refuse(w, &p->vnic[to[k]], VNIC_DROP_BROADCAST, 1);
		return n > 0;
	}
	w->floods_left -= (int32_t)n;
	for (uint32_t k = 0; k < n; k++)
		lane_offer(w, &p->vnic[to[k]], f, i);
	return n > 0;
}

/* Where the hit of a key is, if there is one. */
static inline struct plan_hit *
hit_of(struct plan_rx *rx, uint64_t key)
{
	return &rx->hit[(key * rx->port->rules->multiplier) >>
			(64 - PLAN_HITS_LOG2)];
}

static inline void
remember(const struct worker *w, struct plan_rx *rx, uint64_t key,
    struct plan_vnic *v)
{
	struct plan_hit *h = hit_of(rx, key);
	uint32_t most = MIN(v->max_bytes, v->room), n = 0;

	h->key = 0;
	h->lane = &v->lane[0];
	h->most = most - PLAIN_BYTES;
	memset(h->own, 0, sizeof(h->own));
	for (uint32_t i = 0; i < v->n_addresses; i++) {
		if (v->address[i].family != 4)
			continue;
		if (n == PLAN_HIT_ADDRESSES)
			return;
		memcpy(&h->own[n++], v->address[i].bytes, sizeof(*h->own));
	}
	if (most >= PLAIN_BYTES && !v->is_odd && h->lane->worker == w->index)
		h->key = key;
}

/* The same as frame_ip4_is_control(), of what a hit knows. */
static inline bool
hit_is_control(const struct plan_hit *h, const uint8_t *ip)
{
	uint32_t dst;

	memcpy(&dst, ip + FRAME_IP4_DST, sizeof(dst));
	return dst == h->own[0] || dst == h->own[1] ||
	       load_be32(ip + FRAME_IP4_DST) >> 8 == 224 << 16;
}

/*
 * What nearly every frame is: untagged IPv4 in one piece, as long as it may be,
 * data, and for a vNIC that has had one lately: it goes to the lane that is
 * returned. All that is not so goes the long way, which says the same of it.
 */
static inline struct plan_lane *
plain_lane(struct plan_rx *rx, const struct rte_mbuf *m, const uint8_t *p)
{
	uint64_t key = rules_key(0, p);
	const struct plan_hit *h = hit_of(rx, key);

	if (h->key != key || (uint32_t)m->data_len - PLAIN_BYTES > h->most ||
	    load_be16(p + FRAME_MACS) != FRAME_TYPE_IP4 ||
	    hit_is_control(h, p + FRAME_HEADER))
		return NULL;
	return h->lane;
}

/*
 * For no MAC here: perhaps for who has asked for what is in it. It gets it as if
 * it had been sent to its MAC.
 */
static bool
offer_match(
    struct worker *w, struct plan *p, const struct plan_port *port, unsigned i)
{
	struct rte_mbuf *m = w->mbuf[i];
	uint32_t to = match_find(port->match, &w->frame[i]);

	if (to == RULES_NONE || !RTE_MBUF_DIRECT(m) ||
	    rte_mbuf_refcnt_read(m) != 1)
		return false;
	/* its first bytes are the destination, and nobody else's */
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), p->vnic[to].mac, 6);
	lane_offer(w, &p->vnic[to], &w->frame[i], i);
	return true;
}

/* Returns true if the frame was offered to at least one vNIC. */
static inline bool
classify(struct worker *w, struct plan *p, struct plan_rx *rx, unsigned i)
{
	const struct plan_port *port = rx->port;
	const struct frame *f = &w->frame[i];
	uint64_t key = rules_key(f->vlan, f->macs);
	uint32_t to;

	if (unlikely(f->vlan == FRAME_NO_VLAN))
		return false;
	if (unlikely(frame_is_group(f)))
		return flood(w, p, port, i);
	to = rules_find(port->rules, f->vlan, f->macs);
	if (unlikely(to == RULES_NONE))
		return port->match && offer_match(w, p, port, i);
	remember(w, rx, key, &p->vnic[to]);
	lane_offer(w, &p->vnic[to], f, i);
	return true;
}

/* What came of the frames of one call. */
struct sorted {
	unsigned n, runts, delivered, own;
	uint64_t bytes;
};

/* The next n frames of the worker, to the lanes they go by. */
static inline void
sort_burst(struct worker *w, struct plan *p, struct plan_rx *rx, unsigned n,
    struct sorted *s)
{
	const struct port_share *share = &rx->port->port->share[w->index];
	unsigned end = s->n + n, n_own = 0, n_delivered = 0;
	uint64_t bytes = 0;

	for (unsigned i = s->n; i < end; i++)
		rte_prefetch0(rte_pktmbuf_mtod(w->mbuf[i], void *));
	for (unsigned i = s->n; i < end; i++) {
		const struct rte_mbuf *m = w->mbuf[i];
		const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);
		bool own = is_own(m, share->pool);
		struct frame *f = &w->frame[i];
		struct plan_lane *lane;

		bytes += m->pkt_len;
		n_own += own;
		if (likely(own && (lane = plain_lane(rx, m, at)))) {
			frame_set_plain(f, at, m->data_len);
			lane_put(w, lane, i, m->data_len);
			n_delivered++;
			continue;
		}
		if (unlikely(!frame_parse(f, at, m->data_len, NULL, 0))) {
			s->runts++;
			continue;
		}
		if (!is_whole(m))
			note_oddities(f, m);
		n_delivered += classify(w, p, rx, i);
	}
	s->n = end;
	s->own += n_own;
	s->delivered += n_delivered;
	s->bytes += bytes;
}

static void
count_sorted(struct port_share *share, const struct sorted *s)
{
	port_count(share, WIRE_PORT_RX, s->n);
	port_count(share, WIRE_PORT_RX_BYTES, s->bytes);
	port_count(share, WIRE_PORT_RX_DELIVERED, s->delivered);
	if (unlikely(s->runts))
		port_count(share, WIRE_PORT_RUNT, s->runts);
	if (unlikely(s->delivered + s->runts < s->n))
		port_count(
		    share, WIRE_PORT_NO_MATCH, s->n - s->delivered - s->runts);
}

unsigned
rx_port(struct worker *w, struct plan *p, struct plan_rx *rx)
{
	const struct plan_port *port = rx->port;
	struct port_share *share = &port->port->share[w->index];
	unsigned most = w->round_bursts * VNIC_BURST;
	struct sorted s = { 0 };
	unsigned n;

	w->spread = port->spreads ? SPREAD_NEAR : SPREAD_ANY;
	do {
		n = rte_eth_rx_burst(
		    port->id, rx->queue, w->mbuf + s.n, VNIC_BURST);
		STAGE(RX_BURST, n);
		sort_burst(w, p, rx, n, &s);
		STAGE(CLASSIFY, n);
	} while (n == VNIC_BURST && s.n < most);
	if (s.n == 0)
		return 0;
	lanes_flush(w);
	if (likely(s.own == s.n))
		rte_mempool_put_bulk(share->pool, (void **)w->mbuf, s.n);
	else
		rte_pktmbuf_free_bulk(w->mbuf, s.n);
	STAGE(RX_FREE, s.n);
	count_sorted(share, &s);
	return s.n;
}
