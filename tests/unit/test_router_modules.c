/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_modules: each module of the fast path on batches of bytes,
 * against packets that scapy made (tests/golden/router_packets.txt) and against
 * a model that recomputes everything.
 */
#include "router/modules.h"

#include "lib/base.h"
#include "router/packet.h"
#include "router/plan.h"
#include "tests/unit/conf_text.h"
#include "tests/unit/frame_maker.h"

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
	uint8_t used[4];
	struct batch b;
	struct frame f[BATCH_MAX];
};

static const char conf_text[] = "vnic 0 eth0 mac " ETH0 " mtu 1500\n"
				"address eth0 198.18.0.1/24\n"
				"vnic 1 eth1 mac " ETH1 " mtu 1500\n"
				"address eth1 198.18.1.1/24\n"
				"vnic 2 eth2 mac 0a:00:00:00:00:03 mtu 1500\n"
				"route 198.19.0.0/16 via 198.18.1.7\n"
				"route 198.19.9.0/24 via 198.18.1.8\n"
				"route 203.0.113.0/24 dev eth2\n"
				"end\n";

static int
set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct port ports[VNIC_MAX_VNICS] = { 0 };
	struct neighbour nb[] = {
		{ .ip = 0xc6120107, .vnic = 1, .index = 2 },
		{ .ip = 0xc6120002, .vnic = 0, .index = 3 },
	};

	x->plan = plan_of(conf_text);
	for (unsigned i = 0; i < 3; i++) {
		ports[i] = (struct port){ .up = i < 2, .mtu = 1500 };
		frame_mac(ETH0, ports[i].mac);
		ports[i].mac[5] = (uint8_t)(i + 1);
	}
	frame_mac(HOST_B, nb[0].mac);
	frame_mac(HOST_A, nb[1].mac);
	x->t = tables_make(x->plan, ports, nb, 2, x->used);
	assert_non_null(x->t);
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

/* Puts n frames of x->f, which came in through vNIC 0, into the batch. */
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
	       filter(x->t, &x->b) && lookup4(x->t, &x->b) &&
	       ttl4(x->t, &x->b) && rewrite(x->t, &x->b));
}

static struct frame_spec
spec(void)
{
	return (struct frame_spec){ .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = "198.18.0.2",
		.dst = "198.19.3.4",
		.payload = 60 };
}

/* The fate of x->f[0] by all modules; N_FATES = forwarded. */
static unsigned
fate_of(struct fixture *x)
{
	struct frame before = x->f[0];

	load(x, 1);
	run_all(x);
	if (x->b.alive)
		return N_FATES;
	/* who drops out is as it came */
	assert_memory_equal(x->f[0].b, before.b, sizeof(before.b));
	return x->b.fate[0];
}

static unsigned
fate_to(struct fixture *x, const char *dst)
{
	struct frame_spec s = spec();

	s.dst = dst;
	frame_ip4(&x->f[0], &s);
	return fate_of(x);
}

static unsigned
fate_from(struct fixture *x, const char *src)
{
	struct frame_spec s = spec();

	s.src = src;
	frame_ip4(&x->f[0], &s);
	return fate_of(x);
}

/* --- golden --------------------------------------------------------------- */

static void
packets_are_forwarded_as_scapy_says(void **state)
{
	struct fixture *x = *state;
	static struct frame expected[BATCH_MAX];
	static char line[16384], in[4096], out[4096];
	char path[512];
	const char *src = getenv("EUROPA_SRCDIR");
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/golden/router_packets.txt",
	    src ? src : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	while (n < BATCH_MAX && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "forward %4095s %4095s", in, out) != 2)
			continue;
		x->f[n].len = frame_hex(in, x->f[n].b, FRAME_MAX);
		expected[n].len = frame_hex(out, expected[n].b, FRAME_MAX);
		n++;
	}
	fclose(f);
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

/* --- ether_in ------------------------------------------------------------- */

/* IPv4 to groups of the link is for Linux beside us, if it is there. */
static void
groups_of_the_link_are_for_linux(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	s.dst_mac = "01:00:5e:00:00:05";
	s.dst = "224.0.0.5";
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_GROUP_MAC);
	x->t->twins = 1;
	assert_int_equal(fate_of(x), FATE_CONTROL);
	s.dst_mac = "01:00:5e:00:01:05";
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_GROUP_MAC);
	s.dst_mac = "ff:ff:ff:ff:ff:ff";
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_GROUP_MAC);
	s.dst_mac = HOST_B;
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_FOREIGN_MAC);
}

