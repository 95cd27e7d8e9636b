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
 * it. Time is kept in a histogram whose classes are 1/64 apart. A virtual machine
 * stands still for milliseconds now and then; so there is also the median of the
 * quantiles of every 10 ms (calm_*), and the longest time between two polls.
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
	SLICE_MS = 10,
	MAX_SLICES = 4096,
	STILL_US = 100, /* no turn of a worker lasts that long */
};

struct histogram {
	uint64_t n, sum, max;
	uint32_t of_class[N_CLASSES];
};

static struct {
	uint64_t from, until, slice_until; /* ticks */
	unsigned turn;
	struct histogram all, slice;
	unsigned n_slices;
	double p50[MAX_SLICES], p99[MAX_SLICES]; /* of slices, ns */
	uint64_t polled, still, longest;         /* ticks; still: not polling */
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

static double
quantile_ns(const struct histogram *h, double share)
{
	uint64_t want = (uint64_t)((double)h->n * share), got = 0;

	for (unsigned i = 0; i < N_CLASSES; i++) {
		got += h->of_class[i];
		if (got > want)
			return ticks_of(i) * 1e9 / (double)rte_get_tsc_hz();
	}
	return 0;
}

static void
add(struct histogram *h, uint64_t ticks)
{
	h->n++;
	h->sum += ticks;
	h->max = MAX(h->max, ticks);
	h->of_class[class_of(ticks)]++;
}

static void
end_slice(uint64_t now)
{
	const struct histogram *h = &seen.slice;

	if (h->n > 0 && seen.n_slices < MAX_SLICES) {
		seen.p50[seen.n_slices] = quantile_ns(h, 0.5);
		seen.p99[seen.n_slices++] = quantile_ns(h, 0.99);
	}
	memset(&seen.slice, 0, sizeof(seen.slice));
	/* after, so that it is no poll of its own */
	seen.slice_until = now + rte_get_tsc_hz() / 1000 * SLICE_MS;
}

/* The time between two polls, while it counts. */
static void
note_poll(uint64_t now)
{
	uint64_t gap = now - seen.polled;

	seen.polled = now;
	if (now < seen.from || now >= seen.until || gap > now - seen.from)
		return;
	seen.longest = MAX(seen.longest, gap);
	if (gap > rte_get_tsc_hz() / 1000000 * STILL_US)
		seen.still += gap;
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
	note_poll(now);
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
		uint64_t then;

		if (m[i]->data_len < STAMP_AT + STAMP_BYTES ||
		    load_be16(p + 12) != TYPE_IP4)
			continue;
		memcpy(&then, p + STAMP_AT, STAMP_BYTES);
		add(&seen.all, now - then);
		add(&seen.slice, now - then);
	}
	if (now >= seen.slice_until)
		end_slice(now);
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

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return n > 0 ? v[n / 2] : 0;
}

static void
print(FILE *f, const struct histogram *h)
{
	double tick_ns = 1e9 / (double)rte_get_tsc_hz();

	fprintf(f,
	    "{\"samples\":%llu,\"mean_ns\":%.0f,\"p50_ns\":%.0f,"
	    "\"p99_ns\":%.0f,\"p999_ns\":%.0f,\"max_ns\":%.0f,"
	    "\"calm_p50_ns\":%.0f,\"calm_p99_ns\":%.0f,\"slices\":%u,"
	    "\"longest_still_ns\":%.0f,\"still_percent\":%.3f}\n",
	    (unsigned long long)h->n,
	    h->n ? (double)h->sum / (double)h->n * tick_ns : 0,
	    quantile_ns(h, 0.5), quantile_ns(h, 0.99), quantile_ns(h, 0.999),
	    (double)h->max * tick_ns, median(seen.p50, seen.n_slices),
	    median(seen.p99, seen.n_slices), seen.n_slices,
	    (double)seen.longest * tick_ns,
	    (double)seen.still * 100 / (double)(seen.until - seen.from));
}

static void __attribute__((destructor)) report(void)
{
	const char *path = getenv("BENCH_LATENCY_FILE");
	FILE *f;

	if (!path || seen.until == 0)
		return;
	f = fopen(path, "we");
	if (!f)
		return;
	print(f, &seen.all);
	fclose(f);
}
