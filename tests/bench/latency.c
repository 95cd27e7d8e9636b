/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency: how long frames are in the node, measured in a data plane that knows
 * nothing of it. A library that is loaded first (LD_PRELOAD, before source.so):
 * it stands before rte_eth_dev_start() and gives one port a callback on
 * receive, which writes the time stamp counter into each datagram, and another
 * one a callback on transmit, which reads it there again.
 *
 *	BENCH_LATENCY_IN       device that frames come in by, net_null0
 *	BENCH_LATENCY_OUT      device that they leave by, net_null1
 *	BENCH_LATENCY_FILE     one JSON object, when the process ends
 *	BENCH_LATENCY_WARM_MS, BENCH_LATENCY_WINDOW_MS
 *	                       what counts, from the start of the latter device on
 *
 * From host rx to host tx: time in the queue of a source before that is not in
 * it. Time is kept in a histogram whose classes are 1/64 apart.
 */
#include "tests/bench/bench.h"

#include <dlfcn.h>
#include <stdio.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

enum {
	STAMP_AT = 14 + 20 + 8, /* behind Ethernet, IPv4 and UDP */
	STAMP_BYTES = 8,
	SUB_LOG2 = 6, /* classes in an octave */
	SUBS = 1 << SUB_LOG2,
	N_CLASSES = 64 * SUBS,
	TYPE_IP4 = 0x0800,
	TAKE = 4, /* one frame of so many is a sample */
};

static struct {
	uint64_t from, until; /* ticks */
	uint64_t n, sum, max;
	unsigned turn;
	uint64_t of_class[N_CLASSES];
} seen;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "latency: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned
class_of(uint64_t ticks)
{
	unsigned octave;

	if (ticks < SUBS)
		return (unsigned)ticks;
	octave = 63 - (unsigned)__builtin_clzll(ticks);
	return (octave - SUB_LOG2 + 1) * SUBS +
	       (unsigned)(ticks >> (octave - SUB_LOG2)) - SUBS;
}

/* The middle of a class. */
static double
ticks_of(unsigned class)
{
	unsigned octave = class / SUBS;

	if (octave == 0)
		return class;
	return ((double)(class % SUBS + SUBS) + 0.5) *
	       (double)(UINT64_C(1) << (octave - 1));
}

static uint16_t
stamp(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n,
    uint16_t max, void *arg)
{
	uint64_t now = rte_rdtsc();

	(void)port;
	(void)queue;
	(void)max;
	(void)arg;
	for (unsigned i = 0; i < n; i++)
		memcpy(rte_pktmbuf_mtod_offset(m[i], uint8_t *, STAMP_AT), &now,
		    STAMP_BYTES);
	return n;
}

static uint16_t
look(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, void *arg)
{
	uint64_t now = rte_rdtsc();

	(void)port;
	(void)queue;
	(void)arg;
	if (now < seen.from || now >= seen.until)
		return n;
	for (unsigned i = seen.turn++ % TAKE; i < n; i += TAKE) {
		const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);
		uint64_t then, ticks;

		if (m[i]->data_len < STAMP_AT + STAMP_BYTES ||
		    load_be16(p + 12) != TYPE_IP4)
			continue;
		memcpy(&then, p + STAMP_AT, STAMP_BYTES);
		ticks = now - then;
		seen.n++;
		seen.sum += ticks;
		seen.max = MAX(seen.max, ticks);
		seen.of_class[class_of(ticks)]++;
	}
	return n;
}

static uint64_t
ticks_of_env(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) * (rte_get_tsc_hz() / 1000) : 0;
}

static void
watch(uint16_t port, const char *name)
{
	const char *in = getenv("BENCH_LATENCY_IN");
	const char *out = getenv("BENCH_LATENCY_OUT");

	if (in && strcmp(name, in) == 0 &&
	    !rte_eth_add_rx_callback(port, 0, stamp, NULL))
		die("no callback");
	if (!out || strcmp(name, out) != 0)
		return;
	seen.from = rte_rdtsc() + ticks_of_env("BENCH_LATENCY_WARM_MS");
	seen.until = seen.from + ticks_of_env("BENCH_LATENCY_WINDOW_MS");
	if (!rte_eth_add_tx_callback(port, 0, look, NULL))
		die("no callback");
}

/* As in ethdev; the next one does the work. */
int
rte_eth_dev_start(uint16_t port)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	int (*next)(uint16_t);
	int rc;

	*(void **)&next = dlsym(RTLD_NEXT, "rte_eth_dev_start");
	if (!next)
		die("no ethdev");
	rc = next(port);
	if (rc == 0 && rte_eth_dev_get_name_by_port(port, name) == 0)
		watch(port, name);
	return rc;
}

static double
quantile_ns(double share)
{
	uint64_t want = (uint64_t)((double)seen.n * share), got = 0;

	for (unsigned i = 0; i < N_CLASSES; i++) {
		got += seen.of_class[i];
		if (got > want)
			return ticks_of(i) * 1e9 / (double)rte_get_tsc_hz();
	}
	return 0;
}

static void __attribute__((destructor)) report(void)
{
	const char *path = getenv("BENCH_LATENCY_FILE");
	double tick_ns;
	FILE *f;

	if (!path || seen.until == 0)
		return;
	f = fopen(path, "we");
	if (!f)
		return;
	tick_ns = 1e9 / (double)rte_get_tsc_hz();
	fprintf(f,
	    "{\"samples\":%llu,\"mean_ns\":%.0f,\"p50_ns\":%.0f,"
	    "\"p90_ns\":%.0f,\"p99_ns\":%.0f,\"p999_ns\":%.0f,"
	    "\"max_ns\":%.0f}\n",
	    (unsigned long long)seen.n,
	    seen.n ? (double)seen.sum / (double)seen.n * tick_ns : 0,
	    quantile_ns(0.5), quantile_ns(0.9), quantile_ns(0.99),
	    quantile_ns(0.999), (double)seen.max * tick_ns);
	fclose(f);
}
