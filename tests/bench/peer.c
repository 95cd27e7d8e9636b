/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer: a host process that is nothing but the way that it measures: packets
 * from the source are given to the router, those that come back go to the sink.
 * No table, no checks, no accounts: what Europa adds to a way is not in here.
 *
 *	peer DIR WAY HOST_CORE ROUTER_CORE WARM_MS WINDOW_MS [BURST]
 *
 * DIR holds the frames (frames.c). Prints one JSON object.
 */
#include "tests/bench/peer.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

enum {
	PATIENCE_MS = 15000, /* until the first packet is back */
	LOST_NS = 500000,    /* without a packet: those on the way are lost */
	IN_FLIGHT = PEER_RING * 7 / 8,
	LOOK_AT_CLOCK = 64, /* turns */
	N_MS = 1000000,     /* ns */
};

static const struct peer_way *const ways[] = { &peer_memif, &peer_memif_zc,
	&peer_vhost, &peer_ring, &peer_proto };

struct host {
	struct peer *p;
	struct rte_mbuf *hold[PEER_BURST_MAX]; /* not given yet */
	unsigned first, n_hold;
	unsigned in_flight;
	uint64_t n_back;
	uint64_t back_ns;
};

void
peer_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("peer: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- DPDK ------------------------------------------------------------------------ */

void
peer_start_eal(
    const struct peer *p, unsigned core, const char *source, const char *device)
{
	static char prefix[64], cores[16], vdev[2][512];
	const char *spec[] = { source, device };
	char *args[PEER_MAX_ARGS];
	int n = 0;

	snprintf(
	    prefix, sizeof(prefix), "--file-prefix=europa-bench-%d", getpid());
	snprintf(cores, sizeof(cores), "%u", core);
	args[n++] = strdup("peer");
	args[n++] = strdup("-l");
	args[n++] = cores;
	args[n++] = strdup("--no-pci");
	args[n++] = strdup("--no-telemetry");
	args[n++] = strdup("--log-level=*:error");
	args[n++] = strdup("--in-memory");
	args[n++] = strdup("--single-file-segments");
	args[n++] = strdup("--force-max-simd-bitwidth=512");
	args[n++] = prefix;
	for (unsigned i = 0; i < 2; i++) {
		const char *at = spec[i] ? strstr(spec[i], "%s") : NULL;

		if (!spec[i])
			continue;
		snprintf(vdev[i], sizeof(vdev[i]), "--vdev=%.*s%s%s",
		    at ? (int)(at - spec[i]) : (int)strlen(spec[i]), spec[i],
		    at ? p->dir : "", at ? at + 2 : "");
		args[n++] = vdev[i];
	}
	if (source)
		args[n++] = strdup("--vdev=net_null0,no-rx=1");
	if (rte_eal_init(n, args) < 0)
		peer_die("DPDK does not start");
}

struct rte_mempool *
peer_make_pool(void)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
	    "bench", PEER_MBUFS, PEER_CACHE, 0, PEER_ROOM, SOCKET_ID_ANY);

	if (!pool)
		peer_die("no memory for packets");
	return pool;
}

uint16_t
peer_start_port(const char *name, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };
	uint16_t id, n_rx = PEER_RING, n_tx = PEER_RING;

	if (rte_eth_dev_get_port_by_name(name, &id) < 0 ||
	    rte_eth_dev_configure(id, 1, 1, &conf) < 0 ||
	    rte_eth_dev_adjust_nb_rx_tx_desc(id, &n_rx, &n_tx) < 0 ||
	    rte_eth_rx_queue_setup(
		id, 0, n_rx, (unsigned)SOCKET_ID_ANY, NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup(id, 0, n_tx, (unsigned)SOCKET_ID_ANY, NULL) <
		0 ||
	    rte_eth_dev_start(id) < 0)
		peer_die("port %s does not start", name);
	return id;
}

/* --- processes --------------------------------------------------------------------- */

static void
start_router(struct peer *p)
{
	p->router = fork();
	if (p->router < 0)
		peer_die("fork: %s", strerror(errno));
	if (p->router > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p->way->run_router(p);
}

static void
start_host(struct peer *p)
{
	peer_start_eal(p, p->host_core,
	    "net_pcap0,rx_pcap=%s/source.pcap,infinite_rx=1", p->way->host);
	p->pool = peer_make_pool();
	p->source = peer_start_port("net_pcap0", p->pool);
	p->sink = peer_start_port("net_null0", p->pool);
	if (p->way->host) {
		char name[64];

		snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(p->way->host, ","), p->way->host);
		p->port = peer_start_port(name, p->pool);
	}
	if (p->way->ready)
		p->way->ready(p);
}

