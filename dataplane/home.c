/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home: ports with one tx queue, which the worker at home there serves. The
 * others hand it what they send. What the device does not take yet stays where
 * it is, and a giver whose queue is full drops, port_tx_full, as it would at a
 * device of its own: so each packet is counted once, by who took it.
 */
#include "dataplane/port.h"
#include "dataplane/worker_internal.h"

#include <rte_ethdev.h>
#include <rte_memcpy.h>

enum { MAX_BURSTS = 16 }; /* from one giver at a time */

unsigned
home_give(struct worker *w, const struct plan_port *port, struct rte_mbuf **m,
    unsigned n)
{
	struct handover *home = port->port->share[w->index].home;
	unsigned given = 0;

	for (; given < n; given++) {
		const struct rte_mbuf *from = m[given];
		struct handover_record r = { .len = from->data_len };
		uint8_t *to = handover_put(home, &r);

		if (unlikely(!to))
			break;
		rte_memcpy(to, rte_pktmbuf_mtod(from, const void *), r.len);
	}
	if (given == 0)
		return 0;
	rte_pktmbuf_free_bulk(m, given);
	handover_publish(home);
	w->given |= UINT32_C(1) << port->port->home;
	return given;
}

/* Copies up to a burst into mbufs; mark[i] is behind record i. */
static unsigned
copy_burst(struct worker *w, struct handover *h, uint64_t *mark)
{
	const struct handover_record *r;
	const uint8_t *p;
	unsigned n = 0;

	while (n < VNIC_BURST && (r = handover_take(h, &p))) {
		struct rte_mbuf *m = w->mbuf[n];

		rte_memcpy(rte_pktmbuf_mtod(m, void *), p, r->len);
		m->data_len = r->len;
		m->pkt_len = r->len;
		mark[n++] = handover_mark(h);
	}
	return n;
}

static unsigned
send_burst(struct worker *w, const struct plan_port *port, struct handover *h)
{
	struct port_share *share = &port->port->share[w->index];
	uint64_t mark[VNIC_BURST], bytes = 0, begin = handover_mark(h);
	unsigned n, sent = 0;

	if (unlikely(rte_pktmbuf_alloc_bulk(share->pool, w->mbuf, VNIC_BURST) !=
		     0)) {
		w->tx_waits = true;
		return 0;
	}
	n = copy_burst(w, h, mark);
	for (unsigned i = 0; i < n; i++)
		bytes += w->mbuf[i]->pkt_len;
	sent =
	    rte_eth_tx_burst(port->id, share->tx_queue, w->mbuf, (uint16_t)n);
	for (unsigned i = sent; unlikely(i < n); i++)
		bytes -= w->mbuf[i]->pkt_len;
	if (unlikely(sent < VNIC_BURST))
		rte_pktmbuf_free_bulk(w->mbuf + sent, VNIC_BURST - sent);
	if (unlikely(sent < n)) {
		handover_rewind(h, sent > 0 ? mark[sent - 1] : begin);
		w->tx_waits = true;
	}
	handover_release(h);
	port_count(share, WIRE_PORT_TX, sent);
	port_count(share, WIRE_PORT_TX_BYTES, bytes);
	return sent;
}

/* Looks at worker 0 last and sends its frames first, as cross_take() does. */
static unsigned
send_given(struct worker *w, const struct plan_port *port)
{
	const struct port_share *share = port->port->share;
	unsigned total = 0;

	for (unsigned i = w->n_workers; i-- > 0;)
		if (i != w->index)
			handover_look(share[i].home);
	for (unsigned i = 0; i < w->n_workers; i++) {
		unsigned n = VNIC_BURST;

		if (i == w->index)
			continue;
		for (unsigned k = 0; n == VNIC_BURST && k < MAX_BURSTS &&
				     handover_left(share[i].home);
		     k++) {
			n = send_burst(w, port, share[i].home);
			total += n;
		}
	}
	return total;
}

unsigned
home_send(struct worker *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->part->n_tx; i++)
		n += send_given(w, w->part->tx[i]);
	return n;
}

bool
home_has_work(const struct worker *w)
{
	for (unsigned i = 0; i < w->part->n_tx; i++)
		for (unsigned k = 0; k < w->n_workers; k++) {
			const struct handover *h =
			    w->part->tx[i]->port->share[k].home;

			if (k != w->index && handover_has(h))
				return true;
		}
	return false;
}
