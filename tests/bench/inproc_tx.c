/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc_tx: see inproc.h. Frames wait for each other per port, as in the
 * distributor of the MoonRoute paper, section 5.1.5: they leave when there are
 * enough, or when the first of them has waited for TIMEOUT_US.
 *
 * The age of a frame is that since source.c had it: when it would have come by a
 * link of that rate, so what waited for a busy forwarder is in it.
 */
#include "lib/base.h"
#include "router/count.h"
#include "tests/bench/frame.h"
#include "tests/bench/inproc.h"

#include <stdio.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

enum {
	TX_PORTS = 2,
	TIMEOUT_US = 100,
	BIN_NS = 20,
	BINS = 50000, /* a millisecond; the last is for all above */
};

struct waiting {
	unsigned n;
	uint64_t since; /* cycles */
	struct rte_mbuf *m[INPROC_TX_MAX];
};

static struct {
	unsigned burst; /* 0: frames do not wait */
	bool is_aged;
	bool is_counting;
	uint64_t timeout;
	struct waiting port[TX_PORTS];
	double ns_per_cycle;
	uint64_t n, sum_ns;
	uint64_t bin[BINS];
} tx;

void
inproc_tx_init(unsigned burst, bool is_aged)
{
	tx.burst = burst;
	tx.is_aged = is_aged;
	tx.timeout = rte_get_tsc_hz() / 1000000 * TIMEOUT_US;
	tx.ns_per_cycle = 1e9 / (double)rte_get_tsc_hz();
}

void
inproc_tx_count(void)
{
	tx.is_counting = tx.is_aged;
}

static void
note_ages(struct rte_mbuf **m, unsigned n)
{
	uint64_t now = rte_rdtsc();

	for (unsigned i = 0; i < n; i++) {
		uint64_t stamp, ns;

		memcpy(&stamp,
		    rte_pktmbuf_mtod(m[i], uint8_t *) + FRAME_STAMP_AT,
		    sizeof(stamp));
		ns = now > stamp
			 ? (uint64_t)((double)(now - stamp) * tx.ns_per_cycle)
			 : 0;
		tx.n++;
		tx.sum_ns += ns;
		tx.bin[MIN(ns / BIN_NS, (uint64_t)BINS - 1)]++;
	}
}

static void
send_now(struct counters *c, unsigned port, struct rte_mbuf **m, unsigned n)
{
	uint16_t sent;

	if (tx.is_counting)
		note_ages(m, n);
	sent = rte_eth_tx_burst((uint16_t)port, 0, m, (uint16_t)n);
	if (sent < n)
		rte_pktmbuf_free_bulk(m + sent, n - sent);
	count(c, COUNT_FORWARDED, sent);
}

void
inproc_tx(struct counters *c, unsigned port, struct rte_mbuf **m, unsigned n)
{
	struct waiting *w = &tx.port[port % TX_PORTS];

	if (tx.burst == 0) {
		send_now(c, port, m, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (w->n == 0)
			w->since = rte_rdtsc();
		w->m[w->n++] = m[i];
		if (w->n == tx.burst) {
			send_now(c, port, w->m, w->n);
			w->n = 0;
		}
	}
}

void
inproc_tx_tick(struct counters *c)
{
	for (unsigned port = 0; tx.burst && port < TX_PORTS; port++) {
		struct waiting *w = &tx.port[port];

		if (w->n == 0 || rte_rdtsc() - w->since < tx.timeout)
			continue;
		send_now(c, port, w->m, w->n);
		w->n = 0;
	}
}

static double
quantile_us(double share)
{
	uint64_t want = (uint64_t)((double)tx.n * share), seen = 0;

	for (unsigned i = 0; i < BINS; i++) {
		seen += tx.bin[i];
		if (seen > want)
			return (i + 0.5) * BIN_NS / 1000;
	}
	return BINS * (double)BIN_NS / 1000;
}

void
inproc_tx_print(void)
{
	if (!tx.is_aged || tx.n == 0)
		return;
	printf(", \"samples\": %llu, \"mean_us\": %.3f, \"p50_us\": %.3f, "
	       "\"p99_us\": %.3f",
	    (unsigned long long)tx.n, (double)tx.sum_ns / (double)tx.n / 1000,
	    quantile_us(0.5), quantile_us(0.99));
}
