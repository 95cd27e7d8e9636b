/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_conformance: what RFC 1812 and RFC 8200 ask of a router and the
 * other tests do not show, of the complete europa-router. doc/conformance.md says
 * which test stands for which demand.
 */
#include "tests/unit/router_lab.h"

#include "lib/base.h"
#include "router/fragment.h"
#include "router/slow.h"
#include "tests/unit/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OWN6 "2001:db8::1"
#define A6 "2001:db8::2"

enum { PING = 3000, PIECE = 1024 };

/* --- packets to us in pieces ------------------------------------------------ */

/* Piece i of three of a ping with PING bytes behind the header. */
static void
piece_of_ping(struct frame *f, unsigned i, unsigned id)
{
	static uint8_t icmp[PING];
	struct frame_spec s = lab_towards_b();
	unsigned at = i * PIECE;

	for (unsigned k = 0; k < PING; k++)
		icmp[k] = (uint8_t)(k * 11 / 8);
	icmp[0] = 8;
	icmp[1] = icmp[2] = icmp[3] = 0;
	store_be16(icmp + 2, (uint16_t)(65535 - frame_sum(icmp, PING)));
	s.dst = "198.18.0.1";
	s.protocol = 1;
	s.id = (uint16_t)id;
	s.payload = MIN((unsigned)PIECE, PING - at);
	s.fragment = (uint16_t)(at / 8 | (at + PIECE < PING ? 0x2000U : 0U));
	frame_ip4(f, &s);
	memcpy(f->b + 34, icmp + at, s.payload);
}

static void
a_ping_in_pieces_is_answered_in_pieces(void **state)
{
	struct router_rig *r = *state;
	static uint8_t reply[PING];
	unsigned have = 0;
	struct rig_out o;
	struct frame f;

	for (unsigned i = 3; i-- > 0;) {
		piece_of_ping(&f, i, 99);
		router_rig_send(r, RIG_DATA, 0, &f);
	}
	lab_resolve_a(r);
	while (have < PING) {
		unsigned n, at;

		assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
		n = load_be16(o.frame.b + 16) - 20U;
		at = (load_be16(o.frame.b + 20) & 0x1fffU) * 8;
		assert_int_equal(frame_sum(o.frame.b + 14, 20), 0);
		assert_true(o.frame.len <= 14 + 1500 && at + n <= PING);
		assert_int_equal(
		    !(load_be16(o.frame.b + 20) & 0x2000), at + n == PING);
		memcpy(reply + at, o.frame.b + 34, n);
		have += n;
	}
	assert_int_equal(frame_sum(reply, PING), 0);
	assert_int_equal(reply[0], 0);
	for (unsigned k = 4; k < PING; k++)
		assert_int_equal(reply[k], (uint8_t)(k * 11 / 8));
	assert_int_equal(router_rig_await(r, "reassembled", 1), 1);
	assert_int_equal(router_rig_await(r, "local_fragment", 3), 3);
	assert_true(router_rig_is_silent(r, 20));
}

static void
pieces_that_overlap_make_no_packet(void **state)
{
	struct router_rig *r = *state;
	struct frame f;

	piece_of_ping(&f, 0, 5);
	router_rig_send(r, RIG_DATA, 0, &f);
	piece_of_ping(&f, 1, 5);
	f.b[21]--; /* 8 bytes into the first */
	frame_fix_checksum(&f);
	router_rig_send(r, RIG_DATA, 0, &f);
	piece_of_ping(&f, 1, 5);
	router_rig_send(r, RIG_DATA, 0, &f);
	piece_of_ping(&f, 2, 5);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "pieces_refused", 3), 3);
	assert_true(router_rig_is_silent(r, 20));
}

/* To the first question for host A's MAC; then all flows. */
static void
tell_a6(struct router_rig *r)
{
	struct frame na;

	lab_expect_nd(r, 0, 135, A6);
	frame_nd(&na, 136, HOST_A, A6, OWN6, A6);
	router_rig_send(r, RIG_CONTROL, 0, &na);
}

