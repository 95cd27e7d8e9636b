/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc: what isolation is compared with: one process, one core, DPDK, and the
 * same modules over the same tables as europa-router. Packets stay in the mbufs
 * that they came in; there is no second process and nobody to be protected from.
 *
 *	inproc DIR CORE WARM_MS WINDOW_MS yes|no	(no: without huge pages)
 *
 * Source, sink, pool and burst are those that europa-dataplane uses in the same
 * benchmark (rig.c). Prints one JSON object.
 */
#include "router/count.h"
#include "router/modules.h"
#include "router/plan.h"
#include "tests/bench/bench.h"

#include <stdio.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

enum {
	MBUFS = 2047, /* of a virtual port, dataplane/port.c */
	MBUF_CACHE = 256,
	DESCS = 512,
	LOOK_AT_CLOCK = 64, /* turns */
	N_PORTS = 2,        /* eth0 is the source, eth1 the sink */
};

struct forwarder {
	struct tables *tables;
	struct counters count;
	struct batch batch;
	struct rte_mbuf *in[BATCH_MAX];
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- set-up ------------------------------------------------------------------- */

static void
start_eal(const char *dir, const char *core, bool huge)
{
	char prefix[64], source[600];
	char *args[16];
	int n = 0;

	snprintf(
	    prefix, sizeof(prefix), "--file-prefix=europa-bench-%d", getpid());
	snprintf(source, sizeof(source),
	    "--vdev=net_pcap0,rx_pcap=%s/source.pcap,infinite_rx=1", dir);
	args[n++] = strdup("inproc");
	args[n++] = strdup("-l");
	args[n++] = strdup(core);
	args[n++] = strdup("--no-pci");
	args[n++] = strdup("--no-telemetry");
	args[n++] = strdup("--log-level=4");
	args[n++] = prefix;
	args[n++] = source;
	args[n++] = strdup("--vdev=net_null0,no-rx=1");
	if (huge) {
		args[n++] = strdup("--in-memory");
	} else {
		args[n++] = strdup("--no-huge");
		args[n++] = strdup("--no-shconf");
		args[n++] = strdup("-m");
		args[n++] = strdup("128");
	}
	if (rte_eal_init(n, args) < 0)
		die("inproc: DPDK does not start");
}

static void
start_port(const char *name, uint16_t expected)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_mempool *pool;
	uint16_t id;

	if (rte_eth_dev_get_port_by_name(name, &id) < 0 || id != expected)
		die("inproc: no port %s", name);
	pool = rte_pktmbuf_pool_create(name, MBUFS, MBUF_CACHE, 0,
	    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool || rte_eth_dev_configure(id, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup(
		id, 0, DESCS, (unsigned)SOCKET_ID_ANY, NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup(
		id, 0, DESCS, (unsigned)SOCKET_ID_ANY, NULL) < 0 ||
	    rte_eth_dev_start(id) < 0)
		die("inproc: port %s does not start", name);
}

/* The tables that the slow path makes when the next hop has answered. */
static struct tables *
make_tables(void)
{
	static uint8_t used[1];
	struct neighbour hop = { .ip = BENCH_HOP_IP, .vnic = 1 };
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	char text[] = BENCH_CONF;
	struct routerconf c;
	struct plan *plan;
	struct tables *t;
	FILE *in = fmemopen(text, strlen(text), "r");
	struct err e;

	if (!in || routerconf_parse(in, "bench", &c, &e) < 0 ||
	    plan_make(&c, &plan) < 0)
		die("inproc: no configuration");
	fclose(in);
	for (unsigned i = 0; i < N_PORTS; i++) {
		ports[i].up = 1;
		ports[i].mtu = c.vnic[i].mtu;
		memcpy(ports[i].mac, c.vnic[i].mac, 6);
	}
	bench_mac(BENCH_HOP, hop.mac);
	t = tables_make(plan, ports, &hop, 1, used);
	routerconf_clear(&c);
	plan_free(plan);
	if (!t)
		die("inproc: no memory for tables");
	return t;
}

/* --- packets ------------------------------------------------------------------- */

/* As transmit() of router/pipeline.c: grouped by the way out. */
static void
transmit(struct forwarder *f)
{
	const struct batch *b = &f->batch;
	struct rte_mbuf *out[BATCH_MAX];

	for (uint64_t left = b->alive; left;) {
		unsigned port =
		    f->tables->hop[b->hop[__builtin_ctzll(left)]].vnic;
		uint16_t n = 0, sent;

		for (uint64_t mask = left; mask;) {
			unsigned i = batch_pop(&mask);

			if (f->tables->hop[b->hop[i]].vnic != port)
				continue;
			f->in[i]->data_len = b->frame[i].len;
			f->in[i]->pkt_len = b->frame[i].len;
			out[n++] = f->in[i];
			left &= ~(UINT64_C(1) << i);
		}
		sent = rte_eth_tx_burst((uint16_t)port, 0, out, n);
		if (sent < n)
			rte_pktmbuf_free_bulk(out + sent, n - sent);
		count(&f->count, COUNT_FORWARDED, sent);
	}
}

static void
turn(struct forwarder *f)
{
	const struct tables *t = f->tables;
	struct batch *b = &f->batch;
	unsigned n = rte_eth_rx_burst(0, 0, f->in, BENCH_BURST);
	uint64_t all;

	for (unsigned i = 0; i < n; i++)
		b->frame[i] = (struct vnic_frame){
			.data = rte_pktmbuf_mtod(f->in[i], uint8_t *),
			.slot = i,
			.len = f->in[i]->data_len,
		};
	batch_begin(b, n);
	all = b->alive;
	count(&f->count, COUNT_RX, n);
	if (ether_in(t, b) && check_ip4(t, b) && lookup4(t, b) && ttl4(t, b) &&
	    rewrite(t, b))
		transmit(f);
	for (uint64_t dead = all & ~b->alive; dead;)
		rte_pktmbuf_free(f->in[batch_pop(&dead)]);
}

struct result {
	double mpps;
	double cpu_ns; /* of a packet */
};

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct result
run_for(struct forwarder *f, unsigned ms)
{
	uint64_t before = count_read(&f->count, COUNT_FORWARDED);
	uint64_t start = bench_now_ns(), cpu = cpu_ns(), now;
	double n;

	do {
		for (unsigned i = 0; i < LOOK_AT_CLOCK; i++)
			turn(f);
		now = bench_now_ns();
	} while (now - start < (uint64_t)ms * 1000000);
	n = (double)(count_read(&f->count, COUNT_FORWARDED) - before);
	if (n <= 0)
		die("inproc: nothing was forwarded");
	return (struct result){ n * 1000 / (double)(now - start),
		(double)(cpu_ns() - cpu) / n };
}

int
main(int argc, char **argv)
{
	static struct forwarder f;
	struct result r;

	if (argc != 6)
		die("usage: inproc DIR CORE WARM_MS WINDOW_MS yes|no");
	start_eal(argv[1], argv[2], strcmp(argv[5], "yes") == 0);
	start_port("net_pcap0", 0);
	start_port("net_null0", 1);
	f.tables = make_tables();
	run_for(&f, (unsigned)strtoul(argv[3], NULL, 10));
	r = run_for(&f, (unsigned)strtoul(argv[4], NULL, 10));
	printf("{\"mpps\": %.3f, \"cpu_ns\": %.2f, \"hugepages\": %s}\n",
	    r.mpps, r.cpu_ns, strcmp(argv[5], "yes") == 0 ? "true" : "false");
	tables_free(f.tables);
	return 0;
}
