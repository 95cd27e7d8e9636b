/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loops: what it costs that the forwarding loop is Lua. The same modules, the
 * same tables, the same frames and bursts, once with the loop of pipeline.lua
 * and once with that loop in C, in turns, in one thread; no ring and no other
 * process, which would only make the difference smaller.
 *
 *	loops [burst=N] [rounds=N] [pipeline=FILE]
 *
 * The fixture fetches frames and takes them back; its own time is measured with
 * a loop that does nothing else, and taken off. Prints one JSON object: medians
 * in ns a packet, and what the compiler gave up.
 */
#include "router/pipeline.h"
#include "router/script.h"
#include "router/script_text.h"
#include "tests/bench/bench.h"
#include "tests/bench/frame.h"
#include "tests/bench/rounds.h"

#include <stdio.h>

enum {
	STRIDE = 2112, /* of a pool's slot */
	ROUND_PACKETS = 1 << 20,
	MAX_ROUNDS = 101,
};

struct loops {
	struct path path;
	struct tables *tables;
	unsigned burst;
	unsigned at;
	unsigned left;  /* packets, in this round */
	unsigned n_out; /* all rounds */
	uint8_t header[BENCH_FRAMES][64];
	uint8_t pool[BENCH_FRAMES][STRIDE];
};

static void
die(const char *what)
{
	fprintf(stderr, "loops: %s\n", what);
	exit(1);
}

/* --- behind path.h -------------------------------------------------------- */

static unsigned
receive(struct path *p)
{
	struct loops *l = CONTAINER_OF(p, struct loops, path);

	if (l->left < l->burst)
		return 0;
	l->left -= l->burst;
	for (unsigned i = 0; i < l->burst; i++) {
		unsigned slot = l->at++ % BENCH_FRAMES;

		memcpy(l->pool[slot], l->header[slot], 64);
		p->batch.frame[i] = (struct vnic_frame){
			.data = l->pool[slot],
			.slot = slot,
			.len = BENCH_FRAME_BYTES,
		};
	}
	batch_begin(&p->batch, l->burst);
	p->tables = l->tables;
	return l->burst;
}

static void
transmit(struct path *p, uint64_t which, int vnic)
{
	struct loops *l = CONTAINER_OF(p, struct loops, path);

	(void)vnic;
	l->n_out += (unsigned)__builtin_popcountll(which);
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
make_frames(struct loops *l)
{
	uint32_t state = 1;

	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		uint32_t host = frame_random(&state) >> 16;

		frame_datagram(
		    l->header[i], BENCH_FRAME_BYTES, 0xc6130000 | host, i);
	}
}

static struct script *
load(const char *file)
{
	static char text[SCRIPT_MAX_TEXT];
	struct script_text t = { .name = "pipeline.lua",
		.text = script_text_pipeline,
		.len = strlen(script_text_pipeline) };
	struct script *s;
	struct err e;

	if (file) {
		FILE *in = fopen(file, "r");

		t = (struct script_text){ .name = file, .text = text };
		t.len = in ? fread(text, 1, sizeof(text), in) : 0;
	}
	if (script_new(&t, &s, &e) < 0)
		die(e.msg);
	if (script_is_c(s))
		die("no pipeline in Lua");
	return s;
}

/* --- rounds --------------------------------------------------------------- */

enum loop { LOOP_NONE, LOOP_C, LOOP_LUA, N_LOOPS };

static double
run_round(struct loops *l, enum loop which, struct script *s)
{
	unsigned before = l->n_out;
	uint64_t start;
	struct err e;

	l->left = ROUND_PACKETS;
	start = bench_now_ns();
	if (which == LOOP_C)
		pipeline_run(&l->path);
	else if (which == LOOP_LUA && script_run(s, &l->path, &e) < 0)
		die(e.msg);
	else if (which == LOOP_NONE)
		while (path_receive(&l->path) > 0)
			path_transmit(&l->path);
	if (l->n_out - before < ROUND_PACKETS - l->burst)
		die("packets were lost");
	return (double)(bench_now_ns() - start) / ROUND_PACKETS;
}

int
main(int argc, char **argv)
{
	static double ns[N_LOOPS][MAX_ROUNDS];
	static struct loops l = { .burst = BATCH_MAX };
	unsigned rounds = 21, traces, aborts;
	const char *file = NULL;
	struct script *s;
	double none, c, lua;

	for (int i = 1; i < argc; i++)
		if (sscanf(argv[i], "burst=%u", &l.burst) != 1 &&
		    sscanf(argv[i], "rounds=%u", &rounds) != 1) {
			if (strncmp(argv[i], "pipeline=", 9) != 0)
				die("want KEY=VALUE");
			file = argv[i] + 9;
		}
	if (l.burst == 0 || l.burst > BATCH_MAX || rounds == 0 ||
	    rounds > MAX_ROUNDS)
		die("burst: 1 to 64; rounds: 1 to 101");
	l.path.ops = &ops;
	l.tables = rounds_tables();
	make_frames(&l);
	s = load(file);
	run_round(&l, LOOP_LUA, s); /* it is compiled now */
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned k = 0; k < N_LOOPS; k++)
			ns[k][r] = run_round(&l, (enum loop)k, s);
	none = rounds_median(ns[LOOP_NONE], rounds);
	c = rounds_median(ns[LOOP_C], rounds) - none;
	lua = rounds_median(ns[LOOP_LUA], rounds) - none;
	script_counts(s, &traces, &aborts);
	printf("{\"burst\": %u, \"c_ns\": %.3f, \"lua_ns\": %.3f, "
	       "\"fixture_ns\": %.3f, \"ratio\": %.4f, \"traces\": %u, "
	       "\"aborts\": %u}\n",
	    l.burst, c, lua, none, c / lua, traces, aborts);
	script_free(s);
	tables_free(l.tables);
	return 0;
}
