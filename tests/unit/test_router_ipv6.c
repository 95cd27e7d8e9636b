/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_ipv6: what the complete europa-router does with IPv6, and with
 * rules, options and sizes of both protocols. Host A is 198.18.0.2 and
 * 2001:db8::2 at eth0; host B, at eth1 with an MTU of 1400, is 2001:db8:1::7
 * and the gateway to 2001:db8:2::/48.
 */
#include "tests/unit/router_lab.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OWN6 "2001:db8::1"
#define A6 "2001:db8::2"
#define B6 "2001:db8:1::7"
#define BEHIND_B "2001:db8:2::4"
#define CONF6                                  \
	CONF "address eth1 2001:db8:1::1/64\n" \
	     "route 2001:db8:2::/48 via " B6 "\n"

static int
set_up(void **state)
{
	struct router_rig *r = malloc(sizeof(*r));

	*state = r;
	router_rig_open(r, 1400);
	router_rig_configure(r, CONF6 END);
	lab_start(r);
	lab_expect_nd(r, 1, 136, "2001:db8:1::1");
	lab_expect_nd(r, 1, 136, "fe80::800:ff:fe00:2");
	return 0;
}

static struct frame_spec
towards_b(void)
{
	return (struct frame_spec){ .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = A6,
		.dst = BEHIND_B,
		.payload = 100 };
}

/* Answers the question for the neighbour ip that must be waiting at vNIC i. */
static void
answer_nd(struct router_rig *r, unsigned i, const char *ip, const char *mac)
{
	struct frame f;

	lab_expect_nd(r, i, 135, ip);
	frame_nd(&f, 136, mac, ip, i ? "2001:db8:1::1" : OWN6, ip);
	router_rig_send(r, RIG_CONTROL, i, &f);
}

static void
expect_forwarded(const struct rig_out *o, const struct frame *in)
{
	struct frame expected = *in;

	frame_mac(HOST_B, expected.b);
	frame_mac(ETH1, expected.b + 6);
	expected.b[21]--;
	assert_int_equal(o->frame.len, expected.len);
	assert_memory_equal(o->frame.b, expected.b, expected.len);
}

static void
resolve_b(struct router_rig *r)
{
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	frame_ip6(&f, &s, 17, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	answer_nd(r, 1, B6, HOST_B);
	assert_true(router_rig_receive(r, 1, IP6, SOON_MS, &o));
	expect_forwarded(&o, &f);
	assert_int_equal(o.queue, RIG_CONTROL);
	assert_true(router_rig_await(r, "tables_published", 3) >= 3);
}

/* The router must say this about f to host A, and quote it. */
static void
expect_error(struct router_rig *r, const struct frame *f, unsigned type,
    unsigned code, uint32_t rest)
{
	unsigned quote = MIN(f->len - 14, 1232U);
	struct rig_out o;
	uint8_t ip[16];

	assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
	if (o.frame.b[54] == 135) { /* who is host A? */
		struct frame na;

		frame_nd(&na, 136, HOST_A, A6, OWN6, A6);
		router_rig_send(r, RIG_CONTROL, 0, &na);
		assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
	}
	assert_int_equal(o.frame.b[54], type);
	assert_int_equal(o.frame.b[55], code);
	assert_int_equal(load_be32(o.frame.b + 58), rest);
	assert_int_equal(load_be16(o.frame.b + 18), 8 + quote);
	frame_ip6_address(OWN6, ip);
	assert_memory_equal(o.frame.b + 22, ip, 16);
	frame_ip6_address(A6, ip);
	assert_memory_equal(o.frame.b + 38, ip, 16);
	assert_int_equal(frame_sum6(&o.frame), 0);
	assert_memory_equal(o.frame.b + 62, f->b + 14, quote);
}

static void
packets_pass_once_their_neighbour_is_known(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	for (unsigned i = 0; i < 10; i++) {
		s.payload = 100 + i;
		frame_ip6(&f, &s, 6, NULL);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP6, SOON_MS, &o));
		expect_forwarded(&o, &f);
		assert_int_equal(o.queue, RIG_DATA);
	}
	assert_int_equal(router_rig_await(r, "forwarded", 10), 10);
}

