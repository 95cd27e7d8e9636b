/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_scatter: the three ways to take packets out of a batch
 * (tests/bench/scatter.h) do the same: batches of golden packets of both
 * families, of which up to half are complex, come out equal byte by byte, with
 * the same fates, in the same order within a family.
 */
#include "tests/bench/scatter.h"

#include "lib/base.h"
#include "router/count.h"
#include "router/packet.h"
#include "router/plan.h"
#include "tests/unit/conf_text.h"
#include "tests/unit/frame_maker.h"
#include "tests/unit/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ETH0 "0a:00:00:00:00:01"

enum { MAX_PACKETS = 256, BATCHES = 300, NOT_SEEN = 0xff };

/* What became of a batch, by slot. */
struct outcome {
	uint8_t vnic[BATCH_MAX]; /* NOT_SEEN: not sent */
	uint8_t fate[BATCH_MAX]; /* NOT_SEEN: not ended */
	uint16_t len[BATCH_MAX];
	unsigned n_sent, n_ended;
	unsigned n4, n6; /* sent, in their order: */
	uint8_t order4[BATCH_MAX], order6[BATCH_MAX];
	struct frame f[BATCH_MAX];
};

struct fixture {
	struct plan *plan;
	struct tables *t;
	uint8_t used[4];
	unsigned n_simple, n_complex;
	struct frame simple[MAX_PACKETS], complex[MAX_PACKETS];
	unsigned which[BATCH_MAX];
	struct outcome out[N_SCATTER_WAYS];
};

static const char conf[] = "vnic 0 eth0 mac " ETH0 " mtu 1500\n"
			   "address eth0 198.18.0.1/24\n"
			   "address eth0 2001:db8::1/64\n"
			   "vnic 1 eth1 mac 0a:00:00:00:00:02 mtu 1400\n"
			   "address eth1 198.18.1.1/24\n"
			   "address eth1 2001:db8:1::1/64\n"
			   "route 198.19.0.0/16 via 198.18.1.7\n"
			   "route 2001:db8:2::/48 via 2001:db8:1::7\n"
			   "filter 1 deny protocol udp dport 9\n"
			   "end\n";

/* --- packets -------------------------------------------------------------- */

static void
add(struct frame *list, unsigned *n, const char *hex, unsigned type)
{
	struct frame *f = &list[*n];
	unsigned at = 0;

	assert_true(*n < MAX_PACKETS);
	if (type) { /* the golden line begins with the IP header */
		frame_mac(ETH0, f->b);
		frame_mac("0e:00:00:00:00:aa", f->b + 6);
		store_be16(f->b + ETH_TYPE, (uint16_t)type);
		at = ETH_BYTES;
	}
	f->len = at + frame_hex(hex, f->b + at, FRAME_MAX - at);
	++*n;
}

static void
read_packets(struct fixture *x)
{
	static const struct {
		const char *file, *word;
		unsigned at;
		bool is_simple;
		uint16_t type;
	} kinds[] = {
		{ "router_packets.txt", "forward", 1, true, 0 },
		{ "router_packets6.txt", "forward6", 1, true, 0 },
		{ "router_packets6.txt", "wrong4", 2, false, 0 },
		{ "router_packets6.txt", "wrong6", 2, false, 0 },
		{ "router_packets.txt", "arp", 5, false, 0 },
		{ "router_packets.txt", "error", 4, false, ETHERTYPE_IP4 },
		{ "router_packets6.txt", "error6", 4, false, ETHERTYPE_IP6 },
	};
	static struct golden g;

	for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
		golden_open(&g, kinds[k].file);
		while (golden_next(&g, kinds[k].word, kinds[k].at))
			/* a slot here holds no more */
			if (strlen(g.word[kinds[k].at]) / 2 + ETH_BYTES <=
			    FRAME_MAX)
				add(kinds[k].is_simple ? x->simple : x->complex,
				    kinds[k].is_simple ? &x->n_simple
						       : &x->n_complex,
				    g.word[kinds[k].at], kinds[k].type);
	}
	assert_true(x->n_simple >= 120);
	assert_true(x->n_complex >= 100);
}

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct neighbour nb[] = {
		{ .ip = 0xc6120107, .vnic = 1, .index = 1 },
		{ .vnic = 1, .index = 2 },
	};
	uint8_t bytes[16];

	x->plan = plan_of(conf);
	for (unsigned i = 0; i < 2; i++) {
		ports[i] = (struct port){ .up = 1, .mtu = i ? 1400 : 1500 };
		frame_mac(ETH0, ports[i].mac);
		ports[i].mac[5] = (uint8_t)(i + 1);
	}
	for (unsigned i = 0; i < 2; i++)
		frame_mac("0e:00:00:00:00:bb", nb[i].mac);
	frame_ip6_address("2001:db8:1::7", bytes);
	nb[1].ip6 = ip6_load(bytes);
	x->t = tables_make(x->plan, ports, nb, 2, x->used);
	assert_non_null(x->t);
	read_packets(x);
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	tables_free(x->t);
	plan_free(x->plan);
	free(x);
	return 0;
}

/* --- a batch, three times ------------------------------------------------- */

