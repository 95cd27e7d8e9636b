/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_exceptions: what the complete europa-router says and does about
 * packets that its fast path does not forward.
 */
#include "tests/unit/router_lab.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
our_address_is_told_to_who_asks(void **state)
{
	struct router_rig *r = *state;
	struct frame f, expected;
	struct rig_out o;

	frame_arp(&f, 1, HOST_A, "198.18.0.2", NULL, "198.18.0.1");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_true(router_rig_receive(r, 0, ARP, SOON_MS, &o));
	frame_arp(&expected, 2, ETH0, "198.18.0.1", HOST_A, "198.18.0.2");
	assert_memory_equal(o.frame.b, expected.b, 60);
	/* not for the address of the other vNIC, nor for a stranger's */
	frame_arp(&f, 1, HOST_A, "198.18.0.2", NULL, "198.18.1.1");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	frame_arp(&f, 1, HOST_A, "198.18.0.2", NULL, "198.18.0.9");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_true(router_rig_is_silent(r, 50));
	assert_int_equal(router_rig_await(r, "arp_ignored", 2), 2);
}

static void
a_ping_is_answered(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct frame f;

	s.dst = "198.18.0.1";
	s.protocol = 1;
	s.payload = 64;
	frame_ip4(&f, &s);
	frame_icmp(&f, 8, 0);
	for (unsigned i = 0; i < 3; i++) {
		struct rig_out o;

		router_rig_send(r, i ? RIG_CONTROL : RIG_DATA, 0, &f);
		if (i == 0)
			lab_resolve_a(r);
		assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
		assert_int_equal(o.frame.len, f.len);
		assert_int_equal(
		    load_be32(o.frame.b + 26), frame_ip("198.18.0.1"));
		assert_int_equal(
		    load_be32(o.frame.b + 30), frame_ip("198.18.0.2"));
		assert_int_equal(frame_sum(o.frame.b + 14, 20), 0);
		assert_int_equal(frame_sum(o.frame.b + 34, 64), 0);
		assert_int_equal(o.frame.b[34], 0);
		assert_memory_equal(o.frame.b + 38, f.b + 38, 60);
	}
	assert_int_equal(router_rig_await(r, "icmp_echo_reply", 3), 3);
}

static void
errors_are_reported(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct rig_out o;
	struct frame f;

	lab_resolve_b(r);
	s.ttl = 1; /* traceroute: three probes */
	for (unsigned i = 0; i < 3; i++) {
		s.id = (uint16_t)i;
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_DATA, 0, &f);
		if (i == 0)
			lab_resolve_a(r);
		lab_expect_error(r, &f, 11, 0, 0);
	}
	s.ttl = 9;
	s.dst = "198.51.100.1"; /* no route */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 3, 0, 0);
	s.dst = "198.18.1.1"; /* ours; nobody listens */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 3, 3, 0);
	s.protocol = 6;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 3, 2, 0);
	s = lab_towards_b();
	s.payload = 1400;
	s.fragment = 0x4000;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 3, 4, 1400);
	s.payload = 100;
	s.options = "01010183"; /* an option without its length */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_expect_error(r, &f, 12, 0, UINT32_C(23) << 24);
	s.options = "94040000"; /* router alert */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	lab_expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
an_unanswered_host_is_unreachable(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	uint64_t before = loop_now_ms();
	struct rig_out o;
	struct frame f;

	s.dst = "198.18.1.55";
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 12; i++)
		router_rig_send(r, RIG_DATA, 0, &f);
	for (unsigned i = 0; i < 3; i++)
		assert_true(router_rig_receive(r, 1, ARP, SOON_MS, &o));
	/* eight waited, and each of them is told of */
	lab_resolve_a(r);
	f.b[22]--; /* its TTL had been counted down */
	frame_fix_checksum(&f);
	for (unsigned i = 0; i < 8; i++)
		lab_expect_error(r, &f, 3, 1, 0);
	assert_in_range(loop_now_ms() - before, 2900, 6000);
	assert_int_equal(router_rig_await(r, "arp_request_sent", 4), 4);
	assert_int_equal(router_rig_await(r, "arp_pending_dropped", 4), 4);
	assert_int_equal(router_rig_await(r, "arp_failed", 1), 1);
}

struct bad {
	const char *counter;
	unsigned at;
	uint8_t value;
	bool fix;
};