static void
a_frame_is_for_us_or_not(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned len = 0; len < 14; len++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].len = len;
		assert_int_equal(fate_of(x), FATE_RUNT);
	}
	s.dst_mac = ETH1; /* of our other vNIC */
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_FOREIGN_MAC);
	s.dst_mac = "ff:ff:ff:ff:ff:ff";
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_GROUP_MAC);
	frame_arp(&x->f[0], 1, HOST_A, "198.18.0.2", NULL, "198.18.0.1");
	assert_int_equal(fate_of(x), FATE_ARP);
	frame_arp(&x->f[0], 2, HOST_A, "198.18.0.2", ETH0, "198.18.0.1");
	assert_int_equal(fate_of(x), FATE_ARP);
	frame_arp(&x->f[0], 2, HOST_A, "198.18.0.2", HOST_B, "198.18.0.1");
	assert_int_equal(fate_of(x), FATE_FOREIGN_MAC);
	frame_arp(&x->f[0], 2, HOST_A, "198.18.0.2", ETH0, "198.18.0.1");
	x->f[0].b[12] = 0x86;
	x->f[0].b[13] = 0xdd;
	load(x, 1);
	assert_true(ether_in(x->t, &x->b));
	assert_int_equal(x->b.alive, 0);
	assert_int_equal(x->b.alive6, 1);
	x->f[0].b[12] = 0x81;
	x->f[0].b[13] = 0x00;
	assert_int_equal(fate_of(x), FATE_ETHERTYPE);
}

/* --- check_ip4 ------------------------------------------------------------ */

static void
the_five_checks_of_rfc_1812(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned len = 14; len < 34; len++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].len = len;
		assert_int_equal(fate_of(x), FATE_SHORT);
	}
	for (unsigned v = 0; v < 16; v++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].b[14] = (uint8_t)(v << 4 | 5);
		frame_fix_checksum(&x->f[0]);
		assert_int_equal(fate_of(x), v == 4 ? N_FATES : FATE_VERSION);
	}
	for (unsigned ihl = 0; ihl < 5; ihl++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].b[14] = (uint8_t)(0x40 | ihl);
		assert_int_equal(fate_of(x), FATE_IHL);
	}
	for (unsigned total = 0; total < 200; total++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].b[17] = (uint8_t)total;
		frame_fix_checksum(&x->f[0]);
		assert_int_equal(fate_of(x),
		    total < 20 || total > 80 ? FATE_TOTAL_LENGTH : N_FATES);
	}
	/* 6 words of header, and a total length of 5 */
	s.options = "01010100";
	frame_ip4(&x->f[0], &s);
	x->f[0].b[17] = 20;
	frame_fix_checksum(&x->f[0]);
	assert_int_equal(fate_of(x), FATE_TOTAL_LENGTH);
}

static void
every_wrong_bit_of_a_header_is_found(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned bit = 0; bit < 160; bit++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].b[14 + bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(fate_of(x), N_FATES);
	}
	for (unsigned options = 1; options <= 10; options++) {
		static const char nops[] = "01010101010101010101010101010101"
					   "01010101010101010101010101010101"
					   "0101010101010101";

		s.options = nops + 80 - options * 8;
		frame_ip4(&x->f[0], &s);
		assert_int_equal(fate_of(x), FATE_OPTIONS);
		x->f[0].b[33 + options * 4] ^= 2;
		assert_int_equal(fate_of(x), FATE_CHECKSUM);
	}
}

static void
martians_do_not_pass(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(fate_from(x, "0.0.0.0"), FATE_MARTIAN_SOURCE);
	assert_int_equal(fate_from(x, "0.1.2.3"), FATE_MARTIAN_SOURCE);
	assert_int_equal(fate_from(x, "1.0.0.0"), N_FATES);
	assert_int_equal(fate_from(x, "127.0.0.1"), FATE_MARTIAN_SOURCE);
	assert_int_equal(fate_from(x, "223.255.255.255"), N_FATES);
	assert_int_equal(fate_from(x, "224.0.0.0"), FATE_MARTIAN_SOURCE);
	assert_int_equal(fate_from(x, "240.0.0.1"), FATE_MARTIAN_SOURCE);
	assert_int_equal(fate_from(x, "255.255.255.255"), FATE_MARTIAN_SOURCE);
	assert_int_equal(fate_to(x, "0.0.0.0"), FATE_MARTIAN_DESTINATION);
	assert_int_equal(fate_to(x, "127.1.1.1"), FATE_MARTIAN_DESTINATION);
	assert_int_equal(fate_to(x, "224.0.0.5"), FATE_MULTICAST);
	assert_int_equal(fate_to(x, "239.255.255.255"), FATE_MULTICAST);
	assert_int_equal(fate_to(x, "240.0.0.0"), FATE_MARTIAN_DESTINATION);
	assert_int_equal(
	    fate_to(x, "255.255.255.254"), FATE_MARTIAN_DESTINATION);
	assert_int_equal(fate_to(x, "255.255.255.255"), FATE_BROADCAST);
}