static uint64_t
cpu_ns(const struct peer *p)
{
	struct timespec host, router;
	clockid_t clock;

	if (clock_getcpuclockid(p->router, &clock) != 0 ||
	    clock_gettime(clock, &router) < 0)
		peer_die("the router has ended");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &host);
	return (uint64_t)(host.tv_sec + router.tv_sec) * 1000 * N_MS +
	       (uint64_t)(host.tv_nsec + router.tv_nsec);
}

/* --- packets ----------------------------------------------------------------------- */

static void
turn(struct host *h)
{
	struct peer *p = h->p;
	struct rte_mbuf *back[PEER_BURST_MAX];
	unsigned n, sent;

	if (h->first == h->n_hold && h->in_flight + p->burst <= IN_FLIGHT) {
		h->n_hold =
		    rte_eth_rx_burst(p->source, 0, h->hold, (uint16_t)p->burst);
		h->first = 0;
	}
	if (h->first < h->n_hold) {
		n = p->way->give(p, h->hold + h->first, h->n_hold - h->first);
		h->first += n;
		h->in_flight += n;
	}
	n = p->way->take(p, back, p->burst);
	if (n == 0)
		return;
	h->in_flight -= MIN(n, h->in_flight);
	sent = rte_eth_tx_burst(p->sink, 0, back, (uint16_t)n);
	h->n_back += sent;
	if (sent < n)
		rte_pktmbuf_free_bulk(back + sent, n - sent);
}

/* Works for ms; returns when it ended. */
static uint64_t
run_for(struct host *h, unsigned ms)
{
	uint64_t end = bench_now_ns() + (uint64_t)ms * N_MS, now;

	do {
		uint64_t before = h->n_back;

		for (unsigned i = 0; i < LOOK_AT_CLOCK; i++)
			turn(h);
		now = bench_now_ns();
		if (h->n_back > before) {
			h->back_ns = now;
		} else if (now - h->back_ns > LOST_NS) {
			h->in_flight = 0;
			h->back_ns = now;
		}
	} while (now < end);
	return now;
}

static void
measure(struct peer *p)
{
	struct host h = { .p = p };
	uint64_t start = bench_now_ns(), end, n, cpu;

	for (unsigned ms = 0; h.n_back == 0; ms += 10) {
		if (ms > PATIENCE_MS)
			peer_die("%s: no packet comes back", p->way->name);
		run_for(&h, 10);
	}
	start = run_for(&h, p->warm_ms);
	cpu = cpu_ns(p);
	n = h.n_back;
	end = run_for(&h, p->window_ms);
	cpu = cpu_ns(p) - cpu;
	n = h.n_back - n;
	if (n == 0)
		peer_die("%s: packets have ceased to come back", p->way->name);
	printf("{\"mpps\": %.3f, \"cpu_ns\": %.2f}\n",
	    (double)n * 1000 / (double)(end - start), (double)cpu / (double)n);
}

int
main(int argc, char **argv)
{
	struct peer p = { 0 };

	if (argc < 7) {
		fputs("usage: peer DIR WAY HOST_CORE ROUTER_CORE WARM_MS "
		      "WINDOW_MS [BURST]\n",
		    stderr);
		return 2;
	}
	p.dir = argv[1];
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(ways[i]->name, argv[2]) == 0)
			p.way = ways[i];
	if (!p.way)
		peer_die("no such way: %s", argv[2]);
	p.host_core = (unsigned)strtoul(argv[3], NULL, 10);
	p.router_core = (unsigned)strtoul(argv[4], NULL, 10);
	p.warm_ms = (unsigned)strtoul(argv[5], NULL, 10);
	p.window_ms = (unsigned)strtoul(argv[6], NULL, 10);
	p.burst =
	    argc > 7 ? (unsigned)strtoul(argv[7], NULL, 10) : p.way->burst;
	if (p.burst == 0 || p.burst > PEER_BURST_MAX)
		peer_die("burst: 1 to %d", PEER_BURST_MAX);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (p.way->prepare)
		p.way->prepare();
	if (!p.way->inherits)
		start_router(&p);
	start_host(&p);
	if (p.way->inherits)
		start_router(&p);
	measure(&p);
	kill(p.router, SIGKILL);
	waitpid(p.router, NULL, 0);
	return 0;
}