static void
wrong_packets_are_counted_by_reason(void **state)
{
	static const struct bad bad[] = {
		{ "foreign_mac", 5, 0x77, false },
		{ "group_mac", 0, 0x0b, false },
		{ "unknown_ethertype", 12, 0x88, false },
		{ "bad_version", 14, 0x65, true },
		{ "bad_header_length", 14, 0x44, false },
		{ "bad_total_length", 16, 0x10, true },
		{ "bad_checksum", 30, 199, false },
		{ "martian_source", 26, 127, true },
		{ "martian_destination", 30, 127, true },
		{ "multicast", 30, 224, true },
	};
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct frame f;

	lab_resolve_b(r);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		frame_ip4(&f, &s);
		f.b[bad[i].at] = bad[i].value;
		if (bad[i].fix)
			frame_fix_checksum(&f);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_int_equal(router_rig_await(r, bad[i].counter, 1), 1);
	}
	s.dst = "198.18.1.255"; /* directed broadcast */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "broadcast", 1), 1);
	assert_true(router_rig_is_silent(r, 20));
}

static void
exceptions_are_handled_in_a_millisecond(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	uint64_t best = UINT64_MAX;
	struct frame f;

	lab_resolve_b(r);
	s.ttl = 1;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	lab_resolve_a(r);
	lab_expect_error(r, &f, 11, 0, 0);
	for (unsigned i = 0; i < 200 && best > 1; i++) {
		uint64_t t;

		router_rig_is_silent(r, 5); /* all threads sleep */
		t = loop_now_ms();
		router_rig_send(r, RIG_DATA, 0, &f);
		lab_expect_error(r, &f, 11, 0, 0);
		best = MIN(best, loop_now_ms() - t);
	}
	assert_true(best <= 1); /* in ms; the machine may be busy at times */
}

/* Packets in = packets forwarded + each with one fate. */
static void
a_flood_of_exceptions_is_bounded_and_counted(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = lab_towards_b();
	struct frame f;

	lab_resolve_b(r);
	s.ttl = 1;
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 5000; i++)
		router_rig_send(r, RIG_DATA, 0, &f);
	lab_resolve_a(r);
	router_rig_check(r);
	assert_int_equal(router_rig_await(r, "ttl_expired", 5000), 5000);
	assert_true(router_rig_await(r, "icmp_limited", 1001) > 1000);
	router_rig_is_silent(r, 20);
	assert_in_range(router_rig_stat(r, "icmp_time_exceeded"), 8, 1000);
}

/*
 * Takes what has come of the flow to dst; the numbers must grow. Returns how
 * many the fast path has sent.
 */
static unsigned
take_in_order(struct router_rig *r, uint32_t dst, unsigned *last)
{
	unsigned n_fast = 0;
	struct rig_out o;

	while (router_rig_receive(r, 1, IP, 0, &o)) {
		unsigned id = load_be16(o.frame.b + 18);

		if (load_be32(o.frame.b + 30) != dst)
			continue; /* the end of the flow before */
		assert_true(id > *last);
		*last = id;
		n_fast += o.queue == RIG_DATA;
	}
	return n_fast;
}

/* First by the slow path, then by the fast path, and none overtakes another. */
static void
a_flow_keeps_its_order_when_its_neighbour_is_found(void **state)
{
	struct router_rig *r = *state;

	for (unsigned host = 10; host < 60; host++) {
		struct frame_spec s = lab_towards_b();
		unsigned last = 0, n_fast = 0;
		char ip[16];
		struct frame f;

		snprintf(ip, sizeof(ip), "198.18.1.%u", host);
		s.dst = ip;
		for (s.id = 1; n_fast < 40; s.id++) {
			assert_true(s.id < UINT16_MAX);
			frame_ip4(&f, &s);
			router_rig_send(r, RIG_DATA, 0, &f);
			if (s.id == 4)
				lab_answer_arp(r, 1, ip, HOST_B);
			if (s.id % 32 != 0)
				continue;
			router_rig_turn(r);
			n_fast += take_in_order(r, frame_ip(ip), &last);
		}
	}
	router_rig_check(r);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_set_up, lab_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(our_address_is_told_to_who_asks),
		TEST(a_ping_is_answered),
		TEST(errors_are_reported),
		TEST(an_unanswered_host_is_unreachable),
		TEST(wrong_packets_are_counted_by_reason),
		TEST(exceptions_are_handled_in_a_millisecond),
		TEST(a_flood_of_exceptions_is_bounded_and_counted),
		TEST(a_flow_keeps_its_order_when_its_neighbour_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