static void
padding_is_cut_but_not_below_a_whole_frame(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned payload = 0; payload < 100; payload++)
		for (unsigned pad = 0; pad < 60; pad += 7) {
			unsigned end = 34 + payload;

			s.payload = payload;
			frame_ip4(&x->f[0], &s);
			x->f[0].len += pad;
			load(x, 1);
			run_all(x);
			assert_int_equal(x->b.alive, 1);
			assert_int_equal(
			    x->b.frame[0].len, MIN(end + pad, MAX(end, 60U)));
		}
}

/* --- lookup4 -------------------------------------------------------------- */

static void
each_kind_of_hop_has_its_fate(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(fate_to(x, "198.18.0.1"), FATE_LOCAL);
	assert_int_equal(fate_to(x, "198.18.1.1"), FATE_LOCAL);
	assert_int_equal(fate_to(x, "198.18.1.0"), FATE_BROADCAST);
	assert_int_equal(fate_to(x, "198.18.1.255"), FATE_BROADCAST);
	assert_int_equal(fate_to(x, "198.18.1.7"), N_FATES);
	assert_int_equal(fate_to(x, "198.18.1.9"), FATE_UNRESOLVED);
	assert_int_equal(fate_to(x, "198.19.9.1"), FATE_UNRESOLVED);
	assert_int_equal(fate_to(x, "198.19.8.1"), N_FATES);
	assert_int_equal(fate_to(x, "198.20.0.1"), FATE_NO_ROUTE);
	assert_int_equal(fate_to(x, "203.0.113.5"), FATE_VNIC_DOWN);
	assert_int_equal(fate_to(x, "198.18.0.2"), N_FATES);
	assert_int_equal(x->t->hop[x->b.hop[0]].vnic, 0);
}

/* --- ttl4 ----------------------------------------------------------------- */

static void
expired_and_oversize_ones_drop_out(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned ttl = 0; ttl < 256; ttl++) {
		frame_ip4(&x->f[0], &s);
		x->f[0].b[22] = (uint8_t)ttl;
		frame_fix_checksum(&x->f[0]);
		assert_int_equal(fate_of(x), ttl <= 1 ? FATE_TTL : N_FATES);
	}
	s.payload = 1480;
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), N_FATES);
	s.payload = 1481;
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_OVERSIZE);
	s.fragment = 0x4000;
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_TOO_BIG);
	s.ttl = 1;
	frame_ip4(&x->f[0], &s);
	assert_int_equal(fate_of(x), FATE_TTL);
}

/* All values of the sum, and thus all carries. */
static void
the_incremental_checksum_is_that_of_the_whole(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();

	for (unsigned id = 0; id < 65536; id++) {
		struct frame whole;

		s.id = (uint16_t)id;
		s.ttl = (uint8_t)(2 + id % 254);
		frame_ip4(&x->f[0], &s);
		whole = x->f[0];
		whole.b[22]--;
		frame_fix_checksum(&whole);
		load(x, 1);
		run_all(x);
		assert_int_equal(x->b.alive, 1);
		assert_int_equal(frame_sum(x->f[0].b + 14, 20), 0);
		assert_memory_equal(x->f[0].b + 24, whole.b + 24, 2);
	}
}

/* --- batches -------------------------------------------------------------- */

static void
who_drops_out_leaves_the_others_in_place(void **state)
{
	struct fixture *x = *state;
	struct frame_spec s = spec();
	struct frame before[BATCH_MAX];

	for (unsigned i = 0; i < BATCH_MAX; i++) {
		s.id = (uint16_t)i;
		s.ttl = i % 3 ? 9 : 1;
		s.dst = i % 5 ? "198.19.1.1" : "198.51.100.1";
		frame_ip4(&x->f[i], &s);
		before[i] = x->f[i];
	}
	load(x, BATCH_MAX);
	run_all(x);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		bool alive = x->b.alive >> i & 1;

		assert_int_equal(alive, i % 5 != 0 && i % 3 != 0);
		if (!alive) {
			assert_int_equal(
			    x->b.fate[i], i % 5 ? FATE_TTL : FATE_NO_ROUTE);
			assert_memory_equal(x->f[i].b, before[i].b, FRAME_MAX);
			continue;
		}
		assert_int_equal(x->f[i].b[19], i);
		assert_int_equal(x->f[i].b[22], 8);
	}
	load(x, 0);
	assert_int_equal(x->b.alive, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(packets_are_forwarded_as_scapy_says),
		TEST(a_frame_is_for_us_or_not),
		TEST(groups_of_the_link_are_for_linux),
		TEST(the_five_checks_of_rfc_1812),
		TEST(every_wrong_bit_of_a_header_is_found),
		TEST(martians_do_not_pass),
		TEST(padding_is_cut_but_not_below_a_whole_frame),
		TEST(each_kind_of_hop_has_its_fate),
		TEST(expired_and_oversize_ones_drop_out),
		TEST(the_incremental_checksum_is_that_of_the_whole),
		TEST(who_drops_out_leaves_the_others_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
