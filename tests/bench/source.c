/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source: makes a net_null port a source of datagrams with a rate, for programs
 * that know nothing of it. As a library that is loaded first (LD_PRELOAD), or
 * linked in, it stands before rte_eth_dev_start() and gives the port a callback
 * on receive. Parameters are in the environment:
 *
 *	BENCH_SOURCE_PORT    device, net_null0
 *	BENCH_SOURCE_DST     file of destinations, one after the other, endless
 *	BENCH_SOURCE_MPPS    rate; 0 = as fast as it is asked
 *	BENCH_SOURCE_BURST   frames in one burst at most
 *	BENCH_SOURCE_STAMP   each frame says when it came, in cycles
 *
 * A rate is kept as by a link with a receive queue of QUEUE frames: what has
 * come since the last look is there, what does not fit in the queue is lost.
 * net_pcap has no rate, and a large set of frames costs it a cache miss each;
 * here a frame is a template and six bytes from a list read in order.
 */
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"

#include <dlfcn.h>
#include <stdio.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_memcpy.h>

enum { QUEUE = 1024, TEMPLATE = 64 };

struct destination {
	uint32_t dst_be;
	uint16_t checksum_be;
};

static struct {
	uint8_t template[TEMPLATE];
	struct destination *list;
	unsigned n;
	unsigned at;
	unsigned burst;
	double per_cycle; /* frames; 0 = no limit */
	double queue;     /* frames that have come */
	uint64_t seen;    /* cycles */
	bool stamp;
} source;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "source: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* How many of n may go now. */
static unsigned
allow(unsigned n)
{
	uint64_t now;

	n = MIN(n, source.burst);
	if (source.per_cycle <= 0)
		return n;
	now = rte_rdtsc();
	source.queue += (double)(now - source.seen) * source.per_cycle;
	source.seen = now;
	if (source.queue > QUEUE)
		source.queue = QUEUE;
	n = MIN(n, (unsigned)source.queue);
	source.queue -= n;
	return n;
}

/* When the first of these n came: those behind them wait still, or came since. */
static uint64_t
first_stamp(unsigned n, uint64_t *step)
{
	*step = 0;
	if (source.per_cycle <= 0)
		return rte_rdtsc();
	*step = (uint64_t)(1 / source.per_cycle);
	return source.seen - (uint64_t)((source.queue + n) / source.per_cycle);
}

static uint16_t
fill(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n,
    uint16_t max, void *arg)
{
	unsigned go = allow(n);
	uint64_t stamp = 0, step = 0;

	(void)port;
	(void)queue;
	(void)max;
	(void)arg;
	if (source.stamp)
		stamp = first_stamp(go, &step);
	for (unsigned i = 0; i < go; i++) {
		uint8_t *p = rte_pktmbuf_mtod(m[i], uint8_t *);
		const struct destination *d = &source.list[source.at];

		rte_memcpy(p, source.template, TEMPLATE);
		memcpy(p + FRAME_DST_AT, &d->dst_be, sizeof(d->dst_be));
		memcpy(p + FRAME_CHECKSUM_AT, &d->checksum_be,
		    sizeof(d->checksum_be));
		if (source.stamp) {
			memcpy(p + FRAME_STAMP_AT, &stamp, sizeof(stamp));
			stamp += step;
		}
		source.at = source.at + 1 < source.n ? source.at + 1 : 0;
	}
	if (go < n)
		rte_pktmbuf_free_bulk(m + go, n - go);
	return (uint16_t)go;
}

static void
read_list(const char *path)
{
	FILE *f = fopen(path, "re");
	uint32_t dst, base;
	long bytes;

	if (!f || fseek(f, 0, SEEK_END) < 0 || (bytes = ftell(f)) < 4)
		die(path);
	rewind(f);
	source.list = calloc((size_t)bytes / 4, sizeof(*source.list));
	if (!source.list)
		die(path);
	frame_datagram(source.template, BENCH_FRAME_BYTES, 0, 0);
	/* without: it would differ with the destination */
	store_be16(source.template + BENCH_FRAME_BYTES - 20, 0);
	store_be16(source.template + FRAME_CHECKSUM_AT, 0);
	base = frame_sum(source.template + 14, 20);
	while (fread(&dst, sizeof(dst), 1, f) == 1) {
		struct destination *d = &source.list[source.n++];

		store_be32((uint8_t *)&d->dst_be, dst);
		store_be16((uint8_t *)&d->checksum_be,
		    frame_checksum(base + (dst >> 16) + (dst & 0xffff)));
	}
	fclose(f);
}

static void
start(uint16_t port, const char *path)
{
	const char *mpps = getenv("BENCH_SOURCE_MPPS");
	const char *burst = getenv("BENCH_SOURCE_BURST");

	read_list(path);
	source.burst = burst ? (unsigned)strtoul(burst, NULL, 10) : UINT16_MAX;
	source.stamp = getenv("BENCH_SOURCE_STAMP") != NULL;
	source.per_cycle =
	    mpps ? strtod(mpps, NULL) * 1e6 / (double)rte_get_tsc_hz() : 0;
	source.seen = rte_rdtsc();
	if (!rte_eth_add_rx_callback(port, 0, fill, NULL))
		die("no callback");
}

/* As in ethdev; the real one does the work. */
int
rte_eth_dev_start(uint16_t port)
{
	const char *wanted = getenv("BENCH_SOURCE_PORT");
	const char *path = getenv("BENCH_SOURCE_DST");
	char name[RTE_ETH_NAME_MAX_LEN];
	int (*real)(uint16_t);
	int rc;

	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_start");
	if (!real)
		die("no ethdev");
	rc = real(port);
	if (rc == 0 && wanted && path &&
	    rte_eth_dev_get_name_by_port(port, name) == 0 &&
	    strcmp(name, wanted) == 0)
		start(port, path);
	return rc;
}