static void
a_ping_is_answered(void **state)
{
	static const char *const to[] = { OWN6, "2001:db8:1::1",
		"2001:db8::", "fe80::800:ff:fe00:1", "ff02::1", "ff02::2" };
	struct router_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		struct frame_spec s = towards_b();
		struct rig_out o;
		struct frame f;

		s.dst = to[i];
		s.payload = 56;
		frame_ip6(&f, &s, 58, "8000000000070001");
		frame_fix_icmp6(&f);
		router_rig_send(r, RIG_CONTROL, 0, &f);
		if (i == 0)
			answer_nd(r, 0, A6, HOST_A);
		assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
		assert_int_equal(o.frame.len, f.len);
		assert_int_equal(o.frame.b[54], 129);
		assert_int_equal(frame_sum6(&o.frame), 0);
		assert_memory_equal(o.frame.b + 38, f.b + 22, 16);
		if (i < 4)
			assert_memory_equal(o.frame.b + 22, f.b + 38, 16);
		assert_memory_equal(o.frame.b + 58, f.b + 58, 60);
	}
	assert_int_equal(router_rig_await(r, "icmp6_echo_reply", 6), 6);
}

struct wrong {
	const char *src, *dst;
	uint8_t next;
	uint8_t limit;
	const char *rest;
	unsigned payload;
	unsigned type, code, at;
};

static void
errors_are_reported(void **state)
{
	static const struct wrong cases[] = {
		{ A6, BEHIND_B, 17, 1, NULL, 9, 3, 0, 0 },
		{ A6, "3fff::1", 17, 9, NULL, 9, 1, 0, 0 },
		{ A6, OWN6, 17, 9, NULL, 9, 1, 4, 0 },
		{ A6, OWN6, 6, 9, NULL, 20, 4, 1, 6 },
		{ A6, BEHIND_B, 17, 9, NULL, 1361, 2, 0, 1400 },
		/* an option that nobody knows, and who wants to hear of it */
		{ A6, BEHIND_B, 0, 9, "1100a30400000000", 9, 4, 2, 42 },
		{ A6, OWN6, 60, 9, "1100a30400000000", 9, 4, 2, 42 },
		{ A6, BEHIND_B, 0, 9, "1100010500000000", 9, 4, 0, 43 },
		/* routing by the sender's list */
		{ A6, OWN6, 43, 9, "1100000100000000", 9, 4, 0, 42 },
		{ A6, OWN6, 60, 9, "0000010400000000", 9, 4, 1, 40 },
	};
	struct router_rig *r = *state;

	resolve_b(r);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct wrong *c = &cases[i];
		struct frame_spec s = towards_b();
		struct frame f;

		s.src = c->src;
		s.dst = c->dst;
		s.ttl = c->limit;
		s.payload = c->payload;
		frame_ip6(&f, &s, c->next, c->rest);
		router_rig_send(r, RIG_DATA, 0, &f);
		expect_error(r, &f, c->type, c->code, c->at);
	}
	assert_int_equal(router_rig_await(r, "icmp6_parameter_problem", 6), 6);
	assert_int_equal(router_rig_await(r, "icmp6_packet_too_big", 1), 1);
}

static void
some_packets_are_dropped_without_a_word(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct frame f;

	s.dst = "fe80::9"; /* a stranger's, and of the link */
	frame_ip6(&f, &s, 17, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	s.dst = "ff02::5";
	frame_ip6(&f, &s, 89, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "local_ignored", 2), 2);
	s.dst = OWN6; /* no next header; one piece of two */
	frame_ip6(&f, &s, 59, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "local_ignored", 3), 3);
	frame_ip6(&f, &s, 44, "1100000800000001");
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "local_fragment", 1), 1);
	frame_ip6(&f, &s, 0, "1100630400000000"); /* 01: drop it */
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "slow_dropped", 1), 1);
	s.src = "fe80::2"; /* may not leave the link; nor does the answer */
	s.dst = BEHIND_B;
	frame_ip6(&f, &s, 17, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_nd(r, 0, 135, "fe80::2");
	assert_int_equal(router_rig_await(r, "icmp6_beyond_scope", 1), 1);
	assert_true(router_rig_is_silent(r, 20));
}

