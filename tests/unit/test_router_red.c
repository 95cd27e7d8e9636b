/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_red: examples/red.lua as it stands there, on packets and a clock
 * that are made up, with a known row of random numbers: it takes out just those
 * packets that a model of Random Early Detection in C takes out, and keeps the
 * promises of RED, whatever the model says.
 */
#include "lib/base.h"
#include "router/path.h"
#include "router/plan.h"
#include "router/script.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* As in the example. */
static const double rate = 10000, weight = 0.002, min = 50, max = 150,
		    max_p = 0.1;

/* Minimal standard random numbers (Park and Miller, 1988), exact in doubles. */
#define RANDOM                                     \
	"local state = 1\n"                        \
	"math.random = function()\n"               \
	"   state = state * 16807 %% 2147483647\n" \
	"   return state / 2147483647\n"           \
	"end\n"

static double
next_random(void)
{
	static uint64_t state = 1;

	state = state * 16807 % 2147483647;
	return (double)state / 2147483647;
}

/* --- the model ------------------------------------------------------------ */

struct model {
	double queue, average, since, seen_us;
};

static void
model_drain(struct model *m, double now_us)
{
	double taken = (now_us - m->seen_us) * rate / 1e6;

	if (taken > m->queue) {
		m->average *= pow(1 - weight, taken - m->queue);
		m->queue = 0;
	} else {
		m->queue -= taken;
	}
	m->seen_us = now_us;
}

static bool
model_passes(struct model *m)
{
	double p;

	m->average += weight * (m->queue - m->average);
	if (m->average < min) {
		m->since = 0;
	} else if (m->average >= max) {
		m->since = 0;
		return false;
	} else {
		m->since++;
		p = max_p * (m->average - min) / (max - min);
		if (next_random() < p / fmax(1 - m->since * p, p)) {
			m->since = 0;
			return false;
		}
	}
	m->queue++;
	return true;
}

/* --- the stage ------------------------------------------------------------ */

enum { FRAME_BYTES = 60, HOP = HOP_I_GATEWAY, N_PHASES = 4 };

/* Batches of n packets, so many us apart. */
struct phase {
	unsigned batches, n, us;
	unsigned n_sent, n_dropped; /* what came of them */
	double longest;             /* queue */
};

struct stage {
	struct path path;
	struct tables tables;
	struct hop hop[HOP + 1];
	uint8_t used[1];
	struct phase *phase;
	unsigned at, batch;
	uint64_t now_us;
	uint64_t expected; /* frames of this batch that pass */
	struct model model;
	uint8_t data[BATCH_MAX][FRAME_BYTES];
};

static unsigned
receive(struct path *p)
{
	struct stage *s = CONTAINER_OF(p, struct stage, path);
	struct phase *ph;

	while (s->at < N_PHASES && s->batch == s->phase[s->at].batches) {
		s->at++;
		s->batch = 0;
	}
	if (s->at == N_PHASES)
		return 0;
	ph = &s->phase[s->at];
	s->batch++;
	s->now_us += ph->us;
	s->expected = 0;
	for (unsigned i = 0; i < ph->n; i++) {
		p->batch.frame[i] = (struct vnic_frame){
			.data = s->data[i], .slot = i, .len = FRAME_BYTES
		};
		p->batch.hop[i] = HOP;
		model_drain(&s->model, (double)s->now_us);
		if (model_passes(&s->model))
			s->expected |= UINT64_C(1) << i;
		ph->longest = fmax(ph->longest, s->model.queue);
	}
	batch_begin(&p->batch, ph->n);
	p->tables = &s->tables;
	return ph->n;
}

static void
transmit(struct path *p, uint64_t which, int vnic)
{
	struct stage *s = CONTAINER_OF(p, struct stage, path);

	assert_int_equal(vnic, -1);
	assert_int_equal(which, s->expected);
	s->phase[s->at].n_sent += (unsigned)__builtin_popcountll(which);
}

