/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_modules6: the modules for IPv6 and the filter on batches of bytes,
 * and the checks of both protocols, against packets that scapy made
 * (tests/golden/router_packets6.txt).
 */
#include "router/modules.h"

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
#define ETH1 "0a:00:00:00:00:02"
#define HOST_A "0e:00:00:00:00:aa"
#define HOST_B "0e:00:00:00:00:bb"

struct fixture {
	struct plan *plan;
	struct tables *t;
	struct filter_hits hits;
	uint8_t used[8];
	struct batch b;
	struct frame f[BATCH_MAX];
};

#define CONF                                             \
	"vnic 0 eth0 mac " ETH0 " mtu 1500\n"            \
	"address eth0 198.18.0.1/24\n"                   \
	"address eth0 2001:db8::1/64\n"                  \
	"vnic 1 eth1 mac " ETH1 " mtu 1400\n"            \
	"address eth1 198.18.1.1/24\n"                   \
	"address eth1 2001:db8:1::1/64\n"                \
	"vnic 2 eth2 mac 0a:00:00:00:00:03 mtu 1500\n"   \
	"route 198.19.0.0/16 via 198.18.1.7\n"           \
	"route 2001:db8:2::/48 via 2001:db8:1::7\n"      \
	"route 2001:db8:2:9::/64 via fe80::9 dev eth1\n" \
	"route 2001:db8:2:8::/64 via fe80::8 dev eth1\n" \
	"route 2001:db8:3::/48 dev eth2\n"

static struct ip6
address(const char *text)
{
	uint8_t bytes[16];

	frame_ip6_address(text, bytes);
	return ip6_load(bytes);
}

static void
make_tables(struct fixture *x, const char *rules)
{
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct neighbour nb[] = {
		{ .ip = 0xc6120107, .vnic = 1, .index = 1 },
		{ .ip6 = address("2001:db8:1::7"), .vnic = 1, .index = 2 },
		{ .ip6 = address("2001:db8::2"), .vnic = 0, .index = 3 },
		{ .ip6 = address("fe80::9"), .vnic = 1, .index = 4 },
		{ .ip6 = address("fe80::8"), .vnic = 0, .index = 5 },
	};
	char text[4096];

	snprintf(text, sizeof(text), CONF "%send\n", rules);
	x->plan = plan_of(text);
	assert_int_equal(x->plan->n_inactive, 0);
	for (unsigned i = 0; i < 3; i++) {
		ports[i] =
		    (struct port){ .up = i < 2, .mtu = i == 1 ? 1400 : 1500 };
		frame_mac(ETH0, ports[i].mac);
		ports[i].mac[5] = (uint8_t)(i + 1);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(nb); i++)
		frame_mac(i == 2 ? HOST_A : HOST_B, nb[i].mac);
	if (x->plan->filter)
		x->plan->filter->hits = &x->hits;
	x->t = tables_make(x->plan, ports, nb, ARRAY_SIZE(nb), x->used);
	assert_non_null(x->t);
}

static void
drop_tables(struct fixture *x)
{
	tables_free(x->t);
	plan_free(x->plan);
}

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	make_tables(x, "");
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	drop_tables(*state);
	free(*state);
	return 0;
}

static void
load(struct fixture *x, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		x->b.frame[i] = (struct vnic_frame){ .data = x->f[i].b,
			.len = (uint16_t)x->f[i].len };
	batch_begin(&x->b, n);
}

static void
run_all(struct fixture *x)
{
	(void)(ether_in(x->t, &x->b) && check_ip4(x->t, &x->b) &&
	       check_ip6(x->t, &x->b) && filter(x->t, &x->b) &&
	       lookup4(x->t, &x->b) && lookup6(x->t, &x->b) &&
	       ttl4(x->t, &x->b) && hop_limit6(x->t, &x->b) &&
	       rewrite(x->t, &x->b));
}