static void
floods_of_errors_are_bounded(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	uint64_t end;
	struct frame f;

	resolve_b(r);
	s.ttl = 1;
	frame_ip6(&f, &s, 17, NULL);
	for (unsigned i = 0; i < 2000; i++)
		router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "ttl_expired", 2000), 2000);
	end = loop_now_ms() + SOON_MS;
	while (router_rig_stat(r, "icmp6_limited") +
		   router_rig_stat(r, "slow_overflow") <=
	       500) {
		assert_true(loop_now_ms() < end);
		router_rig_turn(r);
	}
	router_rig_is_silent(r, 20);
	assert_in_range(router_rig_stat(r, "icmp6_time_exceeded"), 1, 1000);
}

/* --- of both protocols ---------------------------------------------------- */

static void
put_rules(struct router_rig *r, const char *text)
{
	char path[128], new_path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/filter.conf", r->dir);
	snprintf(new_path, sizeof(new_path), "%s/filter.new", r->dir);
	f = fopen(new_path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(rename(new_path, path), 0);
}

static void
rules_are_obeyed_and_changed_live(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct frame f;
	struct rig_out o;
	uint64_t n;

	resolve_b(r);
	n = router_rig_stat(r, "tables_published");
	put_rules(r, "filter 3 deny from " A6 "/128 protocol udp dport 515\n"
		     "filter 4 reject protocol tcp\nend\n");
	assert_int_equal(router_rig_await(r, "tables_published", n + 1), n + 1);
	frame_ip6(&f, &s, 17, NULL); /* ports 1 and 515 */
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "filter_denied", 1), 1);
	assert_int_equal(router_rig_await(r, "filter_3", 1), 1);
	frame_ip6(&f, &s, 6, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 1, 1, 0);
	assert_int_equal(router_rig_await(r, "filter_4", 1), 1);
	/* options take another way: not around the rules */
	frame_ip6(&f, &s, 0, "0600010400000000");
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 1, 1, 0);
	assert_int_equal(router_rig_await(r, "filter_4", 2), 2);
	put_rules(r, "filter 3 allow\nend\n"); /* a mistake: nothing changes */
	router_rig_is_silent(r, 50);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 1, 1, 0);
	put_rules(r, "end\n");
	assert_int_equal(router_rig_await(r, "tables_published", n + 3), n + 3);
	frame_ip6(&f, &s, 17, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP6, SOON_MS, &o));
	expect_forwarded(&o, &f);
}

static void
rules_are_obeyed_by_ip4(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct frame f;

	lab_resolve_b(r);
	put_rules(r, "filter 1 reject to 198.19.0.0/16\nend\n");
	assert_int_equal(router_rig_await(r, "tables_published", 4), 4);
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_resolve_a(r);
	lab_expect_error(r, &f, 3, 13, 0);
	s.options = "94040000"; /* by the slow path, and judged there */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 3, 13, 0);
	assert_int_equal(router_rig_await(r, "filter_1", 2), 2);
}

static void
options_are_written_and_source_routes_refused(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	s.options = "0707040000000000";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(o.frame.b[22], 63);
	assert_int_equal(o.frame.b[36], 8); /* the pointer went on */
	assert_int_equal(load_be32(o.frame.b + 37), frame_ip("198.18.1.1"));
	assert_int_equal(frame_sum(o.frame.b + 14, 28), 0);
	s.options = "8307040a00000100";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_resolve_a(r);
	lab_expect_error(r, &f, 3, 5, 0);
	s.options = "0706040000000000"; /* room for 3 bytes */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 12, 0, UINT32_C(22) << 24);
	s.options = "0707040000000000"; /* a ping of ours */
	s.dst = "198.18.0.1";
	s.protocol = 1;
	frame_ip4(&f, &s);
	frame_icmp(&f, 8, 0);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(o.frame.b[42], 0);
	assert_int_equal(o.frame.b[36], 8);
	assert_int_equal(load_be32(o.frame.b + 37), frame_ip("198.18.0.1"));
}

