/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rx: a burst from a port, each frame to its vNIC or to all of its segment.
 * [Europa paper, section 3.4] The mbufs are private memory: what is judged here
 * is what is copied.
 */
#include "dataplane/port.h"
#include "dataplane/worker_internal.h"
#include "lib/stage.h"

#include <rte_ethdev.h>

/* All of the frame is in its bytes, in one piece. */
static inline bool
is_whole(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) == 0 &&
	       m->nb_segs == 1;
}

/* Nobody else holds it, and it goes back to the port's pool as it is. */
static inline bool
is_own(const struct rte_mbuf *m, const struct rte_mempool *pool)
{
	return m->pool == pool && RTE_MBUF_DIRECT(m) && m->nb_segs == 1 &&
	       rte_mbuf_refcnt_read(m) == 1;
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

/* Frames of a burst often go to the same vNIC. */
struct hit {
	uint64_t key; /* 0 = none */
	struct plan_vnic *vnic;
	struct plan_lane *lane; /* for all that is data, NULL: they differ */
	uint32_t max_bytes;     /* that fit for certain */
};

static inline void
remember(
    const struct worker *w, struct hit *h, uint64_t key, struct plan_vnic *v)
{
	h->key = key;
	h->vnic = v;
	h->lane = NULL;
	h->max_bytes = MIN(v->max_bytes, v->room);
	if (v->router->n_queues == 2 && v->lane[0].worker == w->index)
		h->lane = &v->lane[0];
}

/*
 * What nearly every frame is: untagged IPv4 in one piece, as long as it may be,
 * data, and for the vNIC of the one before. All that is not so goes the long
 * way, which says the same of it.
 */
static inline bool
is_plain(const struct rte_mbuf *m, const uint8_t *p, const struct hit *last)
{
	const struct plan_vnic *v = last->vnic;
	unsigned len = m->data_len;

	return last->lane && len >= FRAME_HEADER + FRAME_IP4_BYTES &&
	       len <= last->max_bytes &&
	       load_be16(p + FRAME_MACS) == FRAME_TYPE_IP4 &&
	       rules_key(0, p) == last->key &&
	       !frame_ip4_is_control(
		   p + FRAME_HEADER, v->address, v->n_addresses);
}

/* Returns true if the frame was offered to at least one vNIC. */
static inline bool
classify(struct worker *w, struct plan *p, const struct plan_port *port,
    unsigned i, struct hit *last)
{
	const struct frame *f = &w->frame[i];
	uint64_t key = rules_key(f->vlan, f->macs);
	uint32_t to;

	if (unlikely(f->vlan == FRAME_NO_VLAN))
		return false;
	if (unlikely(frame_is_group(f)))
		return flood(w, p, port, i);
	to = rules_find(port->rules, f->vlan, f->macs);
	if (unlikely(to == RULES_NONE))
		return false;
	remember(w, last, key, &p->vnic[to]);
	lane_offer(w, last->vnic, f, i);
	return true;
}

unsigned
rx_port(struct worker *w, struct plan *p, const struct plan_rx *rx)
{
	const struct plan_port *port = rx->port;
	struct port_share *share = &port->port->share[w->index];
	struct rte_mempool *pool = share->pool;
	unsigned n = rte_eth_rx_burst(port->id, rx->queue, w->mbuf, VNIC_BURST);
	unsigned n_runts = 0, n_delivered = 0, n_own = 0;
	uint64_t bytes = 0;
	struct hit last = { 0 };

	STAGE(RX_BURST, n);
	if (n == 0)
		return 0;
	w->spread = port->spreads ? SPREAD_NEAR : SPREAD_ANY;
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(w->mbuf[i], void *));
	for (unsigned i = 0; i < n; i++) {
		const struct rte_mbuf *m = w->mbuf[i];
		const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);
		bool whole = is_whole(m);
		struct frame *f = &w->frame[i];

		bytes += m->pkt_len;
		n_own += is_own(m, pool);
		if (likely(whole && is_plain(m, at, &last))) {
			frame_set_plain(f, at, m->data_len);
			lane_put(w, last.lane, i, m->data_len);
			n_delivered++;
			continue;
		}
		if (unlikely(!frame_parse(f, at, m->data_len, NULL, 0))) {
			n_runts++;
			continue;
		}
		if (!whole)
			note_oddities(f, m);
		n_delivered += classify(w, p, port, i, &last);
	}
	STAGE(CLASSIFY, n);
	lanes_flush(w);
	if (likely(n_own == n))
		rte_mempool_put_bulk(pool, (void **)w->mbuf, n);
	else
		rte_pktmbuf_free_bulk(w->mbuf, n);
	STAGE(RX_FREE, n);
	port_count(share, WIRE_PORT_RX, n);
	port_count(share, WIRE_PORT_RX_BYTES, bytes);
	port_count(share, WIRE_PORT_RX_DELIVERED, n_delivered);
	if (unlikely(n_runts))
		port_count(share, WIRE_PORT_RUNT, n_runts);
	if (unlikely(n_delivered + n_runts < n))
		port_count(
		    share, WIRE_PORT_NO_MATCH, n - n_delivered - n_runts);
	return n;
}