/* The fate of x->f[0] by all modules; N_FATES = forwarded. */
static unsigned
fate_of(struct fixture *x)
{
	struct frame before = x->f[0];

	load(x, 1);
	run_all(x);
	assert_int_equal(x->b.alive6, 0);
	if (x->b.alive)
		return N_FATES;
	/* who drops out is as it came */
	assert_memory_equal(x->f[0].b, before.b, sizeof(before.b));
	return x->b.fate[0];
}

static struct frame_spec
spec(void)
{
	return (struct frame_spec){ .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = "2001:db8::2",
		.dst = "2001:db8:2::4",
		.payload = 60 };
}

static unsigned
fate_between(struct fixture *x, const char *src, const char *dst)
{
	struct frame_spec s = spec();

	s.src = src;
	s.dst = dst;
	frame_ip6(&x->f[0], &s, 17, NULL);
	return fate_of(x);
}

/* --- golden --------------------------------------------------------------- */

static void
packets_are_forwarded_as_scapy_says(void **state)
{
	static struct frame expected[BATCH_MAX];
	struct fixture *x = *state;
	static struct golden g;
	unsigned n = 0;

	golden_open(&g, "router_packets6.txt");
	while (golden_next(&g, "forward6", 2)) {
		x->f[n].len = frame_hex(g.word[1], x->f[n].b, FRAME_MAX);
		expected[n].len =
		    frame_hex(g.word[2], expected[n].b, FRAME_MAX);
		n++;
	}
	assert_int_equal(n, 60);
	load(x, n);
	run_all(x);
	for (unsigned i = 0; i < n; i++) {
		assert_true(x->b.alive >> i & 1);
		assert_int_equal(x->b.frame[i].len, expected[i].len);
		assert_memory_equal(x->f[i].b, expected[i].b, expected[i].len);
		assert_int_equal(x->t->hop[x->b.hop[i]].vnic, 1);
	}
	assert_int_equal(x->used[2], 1);
	assert_int_equal(x->used[3], 0);
}

static void
check_wrong(struct fixture *x, const char *kind, unsigned expected)
{
	static struct golden g;
	unsigned n = 0;

	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, kind, 2); n++) {
		unsigned fate;

		x->f[0].len = frame_hex(g.word[2], x->f[0].b, FRAME_MAX);
		fate = fate_of(x);
		assert_true(fate < FATE_N_DROPS);
		assert_string_equal(count_name(fate), g.word[1]);
	}
	assert_int_equal(n, expected);
}

static void
wrong_packets_of_scapy_have_their_reasons(void **state)
{
	check_wrong(*state, "wrong4", 34);
	check_wrong(*state, "wrong6", 22);
}

/* --- check_ip6 ------------------------------------------------------------ */

static void
link_local_addresses_do_not_leave_the_link(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(fate_between(x, "2001:db8::2", "fe80::1"), FATE_LOCAL);
	assert_int_equal(fate_between(x, "2001:db8::2", "febf::1"), FATE_LOCAL);
	assert_int_equal(
	    fate_between(x, "2001:db8::2", "fec0::1"), FATE_NO_ROUTE);
	assert_int_equal(
	    fate_between(x, "fe80::2", "2001:db8:2::4"), FATE_SCOPE);
	assert_int_equal(fate_between(x, "fe80::2", "fe80::1"), FATE_LOCAL);
	assert_int_equal(fate_between(x, "fe80::2", "ff02::1"), FATE_LOCAL);
	assert_int_equal(fate_between(x, "fe80::2", "ff01::1"), FATE_LOCAL);
	assert_int_equal(fate_between(x, "fe80::2", "ff03::1"), FATE_MULTICAST);
	assert_int_equal(fate_between(x, "::", "ff02::16"), FATE_LOCAL);
	assert_int_equal(fate_between(x, "::", "ff05::1"), FATE_MARTIAN_SOURCE);
	assert_int_equal(
	    fate_between(x, "::1", "ff02::1"), FATE_MARTIAN_SOURCE);
}