static void
a_ping_of_ip6_in_pieces_too(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = { .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = A6,
		.dst = OWN6,
		.payload = 1900 };
	struct frame whole, reply;
	struct packet *list, *next;
	unsigned n, have = 0;
	struct rig_out o;

	frame_ip6(&whole, &s, 58, "8000000000010002");
	frame_fix_icmp6(&whole);
	reply = whole;
	list = fragment6(whole.b + 14, 1400, 9, &n);
	assert_int_equal(n, 2);
	for (; list; list = next) {
		struct frame f = { .len = list->len };

		next = list->next;
		memcpy(f.b, list->bytes, list->len);
		memcpy(f.b, whole.b, 14);
		router_rig_send(r, RIG_DATA, 0, &f);
		free(list);
	}
	tell_a6(r);
	while (have < 1908) {
		unsigned at, bytes;

		assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
		assert_int_equal(o.frame.b[20], 44);
		assert_true(o.frame.len <= 14 + 1500);
		bytes = load_be16(o.frame.b + 18) - 8U;
		at = load_be16(o.frame.b + 56) & ~7U;
		assert_true(at + bytes <= 1908);
		memcpy(reply.b + 54 + at, o.frame.b + 62, bytes);
		have += bytes;
	}
	memcpy(reply.b + 22, o.frame.b + 22, 32);
	assert_int_equal(reply.b[54], 129);
	assert_int_equal(frame_sum6(&reply), 0);
	assert_memory_equal(reply.b + 58, whole.b + 58, 1904);
	assert_int_equal(router_rig_await(r, "reassembled", 1), 1);
}

/* RFC 8200, 4.5: both are told of, and where the mistake is. */
static void
wrong_pieces_of_ip6_are_a_problem(void **state)
{
	static const struct {
		const char *fragment; /* next header, offset, id */
		unsigned pointer;
	} cases[] = {
		{ "1100000100000007", 4 },  /* 101 bytes, and more to come */
		{ "1100fff800000007", 42 }, /* ends behind 65535 */
	};
	struct router_rig *r = *state;
	struct frame_spec s = { .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = A6,
		.dst = OWN6,
		.payload = 101 };
	struct rig_out o;
	struct frame f;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		frame_ip6(&f, &s, 44, cases[i].fragment);
		router_rig_send(r, RIG_DATA, 0, &f);
		if (i == 0)
			tell_a6(r);
		assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
		assert_int_equal(o.frame.b[54], 4);
		assert_int_equal(o.frame.b[55], 0);
		assert_int_equal(load_be32(o.frame.b + 58), cases[i].pointer);
	}
}

/* --- the slow path alone, with a clock of the test's -------------------------- */

static struct packet *caught;

static void
catch_packet(void *arg, struct packet *p)
{
	(void)arg;
	free(caught);
	caught = p;
}

static const struct neigh_io catch_io = { catch_packet, catch_packet };

static void
make_slow(struct slow *s, struct counters *c)
{
	struct port ports[VNIC_MAX_VNICS] = {
		{ .up = 1, .mac = { 10, 0, 0, 0, 0, 1 }, .mtu = 1500 }
	};
	struct routerconf conf;

	assert_int_equal(conf_of(CONF END, &conf, NULL), 0);
	*s = (struct slow){
		.count = c,
		.pieces = reassembly_new(),
		.icmp_errors = { .per_second = 1, .burst = 5 },
		.icmp6_errors = { .per_second = 1, .burst = 5 },
		.iface[0] = { .up = true,
		    .mac = { 10, 0, 0, 0, 0, 1 },
		    .n = 1,
		    .address[0] = conf.vnic[0].address[0],
		    .n6 = 1,
		    .address6[0] = conf.vnic[0].address6[0] },
	};
	assert_int_equal(plan_make(&conf, &s->plan), 0);
	routerconf_clear(&conf);
	s->tables = tables_make(s->plan, ports, NULL, 0, s->used);
	assert_int_equal(arp_new(&catch_io, NULL, c, s->used, &s->arp), 0);
	assert_int_equal(
	    nd_new(&catch_io, NULL, c, s->used + NEIGH_MAX, &s->nd), 0);
	arp_set_ifaces(s->arp, s->iface);
	nd_set_ifaces(s->nd, s->iface);
	s->now_ms = 100000;
}

static void
free_slow(struct slow *s)
{
	reassembly_free(s->pieces);
	tables_free(s->tables);
	plan_free(s->plan);
	arp_free(s->arp);
	nd_free(s->nd);
	free(caught);
	caught = NULL;
}

static void
slow_hears(struct slow *s, unsigned fate, const struct frame *f)
{
	struct punt_record r = { .fate = (uint16_t)fate,
		.len = (uint16_t)f->len };

	slow_input(s, &r, f->b);
}

/* RFC 1812, 4.3.3.4; RFC 1122, 3.3.2 */
static void
a_packet_that_stays_incomplete_is_told_of(void **state)
{
	static struct counters c;
	static struct slow s;
	struct frame first, arp;

	(void)state;
	make_slow(&s, &c);
	piece_of_ping(&first, 0, 7);
	slow_hears(&s, FATE_LOCAL, &first);
	s.now_ms += REASSEMBLE_MS - 1;
	assert_int_equal(slow_expire_pieces(&s), 1);
	assert_null(caught);
	s.now_ms++;
	assert_true(slow_expire_pieces(&s) == UINT64_MAX);
	assert_non_null(caught); /* who is host A? */
	frame_arp(&arp, 2, HOST_A, "198.18.0.2", ETH0, "198.18.0.1");
	slow_hears(&s, FATE_ARP, &arp);
	assert_int_equal(load_be16(caught->bytes + 12), 0x0800);
	assert_int_equal(caught->bytes[34], 11);
	assert_int_equal(caught->bytes[35], 1);
	assert_memory_equal(caught->bytes + 42, first.b + 14, 548);
	assert_int_equal(count_read(&c, COUNT_REASSEMBLY_TIMEOUT), 1);
	free_slow(&s);
}

