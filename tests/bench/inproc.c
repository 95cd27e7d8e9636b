/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc: what isolation is compared with: one process, one core, DPDK, and the
 * same modules over the same tables as europa-router. Packets stay in the mbufs
 * that they came in; there is no second process and nobody to be protected from.
 *
 *	inproc DIR [KEY=VALUE]...
 *
 * The keys are those of read_option(), and as with rig.c. Source, sink, pool and
 * burst are those that europa-dataplane uses in the same benchmark. Prints one
 * JSON object.
 */
#include "tests/bench/inproc.h"

#include "router/count.h"
#include "router/modules.h"
#include "router/plan.h"
#include "router/publish.h"
#include "tests/bench/bench.h"
#include "tests/bench/touched.h"

#include <stdarg.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

enum {
	MBUFS = 2047, /* of a virtual port, dataplane/port.c */
	MBUF_CACHE = 256,
	DESCS = 512,
	LOOK_AT_CLOCK = 64, /* turns */
	N_PORTS = 2,        /* eth0 is the source, eth1 the sink */
	MAX_HOPS = 64,
};

struct forwarder {
	struct publish publish; /* the writer is inproc_update.c, if anybody */
	bool (*lookup)(const struct tables *t, struct batch *b);
	unsigned burst;
	struct counters count;
	struct batch batch;
	struct rte_mbuf *in[BATCH_MAX];
};

struct options {
	const char *dir;
	const char *core;
	const char *conf; /* in dir; NULL = BENCH_CONF */
	const char *mpps; /* of the source; NULL = net_pcap */
	unsigned warm_ms;
	unsigned window_ms;
	unsigned burst;
	bool huge;
	bool rte_fib;
	unsigned touched; /* touched.h; 0 = conf and dst.bin are there */
	bool each;
	unsigned tx; /* inproc_tx_init() */
	bool is_aged;
	unsigned updates; /* of routes, a second */
	unsigned update_core;
};