static void
discovery_and_options_go_to_the_slow_path(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	frame_nd(&x->f[0], 135, HOST_A, "::", "ff02::1:ff00:1", "2001:db8::1");
	assert_int_equal(fate_of(x), FATE_ND);
	frame_nd(&x->f[0], 137, HOST_A, "fe80::2", "2001:db8::1", "fe80::3");
	assert_int_equal(fate_of(x), FATE_ND);
	/* from beyond the link it is a packet like any other */
	frame_nd(&x->f[0], 135, HOST_A, "2001:db8::2", "2001:db8:2::4",
	    "2001:db8::1");
	x->f[0].b[0] = 0x0a;
	memcpy(x->f[0].b, (uint8_t[]){ 0x0a, 0, 0, 0, 0, 1 }, 6);
	x->f[0].b[21] = 254;
	assert_int_equal(fate_of(x), N_FATES);
	frame_ip6(&x->f[0], &s, 0, "1100010400000000");
	assert_int_equal(fate_of(x), FATE_OPTIONS);
	frame_ip6(&x->f[0], &s, 60, "1100010400000000");
	assert_int_equal(fate_of(x), N_FATES);
	s.payload = 0;
	frame_ip6(&x->f[0], &s, 59, NULL);
	assert_int_equal(fate_of(x), N_FATES);
	frame_ip6(&x->f[0], &s, 17, NULL);
	assert_int_equal(fate_of(x), FATE_TOTAL_LENGTH);
}

static void
padding_is_cut(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned payload = 1; payload < 20; payload++) {
		s.payload = payload;
		frame_ip6(&x->f[0], &s, 17, NULL);
		x->f[0].len += 9;
		assert_int_equal(fate_of(x), N_FATES);
		assert_int_equal(x->b.frame[0].len,
		    MIN(54 + payload + 9, MAX(54 + payload, 60U)));
	}
}

/* --- lookup6, hop_limit6 -------------------------------------------------- */

static void
each_kind_of_hop_has_its_fate(void **state)
{
	static const struct {
		const char *dst;
		unsigned fate;
	} cases[] = {
		{ "2001:db8::1", FATE_LOCAL },
		{ "2001:db8:1::1", FATE_LOCAL },
		{ "2001:db8::", FATE_LOCAL }, /* the routers' anycast address */
		{ "2001:db8::2", N_FATES },   /* a host, as if a /128 */
		{ "2001:db8::3", FATE_UNRESOLVED },
		{ "2001:db8:1::7", N_FATES },
		{ "2001:db8:1::8", FATE_UNRESOLVED },
		{ "2001:db8:2::1", N_FATES },
		{ "2001:db8:2:9::1", N_FATES },
		/* fe80::8 is known at the other vNIC alone */
		{ "2001:db8:2:8::1", FATE_UNRESOLVED },
		{ "2001:db8:3::1", FATE_VNIC_DOWN },
		{ "2001:db8:4::1", FATE_NO_ROUTE },
		{ "3fff::1", FATE_NO_ROUTE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
		    fate_between(*state, "2001:db8::2", cases[i].dst),
		    cases[i].fate);
}

static void
expired_and_oversize_ones_drop_out(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned limit = 0; limit < 256; limit++) {
		frame_ip6(&x->f[0], &s, 17, NULL);
		x->f[0].b[21] = (uint8_t)limit;
		assert_int_equal(fate_of(x), limit <= 1 ? FATE_TTL : N_FATES);
		if (limit > 1)
			assert_int_equal(x->f[0].b[21], limit - 1);
	}
	s.payload = 1360;
	frame_ip6(&x->f[0], &s, 17, NULL);
	assert_int_equal(fate_of(x), N_FATES);
	s.payload = 1361;
	frame_ip6(&x->f[0], &s, 17, NULL);
	assert_int_equal(fate_of(x), FATE_TOO_BIG);
}

/* --- both ----------------------------------------------------------------- */

