/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths: fast paths alone, in one process: the shipped pipeline on frames in
 * memory, with tables that all of them share and random destinations (MoonRoute
 * paper, figures 7, 8, 9, 12). No ring, no port, no other process: what is left
 * is the router.
 *
 *	paths [KEY=VALUE]...
 *
 *	touched=N	destinations are in N networks of 24 bits (2)
 *	table=default	one default route; each: a route to each of them
 *	burst=N		packets in a batch (64)
 *	cores=A[,B]	a fast path on each (0)
 *	ms=N		how long (1000)
 *	loop=lua	pipeline.lua, or c: the same loop in C
 *	packets=N	so many and no more, not timed: for valgrind; C alone
 *
 * The fixture, which makes the frames, is timed with a loop that does nothing
 * else, and taken off: ns is a packet in the modules and the loop. Prints one
 * JSON object.
 */
#include "router/pipeline.h"
#include "router/plan.h"
#include "router/script.h"
#include "router/script_text.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"
#include "tests/bench/touched.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum {
	MAX_LANES = 2,
	STRIDE = 2112, /* of a pool's slot */
	TEMPLATE = 64,
	MAX_DESTINATIONS = 1 << 22,
	LOOK_AT_CLOCK = 16, /* batches */
};

enum loop { LOOP_NONE, LOOP_C, LOOP_LUA };

struct destination {
	uint32_t dst_be;
	uint16_t checksum_be;
};

struct lane {
	struct path path;
	unsigned core;
	enum loop loop;
	struct script *script;
	unsigned at; /* in the list, and in the pool */
	unsigned turns;
	uint64_t left; /* packets; UINT64_MAX: until the time is over */
	uint64_t until_ns;
	uint64_t n_in, n_out;
	uint64_t ns; /* that it took */
	pthread_t thread;
	uint8_t pool[BENCH_FRAMES][STRIDE];
};

static struct paths {
	struct tables *tables;
	unsigned touched;
	unsigned burst;
	unsigned ms;
	bool each;
	enum loop loop;
	uint64_t packets;
	unsigned n_lanes;
	struct lane lane[MAX_LANES];
	uint8_t template[TEMPLATE];
	unsigned n_dst;
	struct destination *dst;
	pthread_barrier_t start;
} g = { .touched = 2,
	.burst = BATCH_MAX,
	.ms = 1000,
	.loop = LOOP_LUA,
	.n_lanes = 1 };

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "paths: %s\n", what);
	exit(1);
}

/* --- behind path.h -------------------------------------------------------- */

static unsigned
receive(struct path *p)
{
	struct lane *l = CONTAINER_OF(p, struct lane, path);

	if (l->left < g.burst)
		return 0;
	if (l->left != UINT64_MAX)
		l->left -= g.burst;
	else if (l->turns++ % LOOK_AT_CLOCK == 0 &&
		 bench_now_ns() >= l->until_ns)
		return 0;
	for (unsigned i = 0; i < g.burst; i++, l->at++) {
		uint8_t *f = l->pool[l->at % BENCH_FRAMES];
		const struct destination *d = &g.dst[l->at % g.n_dst];

		memcpy(f, g.template, TEMPLATE);
		memcpy(f + FRAME_DST_AT, &d->dst_be, 4);
		memcpy(f + FRAME_CHECKSUM_AT, &d->checksum_be, 2);
		p->batch.frame[i] = (struct vnic_frame){ .data = f,
			.slot = l->at % BENCH_FRAMES,
			.len = BENCH_FRAME_BYTES };
	}
	batch_begin(&p->batch, g.burst);
	p->tables = g.tables;
	l->n_in += g.burst;
	return g.burst;
}

static void
transmit(struct path *p, uint64_t which, int vnic)
{
	(void)vnic;
	CONTAINER_OF(p, struct lane, path)->n_out +=
	    (unsigned)__builtin_popcountll(which);
}

static void
give_back(struct path *p, uint64_t which)
{
	(void)p;
	(void)which;
}

static const struct path_ops ops = {
	.receive = receive,
	.transmit = transmit,
	.give_back = give_back,
};

/* --- set-up --------------------------------------------------------------- */

static void
make_destinations(void)
{
	uint32_t state = 1, base;

	g.n_dst = MIN(MAX((unsigned)BENCH_FRAMES, 4 * g.touched),
	    (unsigned)MAX_DESTINATIONS);
	g.dst = calloc(g.n_dst, sizeof(*g.dst));
	if (!g.dst)
		die("no memory for destinations");
	frame_datagram(g.template, BENCH_FRAME_BYTES, 0, 0);
	store_be16(g.template + FRAME_CHECKSUM_AT, 0);
	base = frame_sum(g.template + 14, 20);
	for (unsigned i = 0; i < g.n_dst; i++) {
		uint32_t dst = touched_destination(g.touched, &state);

		store_be32((uint8_t *)&g.dst[i].dst_be, dst);
		store_be16((uint8_t *)&g.dst[i].checksum_be,
		    frame_checksum(base + (dst >> 16) + (dst & 0xffff)));
	}
}