static void
what_does_not_fit_is_cut(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	s.payload = 1400;
	s.id = 77;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(o.frame.len, 14 + 20 + 1376);
	assert_int_equal(load_be16(o.frame.b + 20), 0x2000);
	assert_memory_equal(o.frame.b + 34, f.b + 34, 1376);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(load_be16(o.frame.b + 16), 20 + 24);
	assert_int_equal(load_be16(o.frame.b + 20), 1376 / 8);
	assert_int_equal(load_be16(o.frame.b + 18), 77);
	assert_int_equal(o.frame.b[22], 63);
	assert_memory_equal(o.frame.b + 34, f.b + 34 + 1376, 24);
	assert_int_equal(router_rig_await(r, "fragmented", 1), 1);
	assert_int_equal(router_rig_await(r, "fragments_made", 2), 2);
}

static void
a_shorter_way_is_told(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct frame f;
	struct rig_out o;

	s.src = "198.18.0.3"; /* to what is behind host A, its neighbour */
	s.dst = "192.0.2.9";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_resolve_a(r);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_true(router_rig_await(r, "tables_published", 3) >= 3);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_A, ETH0);
	lab_answer_arp(r, 0, "198.18.0.3", HOST_B);
	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(o.frame.b[34], 5);
	assert_int_equal(o.frame.b[35], 1);
	assert_int_equal(load_be32(o.frame.b + 38), frame_ip("198.18.0.2"));
	assert_memory_equal(o.frame.b + 42, f.b + 14, f.len - 14);
	/* not to who is no neighbour of it */
	s.src = "203.0.113.1";
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 100; i++)
		router_rig_send(r, RIG_DATA, 0, &f);
	for (unsigned i = 0; i < 100; i++)
		assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(router_rig_await(r, "icmp_redirect", 1), 1);
}

static void
a_shorter_way_is_told_to_ip6_too(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	bool is_asked = false;
	struct frame f, na;
	struct rig_out o;

	s.src = "2001:db8::3"; /* to host A, its neighbour */
	s.dst = A6;
	s.payload = 64;
	frame_ip6(&f, &s, 17, NULL);
	router_rig_send(r, RIG_DATA, 0, &f);
	answer_nd(r, 0, A6, HOST_A);
	assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
	assert_true(router_rig_await(r, "tables_published", 3) >= 3);
	router_rig_send(r, RIG_DATA, 0, &f);
	do { /* two threads send: the packet, and who is its sender? */
		assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
		is_asked |= o.frame.b[20] == 58;
	} while (o.frame.b[20] != 17);
	if (!is_asked)
		lab_expect_nd(r, 0, 135, "2001:db8::3");
	frame_nd(&na, 136, HOST_B, "2001:db8::3", OWN6, "2001:db8::3");
	router_rig_send(r, RIG_CONTROL, 0, &na);
	assert_true(router_rig_receive(r, 0, IP6, SOON_MS, &o));
	assert_int_equal(o.frame.b[54], 137);
	assert_int_equal(o.frame.b[21], 255);
	assert_memory_equal(o.frame.b + 22, "\xfe\x80\0\0\0\0\0\0\x08", 9);
	assert_int_equal(frame_sum6(&o.frame), 0);
	assert_memory_equal(o.frame.b + 62, f.b + 38, 16); /* go there itself */
	assert_memory_equal(o.frame.b + 78, f.b + 38, 16);
	frame_mac(HOST_A, na.b);
	assert_memory_equal(o.frame.b + 94, "\2\1", 2);
	assert_memory_equal(o.frame.b + 96, na.b, 6);
	assert_memory_equal(o.frame.b + 102, "\4\16", 2); /* 8 + 104 bytes */
	assert_memory_equal(o.frame.b + 110, f.b + 14, 104);
	assert_int_equal(router_rig_await(r, "icmp6_redirect", 1), 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, lab_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(packets_pass_once_their_neighbour_is_known),
		TEST(a_ping_is_answered),
		TEST(errors_are_reported),
		TEST(some_packets_are_dropped_without_a_word),
		TEST(floods_of_errors_are_bounded),
		TEST(rules_are_obeyed_and_changed_live),
		TEST(rules_are_obeyed_by_ip4),
		TEST(options_are_written_and_source_routes_refused),
		TEST(what_does_not_fit_is_cut),
		TEST(a_shorter_way_is_told),
		TEST(a_shorter_way_is_told_to_ip6_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
