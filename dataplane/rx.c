/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rx: a burst from a port, each frame to its vNIC or to all of its segment.
 * [Europa paper, section 3.4] The mbufs are private memory: what is judged here
 * is what is copied.
 */
#include "dataplane/port.h"
#include "dataplane/worker_internal.h"

#include <rte_ethdev.h>

static inline bool
parse_mbuf(struct frame *f, const struct rte_mbuf *m)
{
	if (unlikely(!frame_parse(
		f, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, NULL, 0)))
		return false;
	/* the tag is beside the bytes only if the driver has taken it off */
	if (unlikely(m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED))
		frame_set_stripped_tag(f, m->vlan_tci);
	if (unlikely(m->nb_segs > 1))
		f->head_bytes = UINT16_MAX; /* longer than any MTU: oversize */
	return true;
}

/* To everybody on the VLAN. Returns true if there was anybody. */
static bool
flood(
    struct worker *w, struct plan *p, const struct plan_port *port, unsigned i)
{
	const struct frame *f = &w->frame[i];
	uint32_t n;
	const uint32_t *to = rules_all(port->rules, f->vlan, &n);

	for (uint32_t k = 0; k < n; k++) {
		if (unlikely(w->floods_left <= 0)) {
			lane_refuse(w, &p->vnic[to[k]], VNIC_DROP_BROADCAST, 1);
			continue;
		}
		w->floods_left--;
		lane_offer(w, &p->vnic[to[k]], f, i);
	}
	return n > 0;
}

/* Returns true if the frame was offered to at least one vNIC. */
static inline bool
classify(
    struct worker *w, struct plan *p, const struct plan_port *port, unsigned i)
{
	const struct frame *f = &w->frame[i];
	uint32_t to;

	if (unlikely(f->vlan == FRAME_NO_VLAN))
		return false;
	if (unlikely(frame_is_group(f)))
		return flood(w, p, port, i);
	to = rules_find(port->rules, f->vlan, f->macs);
	if (unlikely(to == RULES_NONE))
		return false;
	lane_offer(w, &p->vnic[to], f, i);
	return true;
}

unsigned
rx_port(struct worker *w, struct plan *p, const struct plan_rx *rx)
{
	const struct plan_port *port = rx->port;
	struct port_share *share = &port->port->share[w->index];
	unsigned n = rte_eth_rx_burst(port->id, rx->queue, w->mbuf, VNIC_BURST);
	unsigned n_runts = 0, n_delivered = 0;
	uint64_t bytes = 0;

	if (n == 0)
		return 0;
	w->spread = port->spreads ? SPREAD_NEAR : SPREAD_ANY;
	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(w->mbuf[i], void *));
	for (unsigned i = 0; i < n; i++) {
		bytes += w->mbuf[i]->pkt_len;
		if (unlikely(!parse_mbuf(&w->frame[i], w->mbuf[i])))
			n_runts++;
		else
			n_delivered += classify(w, p, port, i);
	}
	lanes_flush(w);
	rte_pktmbuf_free_bulk(w->mbuf, n);
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