void
inproc_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("inproc: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- set-up ------------------------------------------------------------------- */

/* As many as source.c can read through in a second; not more than 2^22. */
static void
write_destinations(const struct options *o)
{
	enum { MANY = 1 << 22 };
	unsigned n =
	    MIN(MAX(4 * o->touched, (unsigned)BENCH_FRAMES), (unsigned)MANY);
	uint32_t state = 1;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/dst.bin", o->dir);
	f = fopen(path, "we");
	if (!f)
		inproc_die("cannot write %s", path);
	for (unsigned i = 0; i < n; i++) {
		uint32_t dst = touched_destination(o->touched, &state);

		if (fwrite(&dst, sizeof(dst), 1, f) != 1)
			inproc_die("cannot write %s", path);
	}
	if (fclose(f) != 0)
		inproc_die("cannot write %s", path);
}

/* The source has no port before DPDK is there: source.c looks at these. */
static void
describe_source(const struct options *o, char *device, size_t size)
{
	char path[512];

	if (!o->mpps) {
		snprintf(device, size,
		    "--vdev=net_pcap0,rx_pcap=%s/source.pcap,infinite_rx=1",
		    o->dir);
		return;
	}
	snprintf(device, size, "--vdev=net_null0,size=%d", BENCH_FRAME_BYTES);
	snprintf(path, sizeof(path), "%s/dst.bin", o->dir);
	setenv("BENCH_SOURCE_DST", path, 1);
	setenv("BENCH_SOURCE_PORT", "net_null0", 1);
	setenv("BENCH_SOURCE_MPPS", o->mpps, 1);
	if (o->is_aged)
		setenv("BENCH_SOURCE_STAMP", "yes", 1);
}

static void
start_eal(const struct options *o)
{
	char prefix[64], source[600];
	char *args[16];
	int n = 0;

	snprintf(
	    prefix, sizeof(prefix), "--file-prefix=europa-bench-%d", getpid());
	describe_source(o, source, sizeof(source));
	args[n++] = strdup("inproc");
	args[n++] = strdup("-l");
	args[n++] = strdup(o->core);
	args[n++] = strdup("--no-pci");
	args[n++] = strdup("--no-telemetry");
	args[n++] = strdup("--log-level=4");
	args[n++] = strdup("--force-max-simd-bitwidth=512");
	args[n++] = prefix;
	args[n++] = source;
	args[n++] = strdup("--vdev=net_null1,no-rx=1");
	if (o->huge) {
		args[n++] = strdup("--in-memory");
	} else {
		args[n++] = strdup("--no-huge");
		args[n++] = strdup("--no-shconf");
		args[n++] = strdup("-m");
		args[n++] = strdup(o->rte_fib ? "768" : "128");
	}
	if (rte_eal_init(n, args) < 0)
		inproc_die("DPDK does not start");
}

static void
start_port(const char *name, uint16_t id)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_mempool *pool = rte_pktmbuf_pool_create(name, MBUFS,
	    MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	/* the port is known by its number: that is its vNIC's */
	if (!pool || rte_eth_dev_configure(id, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup(
		id, 0, DESCS, (unsigned)SOCKET_ID_ANY, NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup(
		id, 0, DESCS, (unsigned)SOCKET_ID_ANY, NULL) < 0 ||
	    rte_eth_dev_start(id) < 0)
		inproc_die("port %s does not start", name);
}

static void
read_conf(const struct options *o, struct routerconf *c)
{
	static char text[] = BENCH_CONF, bare[] = BENCH_CONF_HEAD "end\n";
	char *inside = o->touched ? bare : text;
	char path[512];
	struct err e;
	FILE *in;

	if (o->conf) {
		snprintf(path, sizeof(path), "%s/%s", o->dir, o->conf);
		in = fopen(path, "re");
	} else {
		in = fmemopen(inside, strlen(inside), "r");
	}
	if (!in || routerconf_parse(in, "bench", c, &e) < 0)
		inproc_die("no configuration: %s", in ? e.msg : o->conf);
	fclose(in);
	if (o->touched && !touched_routes(c, o->touched, o->each))
		inproc_die("no memory for routes");
}

struct tables *
inproc_tables(const struct plan *plan)
{
	static uint8_t used[MAX_HOPS];
	struct neighbour hop[MAX_HOPS];
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct tables *t;

	if (plan->n_gateways > MAX_HOPS)
		inproc_die("too many next hops");
	for (unsigned i = 0; i < plan->n_gateways; i++) {
		hop[i] = (struct neighbour){ .ip = plan->gateway[i].ip,
			.vnic = plan->gateway[i].vnic,
			.index = (uint16_t)i };
		bench_mac(BENCH_HOP, hop[i].mac);
	}
	for (unsigned i = 0; i < N_PORTS; i++) {
		ports[i].up = 1;
		ports[i].mtu = plan->vnic[i].mtu;
		memcpy(ports[i].mac, plan->vnic[i].mac, 6);
	}
	t = tables_make(plan, ports, hop, plan->n_gateways, used);
	if (!t)
		inproc_die("no memory for tables");
	return t;
}

static void
set_up(struct forwarder *f, const struct options *o)
{
	struct routerconf c;
	struct plan *plan;

	if (o->touched)
		write_destinations(o);
	start_eal(o);
	inproc_tx_init(o->tx, o->is_aged);
	start_port(o->mpps ? "net_null0" : "net_pcap0", 0);
	start_port("net_null1", 1);
	read_conf(o, &c);
	if (plan_make(&c, &plan) < 0)
		inproc_die("no plan");
	publish_swap(&f->publish, inproc_tables(plan));
	f->burst = o->burst;
	f->lookup = lookup4;
	if (o->rte_fib) {
		inproc_fib_make(&c, plan);
		f->lookup = inproc_fib_lookup;
	}
	if (o->updates > 0)
		inproc_update_start(
		    &c, plan, &f->publish, o->updates, o->update_core);
	else
		plan_free(plan);
	routerconf_clear(&c);
}

/* --- packets ------------------------------------------------------------------- */

/* As transmit() of router/pipeline.c: grouped by the way out. */
static void
transmit(struct forwarder *f, const struct tables *t)
{
	const struct batch *b = &f->batch;
	struct rte_mbuf *out[BATCH_MAX];

	for (uint64_t left = b->alive; left;) {
		unsigned port = t->hop[b->hop[__builtin_ctzll(left)]].vnic;
		unsigned n = 0;

		for (uint64_t mask = left; mask;) {
			unsigned i = batch_pop(&mask);

			if (t->hop[b->hop[i]].vnic != port)
				continue;
			f->in[i]->data_len = b->frame[i].len;
			f->in[i]->pkt_len = b->frame[i].len;
			out[n++] = f->in[i];
			left &= ~(UINT64_C(1) << i);
		}
		inproc_tx(&f->count, port, out, n);
	}
}

static void
turn(struct forwarder *f)
{
	const struct tables *t = publish_enter(&f->publish, 0);
	struct batch *b = &f->batch;
	unsigned n = rte_eth_rx_burst(0, 0, f->in, (uint16_t)f->burst);
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
	if (ether_in(t, b) && check_ip4(t, b) && f->lookup(t, b) &&
	    ttl4(t, b) && rewrite(t, b))
		transmit(f, t);
	for (uint64_t dead = all & ~b->alive; dead;)
		rte_pktmbuf_free(f->in[batch_pop(&dead)]);
	inproc_tx_tick(&f->count);
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
		inproc_die("nothing was forwarded");
	return (struct result){ n * 1000 / (double)(now - start),
		(double)(cpu_ns() - cpu) / n };
}

/* Packets that came and did not leave, since the program began. */
static uint64_t
lost(const struct forwarder *f)
{
	return count_read(&f->count, COUNT_RX) -
	       count_read(&f->count, COUNT_FORWARDED);
}

/* --- what is wanted ---------------------------------------------------------- */

static void
read_option(struct options *o, char *arg)
{
	char *value = strchr(arg, '=');

	if (!value)
		inproc_die("%s: want KEY=VALUE", arg);
	*value++ = '\0';
	if (strcmp(arg, "core") == 0)
		o->core = value;
	else if (strcmp(arg, "conf") == 0)
		o->conf = value;
	else if (strcmp(arg, "mpps") == 0)
		o->mpps = value;
	else if (strcmp(arg, "warm_ms") == 0)
		o->warm_ms = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "window_ms") == 0)
		o->window_ms = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "burst") == 0)
		o->burst = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "huge") == 0)
		o->huge = strcmp(value, "yes") == 0;
	else if (strcmp(arg, "touched") == 0)
		o->touched = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "table") == 0) /* default or each */
		o->each = strcmp(value, "each") == 0;
	else if (strcmp(arg, "tx") == 0)
		o->tx = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "age") == 0)
		o->is_aged = strcmp(value, "yes") == 0;
	else if (strcmp(arg, "updates") == 0)
		o->updates = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "update_core") == 0)
		o->update_core = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(arg, "lookup") == 0) /* fib4 or rte_fib */
		o->rte_fib = strcmp(value, "rte_fib") == 0;
	else
		inproc_die("no such key: %s", arg);
}