static void
give_back(struct path *p, uint64_t which)
{
	struct stage *s = CONTAINER_OF(p, struct stage, path);

	assert_int_equal(which & s->expected, 0);
	s->phase[s->at].n_dropped += (unsigned)__builtin_popcountll(which);
	for (uint64_t mask = which; mask;)
		assert_int_equal(
		    p->batch.fate[batch_pop(&mask)], FATE_PIPELINE);
}

static uint64_t
now_ns(const struct path *p)
{
	const struct stage *s = (const struct stage *)(const void *)p;

	return s->now_us * 1000;
}

static const struct path_ops ops = { .receive = receive,
	.transmit = transmit,
	.give_back = give_back,
	.now_ns = now_ns };

/* The example, its modules taken out: the made-up packets are forwarded. */
static struct script *
load(void)
{
	static const char no_steps[] =
	    "for _, name in ipairs {'ether_in', 'check_ip4', 'check_ip6',\n"
	    "   'filter', 'lookup4', 'lookup6', 'ttl4', 'hop_limit6',\n"
	    "   'rewrite'} do pipeline.steps:remove(name) end\n";
	static char text[16384];
	const char *src = getenv("EUROPA_SRCDIR");
	struct script_text t = { .name = "red.lua", .text = text };
	struct script *s;
	char path[512], file[8192] = "", *end;
	struct err e;
	FILE *in;

	snprintf(path, sizeof(path), "%s/examples/red.lua", src ? src : ".");
	in = fopen(path, "r");
	assert_non_null(in);
	assert_true(fread(file, 1, sizeof(file) - 1, in) > 1000);
	fclose(in);
	end = strstr(file, "return pipeline\n");
	assert_non_null(end);
	assert_string_equal(end, "return pipeline\n");
	*end = '\0';
	snprintf(
	    text, sizeof(text), RANDOM "%s%sreturn pipeline\n", file, no_steps);
	t.len = strlen(text);
	if (script_new(&t, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static void
it_drops_early_at_random_and_in_time(void **state)
{
	/* half the rate; twice the rate; half of it again; and after a rest */
	struct phase phase[N_PHASES] = {
		{ .batches = 2000, .n = 1, .us = 200 },
		{ .batches = 2000, .n = 20, .us = 1000 },
		{ .batches = 2000, .n = 1, .us = 200 },
		{ .batches = 1, .n = 64, .us = 10000000 },
	};
	static struct stage s;
	struct script *script = load();
	unsigned traces, aborts;
	struct err e;

	(void)state;
	s.phase = phase;
	s.path.ops = &ops;
	s.hop[HOP] = (struct hop){ .kind = HOP_FORWARD, .vnic = 1 };
	s.tables.hop = s.hop;
	s.tables.n_hops = ARRAY_SIZE(s.hop);
	s.tables.used = s.used;
	if (script_run(script, &s.path, &e) < 0)
		fail_msg("%s", e.msg);
	script_counts(script, &traces, &aborts);
	script_free(script);
	assert_int_equal(s.at, N_PHASES);
	for (unsigned i = 0; i < N_PHASES; i++)
		assert_int_equal(phase[i].n_sent + phase[i].n_dropped,
		    phase[i].batches * phase[i].n);
	/* a link that keeps up loses nothing */
	assert_int_equal(phase[0].n_dropped, 0);
	/* 2 s at twice the rate: the link is busy, and its queue is bounded */
	assert_in_range(phase[1].n_sent, 19000, 20000 + 1000);
	assert_true(phase[1].longest < 1000);
	assert_true(phase[1].longest > max / 2);
	/* the average falls soon; then nothing is lost again */
	assert_true(phase[2].n_dropped < phase[2].batches / 4);
	assert_int_equal(phase[3].n_dropped, 0);
	assert_true(traces > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_drops_early_at_random_and_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