/* Without the first piece nobody can say what it was. */
static void
and_not_told_of_without_its_first_piece(void **state)
{
	static struct counters c;
	static struct slow s;
	struct frame f;

	(void)state;
	make_slow(&s, &c);
	piece_of_ping(&f, 1, 7);
	slow_hears(&s, FATE_LOCAL, &f);
	s.now_ms += REASSEMBLE_MS;
	slow_expire_pieces(&s);
	assert_null(caught);
	assert_int_equal(count_read(&c, COUNT_REASSEMBLY_TIMEOUT), 1);
	free_slow(&s);
}

static void
of_ip6_it_is_told_too(void **state)
{
	struct frame_spec spec = { .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = A6,
		.dst = OWN6,
		.payload = 104 };
	static struct counters c;
	static struct slow s;
	struct frame f, na;

	(void)state;
	make_slow(&s, &c);
	frame_ip6(&f, &spec, 44, "1100000100000007");
	slow_hears(&s, FATE_LOCAL, &f);
	s.now_ms += REASSEMBLE_MS;
	slow_expire_pieces(&s);
	assert_non_null(caught);
	frame_nd(&na, 136, HOST_A, A6, OWN6, A6);
	slow_hears(&s, FATE_ND, &na);
	assert_int_equal(caught->bytes[54], 3);
	assert_int_equal(caught->bytes[55], 1);
	assert_memory_equal(caught->bytes + 62, f.b + 14, f.len - 14);
	free_slow(&s);
}

/* --- headers ------------------------------------------------------------------ */

/* RFC 1812, 4.2.2.9: a TTL of 0 or 1 is no reason to drop what is for us. */
static void
packets_to_us_are_taken_with_any_ttl(void **state)
{
	static const uint8_t ttl[] = { 1, 0, 255 };
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	s.dst = "198.18.0.1";
	s.protocol = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(ttl); i++) {
		frame_ip4(&f, &s);
		frame_icmp(&f, 8, 0);
		f.b[22] = ttl[i];
		frame_fix_checksum(&f);
		router_rig_send(r, RIG_DATA, 0, &f);
		if (i == 0)
			lab_resolve_a(r);
		assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
		assert_int_equal(o.frame.b[34], 0);
		assert_int_equal(o.frame.b[22], 64); /* not that of the ping */
	}
}

/* 5.3.1: that the next router will drop it is no reason either. */
static void
a_packet_with_one_hop_left_is_forwarded(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	s.ttl = 2;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

/* 5.2.5, 5.3.3.3: what has no meaning (yet) passes as it is, in pieces too. */
static void
bits_without_a_meaning_pass_unchanged(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	s.fragment = 0x8000;
	for (unsigned tos = 0; tos < 256; tos += 15) {
		frame_ip4(&f, &s);
		f.b[15] = (uint8_t)tos;
		frame_fix_checksum(&f);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	}
	s.payload = 1400;
	frame_ip4(&f, &s);
	f.b[15] = 0xff;
	frame_fix_checksum(&f);
	router_rig_send(r, RIG_DATA, 0, &f);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		assert_int_equal(o.frame.b[15], 0xff);
		assert_int_equal(load_be16(o.frame.b + 20),
		    i == 0 ? 0xa000 : 0x8000 + 1376 / 8);
	}
}

/* 4.2.2.6, 5.3.13.1: options that it does not know. */
static void
unknown_options_pass_unchanged(void **state)
{
	static const char *const options[] = {
		"8804beef",                 /* stream id, obsolete (5.3.13.3) */
		"820b00000000000000000000", /* basic security */
		"5e04123400000000",         /* of nobody */
	};
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		s.options = options[i];
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		lab_expect_forwarded(&o, &f, HOST_B, ETH1);
	}
}

/* --- about what nothing is said (4.3.2.7) --------------------------------------- */

struct unsaid {
	const char *src, *dst;
	const char *options;
	uint16_t fragment;
	uint8_t protocol, icmp;
	const char *counter;
};