int
main(int argc, char **argv)
{
	static struct forwarder f;
	struct options o = {
		.core = "0",
		.warm_ms = 1000,
		.window_ms = 2000,
		.burst = VNIC_BURST,
	};
	struct result r;

	if (argc < 2) {
		fputs("usage: inproc DIR [KEY=VALUE]...\n", stderr);
		return 2;
	}
	o.dir = argv[1];
	for (int i = 2; i < argc; i++)
		read_option(&o, argv[i]);
	if (o.burst == 0 || o.burst > BATCH_MAX)
		inproc_die("burst: 1 to %d", BATCH_MAX);
	if (o.tx > INPROC_TX_MAX || o.touched > TOUCHED_MAX ||
	    (o.each && o.touched > TOUCHED_EACH_MAX))
		inproc_die("tx: 128 at most; touched: see touched.h");
	if ((o.touched || o.is_aged) && !o.mpps)
		inproc_die("touched and age: want mpps");
	set_up(&f, &o);
	run_for(&f, o.warm_ms);
	inproc_tx_count();
	r = run_for(&f, o.window_ms);
	printf("{\"mpps\": %.3f, \"cpu_ns\": %.2f, \"lost\": %llu", r.mpps,
	    r.cpu_ns, (unsigned long long)lost(&f));
	inproc_tx_print();
	if (o.updates > 0)
		inproc_update_stop();
	puts("}");
	publish_destroy(&f.publish);
	return 0;
}
