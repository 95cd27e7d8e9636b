/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: what the rules of a filter cost a packet, asked one after the other and
 * found by DPDK's classifier (`filter acl`), behind the same module.
 *
 *	rules [n=RULES] [burst=N] [rounds=N]
 *
 * Each rule names two networks of 24 bits, UDP and a range of ports. Each packet
 * of IPv4 matches one of them, at random (all are permitted), or none: two
 * figures. EUROPA_ROUTER_DPDK says where the shared object is, see
 * europa-router(8). Prints one JSON object: medians in ns a packet.
 */
#include "router/dpdk.h"
#include "router/modules.h"
#include "router/packet.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"
#include "tests/bench/rounds.h"

#include <stdio.h>

enum {
	ROUND_PACKETS = 1 << 16,
	MAX_ROUNDS = 101,
	DPDK_MEMORY = 64, /* MiB */
	N_ENGINES = 2,
	N_KINDS = 2, /* a rule matches, none does */
};

struct field {
	struct filter *filter[N_ENGINES];
	unsigned n_rules;
	unsigned burst;
	uint8_t frame[N_KINDS][BENCH_FRAMES][BENCH_FRAME_BYTES];
};

static void
die(const char *what)
{
	fprintf(stderr, "rules: %s\n", what);
	exit(1);
}

/* --- set-up --------------------------------------------------------------- */

/* The destination of the packets that rule i is about. */
static uint32_t
network(unsigned i)
{
	return 0xc6130000 | i << 8; /* 198.19.i.0/24 */
}

static void
make_rules(struct field *f)
{
	static struct filter_rule rule[FILTER_MAX_RULES];
	struct err e;

	for (unsigned i = 0; i < f->n_rules; i++)
		rule[i] = (struct filter_rule){
			.number = (uint8_t)(i + 1),
			.action = FILTER_PERMIT,
			.family = 4,
			.vnic = FILTER_ANY_VNIC,
			.protocol = IP_UDP,
			.sport = { 0, UINT16_MAX },
			.dport = { 1, 1024 },
			.src = { ip6_of_ip4(0xc6120000), 96 + 24 },
			.dst = { ip6_of_ip4(network(i)), 96 + 24 },
		};
	if (dpdk_start(DPDK_MEMORY, &e) < 0)
		die(e.msg);
	if (filter_make(rule, f->n_rules, &f->filter[0]) < 0 ||
	    filter_make_by(&dpdk_get()->acl, rule, f->n_rules, &f->filter[1]) <
		0)
		die("no filter");
}

static void
make_frames(struct field *f)
{
	uint32_t state = 1;

	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		unsigned k = (frame_random(&state) >> 8) % f->n_rules;

		frame_datagram(f->frame[0][i], BENCH_FRAME_BYTES,
		    network(k) | (frame_random(&state) & 255), i);
		/* beyond all of them */
		frame_datagram(f->frame[1][i], BENCH_FRAME_BYTES,
		    network(200) | (frame_random(&state) & 255), i);
	}
}

/* --- rounds --------------------------------------------------------------- */

static double
run_round(struct field *f, unsigned engine, unsigned kind)
{
	struct tables t = { .filter = f->filter[engine] };
	static struct batch b;
	uint64_t start = bench_now_ns();
	unsigned at = 0, left;

	for (left = ROUND_PACKETS; left >= f->burst; left -= f->burst) {
		for (unsigned i = 0; i < f->burst; i++)
			b.frame[i] = (struct vnic_frame){
				.data = f->frame[kind][at++ % BENCH_FRAMES],
				.len = BENCH_FRAME_BYTES,
			};
		batch_begin(&b, f->burst);
		filter(&t, &b);
		if ((unsigned)__builtin_popcountll(b.alive) != f->burst)
			die("a packet is lost");
	}
	return (double)(bench_now_ns() - start) / (ROUND_PACKETS - left);
}

int
main(int argc, char **argv)
{
	static double ns[N_ENGINES][N_KINDS][MAX_ROUNDS];
	static struct field f = { .burst = BATCH_MAX, .n_rules = 32 };
	unsigned rounds = 11;

	for (int i = 1; i < argc; i++)
		if (sscanf(argv[i], "burst=%u", &f.burst) != 1 &&
		    sscanf(argv[i], "rounds=%u", &rounds) != 1 &&
		    sscanf(argv[i], "n=%u", &f.n_rules) != 1)
			die("want KEY=VALUE");
	if (f.burst == 0 || f.burst > BATCH_MAX || rounds == 0 ||
	    rounds > MAX_ROUNDS || f.n_rules == 0 ||
	    f.n_rules > FILTER_MAX_RULES)
		die("burst: 1 to 64; rounds: 1 to 101; n: 1 to 128");
	make_rules(&f);
	make_frames(&f);
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned e = 0; e < N_ENGINES; e++)
			for (unsigned k = 0; k < N_KINDS; k++)
				ns[e][k][r] = run_round(&f, e, k);
	printf("{\"rules\": %u, \"burst\": %u, \"linear_ns\": %.2f, "
	       "\"acl_ns\": %.2f, \"linear_none_ns\": %.2f, "
	       "\"acl_none_ns\": %.2f}\n",
	    f.n_rules, f.burst, rounds_median(ns[0][0], rounds),
	    rounds_median(ns[1][0], rounds), rounds_median(ns[0][1], rounds),
	    rounds_median(ns[1][1], rounds));
	filter_put(f.filter[0]);
	filter_put(f.filter[1]);
	return 0;
}