static void
nothing_is_said_about_some(void **state)
{
	static const struct unsaid cases[] = {
		/* a broadcast of a network of ours, with a wrong option */
		{ "198.18.0.2", "198.18.1.255", "01010183", 0, 17, 0,
		    "icmp_suppressed" },
		{ "198.18.0.2", "198.18.1.0", "01010183", 0, 17, 0,
		    "icmp_suppressed" },
		/* the source is one */
		{ "198.18.0.255", "198.19.3.4", NULL, 0, 17, 0,
		    "icmp_suppressed" },
		/* the source is us */
		{ "198.18.1.1", "198.19.3.4", NULL, 0, 17, 0,
		    "icmp_suppressed" },
		/* not the first piece */
		{ "198.18.0.2", "198.19.3.4", NULL, 1, 17, 0,
		    "icmp_suppressed" },
		/* an error */
		{ "198.18.0.2", "198.19.3.4", NULL, 0, 1, 11,
		    "icmp_suppressed" },
		{ "127.0.0.1", "198.19.3.4", NULL, 0, 17, 0, "martian_source" },
		{ "0.1.2.3", "198.19.3.4", NULL, 0, 17, 0, "martian_source" },
		{ "198.18.0.2", "224.0.0.9", NULL, 0, 17, 0, "multicast" },
		{ "198.18.0.2", "255.255.255.255", NULL, 0, 17, 0,
		    "broadcast" },
	};
	struct router_rig *r = *state;
	struct frame f;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame_spec s = lab_towards_b();
		uint64_t before = router_rig_stat(r, cases[i].counter);

		s.src = cases[i].src;
		s.dst = cases[i].dst;
		s.options = cases[i].options;
		s.fragment = cases[i].fragment;
		s.protocol = cases[i].protocol;
		s.ttl = 1; /* else it would be an error */
		frame_ip4(&f, &s);
		if (s.protocol == 1)
			frame_icmp(&f, cases[i].icmp, 0);
		router_rig_send(r, RIG_DATA, 0, &f);
		if (router_rig_await(r, cases[i].counter, before + 1) !=
		    before + 1)
			fail_msg("case %u", i);
	}
	assert_true(router_rig_is_silent(r, 50));
}

/* 5.3.4, 5.3.5.1: what came to all on the link goes no further. */
static void
what_came_for_many_goes_no_further(void **state)
{
	static const char *const to[] = { "ff:ff:ff:ff:ff:ff",
		"01:00:5e:00:00:09" };
	struct router_rig *r = *state;
	struct frame f;

	for (unsigned i = 0; i < ARRAY_SIZE(to); i++) {
		struct frame_spec s = lab_towards_b();

		s.dst_mac = to[i];
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_CONTROL, 0, &f);
		s.ttl = 1;
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_CONTROL, 0, &f);
		s.dst = "255.255.255.255";
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_CONTROL, 0, &f);
	}
	assert_int_equal(router_rig_await(r, "group_mac", 6), 6);
	assert_true(router_rig_is_silent(r, 50));
}

/* 4.3.2.1, 4.3.3.3, 4.3.3.7, 5.2.7.2, RFC 6633, RFC 6918. */
static void
messages_that_are_none_of_its_business_are_ignored(void **state)
{
	static const uint8_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12,
		13, 14, 15, 16, 17, 18, 30, 42, 255 };
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	s.dst = "198.18.0.1";
	s.protocol = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		frame_ip4(&f, &s);
		/* as a redirect: go to B by 198.18.0.9 */
		store_be32(f.b + 38, frame_ip("198.18.0.9"));
		f.b[42] = 0x45;
		store_be32(f.b + 58, frame_ip("198.19.3.4"));
		frame_icmp(&f, types[i], 1);
		router_rig_send(r, RIG_DATA, 0, &f);
	}
	assert_int_equal(
	    router_rig_await(r, "local_ignored", ARRAY_SIZE(types)),
	    ARRAY_SIZE(types));
	assert_true(router_rig_is_silent(r, 20));
	s = lab_towards_b(); /* the way is what it was */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_set_up, lab_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_ping_in_pieces_is_answered_in_pieces),
		TEST(pieces_that_overlap_make_no_packet),
		TEST(a_ping_of_ip6_in_pieces_too),
		TEST(wrong_pieces_of_ip6_are_a_problem),
		cmocka_unit_test(a_packet_that_stays_incomplete_is_told_of),
		cmocka_unit_test(and_not_told_of_without_its_first_piece),
		cmocka_unit_test(of_ip6_it_is_told_too),
		TEST(packets_to_us_are_taken_with_any_ttl),
		TEST(a_packet_with_one_hop_left_is_forwarded),
		TEST(bits_without_a_meaning_pass_unchanged),
		TEST(unknown_options_pass_unchanged),
		TEST(nothing_is_said_about_some),
		TEST(what_came_for_many_goes_no_further),
		TEST(messages_that_are_none_of_its_business_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