static void
a_mixed_batch_is_parted_and_joined(void **state)
{
	struct fixture *x = *state;
	struct frame_spec six = spec();
	struct frame_spec four = spec();

	four.src = "198.18.0.2";
	four.dst = "198.19.3.4";
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		four.ttl = six.ttl = i % 5 ? 9 : 1;
		if (i % 2)
			frame_ip4(&x->f[i], &four);
		else
			frame_ip6(&x->f[i], &six, 17, NULL);
	}
	load(x, BATCH_MAX);
	run_all(x);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		assert_int_equal(x->b.alive >> i & 1, i % 5 != 0);
		if (i % 5 == 0)
			assert_int_equal(x->b.fate[i], FATE_TTL);
		else
			assert_int_equal(x->f[i].b[i % 2 ? 22 : 21], 8);
	}
}

static void
hostile_frames_are_read_within_their_bounds(void **state)
{
	struct fixture *x = *state;

	srand(8200);
	drop_tables(x);
	make_tables(x, "filter 1 deny protocol udp dport 9\n");
	for (unsigned i = 0; i < 100000; i++) {
		struct frame_spec s = spec();
		struct frame f;
		uint8_t *exact;

		s.payload = (unsigned)rand() % 80;
		frame_ip6(&f, &s, i % 3 ? 17 : (uint8_t)rand() % 64, NULL);
		for (unsigned k = (unsigned)rand() % 4; k > 0; k--)
			f.b[14 + rand() % 60] = (uint8_t)rand();
		f.len -= i % 5 ? 0 : (unsigned)rand() % (f.len - 13);
		exact = malloc(f.len);
		assert_non_null(exact);
		memcpy(exact, f.b, f.len);
		x->b.frame[0] = (struct vnic_frame){ .data = exact,
			.len = (uint16_t)f.len };
		batch_begin(&x->b, 1);
		run_all(x);
		free(exact);
	}
}

/* --- filter --------------------------------------------------------------- */

static unsigned
judge(struct fixture *x, const char *rules, const struct frame *f)
{
	unsigned fate;

	drop_tables(x);
	make_tables(x, rules);
	x->f[0] = *f;
	fate = fate_of(x);
	return fate;
}

static void
rules_ask_for_five_things_and_the_vnic(void **state)
{
	static const struct {
		const char *rules;
		unsigned fate;
	} cases[] = {
		{ "filter 1 deny\n", FATE_DENIED },
		{ "filter 1 reject\n", FATE_REJECTED },
		{ "filter 1 permit\nfilter 2 deny\n", N_FATES },
		{ "filter 2 deny\nfilter 1 permit\n", N_FATES },
		{ "filter 1 deny in eth0\n", FATE_DENIED },
		{ "filter 1 deny in eth1\n", N_FATES },
		{ "filter 1 deny protocol udp\n", FATE_DENIED },
		{ "filter 1 deny protocol 17\n", FATE_DENIED },
		{ "filter 1 deny protocol tcp\n", N_FATES },
		{ "filter 1 deny from 2001:db8::/64\n", FATE_DENIED },
		{ "filter 1 deny from 2001:db8::2/128\n", FATE_DENIED },
		{ "filter 1 deny from 2001:db8::3/128\n", N_FATES },
		{ "filter 1 deny to ::/0\n", FATE_DENIED },
		{ "filter 1 deny to 0.0.0.0/0\n", N_FATES },
		{ "filter 1 deny to 2001:db8:2::/48\n", FATE_DENIED },
		{ "filter 1 deny to 2001:db8:3::/48\n", N_FATES },
		{ "filter 1 deny protocol udp dport 515\n", FATE_DENIED },
		{ "filter 1 deny protocol udp dport 514\n", N_FATES },
		{ "filter 1 deny dport 500-600\n", FATE_DENIED },
		{ "filter 1 deny sport 1\n", FATE_DENIED },
		{ "filter 1 deny sport 2-65535\n", N_FATES },
		{ "filter 1 deny sport 0-1 dport 516-65535\n", N_FATES },
	};
	struct fixture *x = *state;
	struct frame_spec s = spec();
	struct frame f;

	frame_ip6(&f, &s, 17, NULL); /* ports 1 and 515 */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(judge(x, cases[i].rules, &f), cases[i].fate);
}