static void
make_tables(void)
{
	static uint8_t used[BENCH_HOPS];
	static char text[] = BENCH_CONF_HEAD "end\n";
	struct neighbour hop[BENCH_HOPS];
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct plan *plan = NULL;
	struct routerconf c;
	FILE *in = fmemopen(text, strlen(text), "r");

	if (!in || routerconf_parse(in, "bench", &c, NULL) < 0 ||
	    !touched_routes(&c, g.touched, g.each) || plan_make(&c, &plan) < 0)
		die("no table");
	fclose(in);
	for (unsigned i = 0; i < plan->n_gateways; i++) {
		hop[i] = (struct neighbour){ .ip = plan->gateway[i].ip,
			.vnic = plan->gateway[i].vnic,
			.index = (uint16_t)i };
		bench_mac(BENCH_HOP, hop[i].mac);
	}
	for (unsigned i = 0; i < 2; i++) {
		ports[i].up = 1;
		ports[i].mtu = c.vnic[i].mtu;
		memcpy(ports[i].mac, c.vnic[i].mac, 6);
	}
	g.tables = tables_make(plan, ports, hop, plan->n_gateways, used);
	if (!g.tables)
		die("no memory for tables");
	plan_free(plan);
	routerconf_clear(&c);
}

static void
load_script(struct lane *l)
{
	struct script_text t = { .name = "pipeline.lua",
		.text = script_text_pipeline,
		.len = strlen(script_text_pipeline) };
	struct err e;

	if (script_new(&t, &l->script, &e) < 0)
		die(e.msg);
}

/* --- runs ----------------------------------------------------------------- */

static void
run_loop(struct lane *l)
{
	struct err e;

	if (l->loop == LOOP_C)
		pipeline_run(&l->path);
	else if (l->loop == LOOP_LUA && script_run(l->script, &l->path, &e) < 0)
		die(e.msg);
	else if (l->loop == LOOP_NONE)
		while (path_receive(&l->path) > 0)
			path_transmit(&l->path);
}

static void *
run_lane(void *arg)
{
	struct lane *l = arg;
	uint64_t start;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(l->core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("no such core");
	l->path.ops = &ops;
	pthread_barrier_wait(&g.start);
	start = bench_now_ns();
	l->until_ns = start + (uint64_t)g.ms * 1000000;
	run_loop(l);
	l->ns = bench_now_ns() - start;
	return NULL;
}

/* All lanes at once. Returns packets a second, in millions, of all together. */
static double
run_all(enum loop loop)
{
	double mpps = 0;

	if (pthread_barrier_init(&g.start, NULL, g.n_lanes) != 0)
		die("no barrier");
	for (unsigned i = 0; i < g.n_lanes; i++) {
		struct lane *l = &g.lane[i];

		l->loop = loop;
		l->left = g.packets ? g.packets : UINT64_MAX;
		l->n_in = l->n_out = 0;
		if (pthread_create(&l->thread, NULL, run_lane, l) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < g.n_lanes; i++) {
		struct lane *l = &g.lane[i];

		pthread_join(l->thread, NULL);
		if (l->n_out != l->n_in || l->n_out == 0)
			die("packets were lost");
		mpps += (double)l->n_out * 1000 / (double)l->ns;
	}
	pthread_barrier_destroy(&g.start);
	return mpps;
}

static double
tsc_ghz(void)
{
#ifdef __x86_64__
	uint64_t ns = bench_now_ns(), ticks = __builtin_ia32_rdtsc();

	bench_sleep_ms(50);
	return (double)(__builtin_ia32_rdtsc() - ticks) /
	       (double)(bench_now_ns() - ns);
#else
	return 0;
#endif
}

static void
measure(void)
{
	double n = g.n_lanes, fixture, mpps, ns;

	run_all(g.loop); /* it is compiled now, and the caches are warm */
	fixture = n * 1000 / run_all(LOOP_NONE);
	mpps = run_all(g.loop);
	ns = n * 1000 / mpps - fixture;
	printf("{\"mpps\": %.3f, \"cpu_ns\": %.3f, \"fixture_ns\": %.3f, "
	       "\"cycles\": %.1f}\n",
	    n * 1000 / ns, ns, fixture, ns * tsc_ghz());
}

static void
read_option(const char *arg)
{
	unsigned long long packets;

	if (sscanf(arg, "packets=%llu", &packets) == 1)
		g.packets = packets;
	else if (sscanf(arg, "cores=%u,%u", &g.lane[0].core, &g.lane[1].core) ==
		 2)
		g.n_lanes = 2;
	else if (strcmp(arg, "table=each") == 0 ||
		 strcmp(arg, "table=default") == 0)
		g.each = arg[6] == 'e';
	else if (strcmp(arg, "loop=c") == 0 || strcmp(arg, "loop=lua") == 0)
		g.loop = arg[5] == 'c' ? LOOP_C : LOOP_LUA;
	else if (sscanf(arg, "touched=%u", &g.touched) != 1 &&
		 sscanf(arg, "burst=%u", &g.burst) != 1 &&
		 sscanf(arg, "ms=%u", &g.ms) != 1 &&
		 sscanf(arg, "cores=%u", &g.lane[0].core) != 1)
		die("the keys are at the top of paths.c");
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		read_option(argv[i]);
	if (g.burst == 0 || g.burst > BATCH_MAX)
		die("burst: 1 to 64");
	if (g.touched == 0 || g.touched > TOUCHED_MAX ||
	    (g.each && g.touched > TOUCHED_EACH_MAX))
		die("touched: too many, or none");
	make_tables();
	make_destinations();
	if (g.packets) {
		run_all(LOOP_C);
		return 0;
	}
	for (unsigned i = 0; i < g.n_lanes; i++)
		load_script(&g.lane[i]);
	measure();
	return 0;
}