static void
on_send(void *arg, unsigned vnic, const struct vnic_frame *f, unsigned n)
{
	struct outcome *o = arg;

	for (unsigned i = 0; i < n; i++) {
		uint8_t slot = (uint8_t)f[i].slot;

		assert_int_equal(o->vnic[slot], NOT_SEEN);
		o->vnic[slot] = (uint8_t)vnic;
		o->len[slot] = f[i].len;
		assert_ptr_equal(f[i].data, o->f[slot].b);
		if (load_be16(f[i].data + ETH_TYPE) == ETHERTYPE_IP6)
			o->order6[o->n6++] = slot;
		else
			o->order4[o->n4++] = slot;
	}
	o->n_sent += n;
}

static void
on_end(void *arg, enum fate fate, const struct vnic_frame *f, unsigned n)
{
	struct outcome *o = arg;

	assert_true(n > 0);
	for (unsigned i = 0; i < n; i++) {
		uint8_t slot = (uint8_t)f[i].slot;

		assert_int_equal(o->fate[slot], NOT_SEEN);
		o->fate[slot] = (uint8_t)fate;
		o->len[slot] = f[i].len;
	}
	o->n_ended += n;
}

static void
run(struct fixture *x, enum scatter_way way, unsigned n)
{
	struct outcome *o = &x->out[way];
	struct scatter_sink to = { on_send, on_end, o };
	struct vnic_frame frame[BATCH_MAX];

	memset(o, 0, offsetof(struct outcome, f));
	memset(o->vnic, NOT_SEEN, sizeof(o->vnic));
	memset(o->fate, NOT_SEEN, sizeof(o->fate));
	for (unsigned i = 0; i < n; i++) {
		unsigned k = x->which[i];

		o->f[i] = k < MAX_PACKETS ? x->simple[k]
					  : x->complex[k - MAX_PACKETS];
		frame[i] = (struct vnic_frame){ .data = o->f[i].b,
			.slot = i,
			.len = (uint16_t)o->f[i].len };
	}
	scatter(way, x->t, frame, n, &to);
	/* each packet has one end, and both ends are not the same one */
	assert_int_equal(o->n_sent + o->n_ended, n);
	for (unsigned i = 0; i < n; i++)
		assert_true(
		    (o->vnic[i] == NOT_SEEN) != (o->fate[i] == NOT_SEEN));
}

static void
expect_equal(const struct fixture *x, enum scatter_way way, unsigned n)
{
	const struct outcome *a = &x->out[SCATTER_DROP_OUT];
	const struct outcome *b = &x->out[way];

	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(a->vnic[i], b->vnic[i]);
		assert_int_equal(a->fate[i], b->fate[i]);
		assert_int_equal(a->len[i], b->len[i]);
		assert_memory_equal(a->f[i].b, b->f[i].b, FRAME_MAX);
	}
	assert_int_equal(a->n4, b->n4);
	assert_int_equal(a->n6, b->n6);
	assert_memory_equal(a->order4, b->order4, a->n4);
	assert_memory_equal(a->order6, b->order6, a->n6);
}

static uint32_t
random32(void)
{
	static uint64_t seed = 88172645463325252;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

static void
the_three_ways_do_the_same(void **state)
{
	static const unsigned percent[] = { 0, 1, 2, 5, 10, 20, 50 };
	struct fixture *x = *state;
	unsigned seen[N_FATES] = { 0 }, n_kinds = 0;

	for (unsigned p = 0; p < ARRAY_SIZE(percent); p++) {
		unsigned n_sent = 0, n_ended = 0;

		for (unsigned k = 0; k < BATCHES; k++) {
			const struct outcome *o = &x->out[SCATTER_DROP_OUT];
			unsigned n = 1 + random32() % BATCH_MAX;

			for (unsigned i = 0; i < n; i++)
				x->which[i] =
				    random32() % 100 < percent[p]
					? MAX_PACKETS +
					      random32() % x->n_complex
					: random32() % x->n_simple;
			for (unsigned way = 0; way < N_SCATTER_WAYS; way++)
				run(x, (enum scatter_way)way, n);
			expect_equal(x, SCATTER_ARRAYS, n);
			expect_equal(x, SCATTER_MASKS, n);
			n_sent += o->n_sent;
			n_ended += o->n_ended;
			for (unsigned i = 0; i < n; i++)
				if (o->fate[i] != NOT_SEEN)
					seen[o->fate[i]]++;
		}
		assert_true(n_sent > 0);
		/* there were as many complex ones as it says */
		assert_true(n_ended * 100 + BATCHES * 32 >=
			    percent[p] * (n_sent + n_ended) / 2);
		assert_true(percent[p] > 0 || n_ended * 20 < n_sent);
	}
	for (unsigned i = 0; i < N_FATES; i++)
		n_kinds += seen[i] > 0;
	assert_true(n_kinds >= 12);
}

/* The way of the router is that of pipeline.lua: what scapy says comes out. */
static void
each_way_forwards_as_scapy_says(void **state)
{
	struct fixture *x = *state;
	static struct golden g;
	static struct frame expected;
	unsigned n = 0;

	golden_open(&g, "router_packets.txt");
	for (; golden_next(&g, "forward", 2); n++) {
		expected.len = frame_hex(g.word[2], expected.b, FRAME_MAX);
		x->which[0] = n;
		for (unsigned way = 0; way < N_SCATTER_WAYS; way++) {
			const struct outcome *o = &x->out[way];

			run(x, (enum scatter_way)way, 1);
			assert_int_equal(o->n_sent, 1);
			assert_int_equal(o->len[0], expected.len);
			assert_memory_equal(
			    o->f[0].b, expected.b, expected.len);
		}
	}
	assert_int_equal(n, 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_three_ways_do_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    each_way_forwards_as_scapy_says, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