static void
rules_find_the_ports_behind_other_headers(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();
	const char *rule = "filter 1 deny protocol udp dport 515\n";
	struct frame f;

	/* a destination header, then a first piece */
	frame_ip6(&f, &s, 60, "2c000104000000001100000100000001");
	assert_int_equal(judge(x, rule, &f), FATE_DENIED);
	/* a later piece does not have them */
	frame_ip6(&f, &s, 44, "1100000900000001");
	assert_int_equal(judge(x, rule, &f), N_FATES);
	assert_int_equal(
	    judge(x, "filter 1 deny protocol udp\n", &f), FATE_DENIED);
	/* a header that reaches behind the end: its protocol is not known */
	frame_ip6(&f, &s, 60, "11ff010400000000");
	assert_int_equal(judge(x, "filter 1 deny protocol udp\n", &f), N_FATES);
	assert_int_equal(judge(x, "filter 1 deny\n", &f), FATE_DENIED);
	s.src = "198.18.0.2";
	s.dst = "198.19.3.4";
	frame_ip4(&f, &s);
	assert_int_equal(judge(x, rule, &f), FATE_DENIED);
	assert_int_equal(
	    judge(x, "filter 1 deny from 198.18.0.0/24\n", &f), FATE_DENIED);
	assert_int_equal(
	    judge(x, "filter 1 deny from 198.18.1.0/24\n", &f), N_FATES);
	assert_int_equal(judge(x, "filter 1 deny from ::/0\n", &f), N_FATES);
	s.fragment = 5;
	frame_ip4(&f, &s);
	assert_int_equal(judge(x, rule, &f), N_FATES);
}

static uint64_t
hits_of(struct fixture *x, unsigned rule)
{
	return atomic_load_explicit(
	    &x->hits.packets[rule], memory_order_relaxed);
}

static void
rules_count_what_they_match(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	drop_tables(x);
	make_tables(x, "filter 7 permit protocol udp from 2001:db8::2/128\n"
		       "filter 9 deny\n");
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		s.src = i % 4 ? "2001:db8::2" : "2001:db8::3";
		frame_ip6(&x->f[i], &s, 17, NULL);
	}
	for (unsigned turn = 1; turn <= 3; turn++) {
		for (unsigned i = 0; i < BATCH_MAX; i++)
			frame_mac(ETH0, x->f[i].b);
		load(x, BATCH_MAX);
		run_all(x);
		assert_int_equal(hits_of(x, 7), 48 * turn);
		assert_int_equal(hits_of(x, 9), 16 * turn);
		assert_int_equal(__builtin_popcountll(x->b.alive), 48);
	}
	/* new tables, the same numbers: they go on */
	drop_tables(x);
	make_tables(x, "filter 9 permit\n");
	frame_ip6(&x->f[0], &s, 17, NULL);
	assert_int_equal(fate_of(x), N_FATES);
	assert_int_equal(hits_of(x, 9), 49);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(packets_are_forwarded_as_scapy_says),
		TEST(wrong_packets_of_scapy_have_their_reasons),
		TEST(link_local_addresses_do_not_leave_the_link),
		TEST(discovery_and_options_go_to_the_slow_path),
		TEST(padding_is_cut),
		TEST(each_kind_of_hop_has_its_fate),
		TEST(expired_and_oversize_ones_drop_out),
		TEST(a_mixed_batch_is_parted_and_joined),
		TEST(hostile_frames_are_read_within_their_bounds),
		TEST(rules_ask_for_five_things_and_the_vnic),
		TEST(rules_find_the_ports_behind_other_headers),
		TEST(rules_count_what_they_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
