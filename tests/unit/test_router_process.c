/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_process: packets through the complete europa-router, started as
 * an init would start it, and what comes out: TTL, checksum, MACs, ARP, ICMP.
 */
#include "tests/unit/router_rig.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ETH0 "0a:00:00:00:00:01"
#define ETH1 "0a:00:00:00:00:02"
#define HOST_A "0e:00:00:00:00:aa" /* 198.18.0.2 at eth0 */
#define HOST_B "0e:00:00:00:00:bb" /* 198.18.1.7 at eth1 */
#define CONF                                   \
	"generation 7\nhostname r1\n"          \
	"vnic 0 eth0 mac " ETH0 " mtu 1500\n"  \
	"address eth0 198.18.0.1/24\n"         \
	"address eth0 2001:db8::1/64\n"        \
	"vnic 1 eth1 mac " ETH1 " mtu 1500\n"  \
	"address eth1 198.18.1.1/24\n"         \
	"route 198.19.0.0/16 via 198.18.1.7\n" \
	"route 192.0.2.0/24 via 198.18.0.2 dev eth0\n"
#define END "end\n"

enum { IP = 0x0800, ARP = 0x0806, SOON_MS = 3000 };

static int
set_up(void **state)
{
	struct router_rig *r = malloc(sizeof(*r));

	*state = r;
	router_rig_open(r, 1400);
	router_rig_configure(r, CONF END);
	router_rig_start(r, 7);
	return 0;
}

static int
tear_down(void **state)
{
	router_rig_check(*state);
	router_rig_close(*state);
	free(*state);
	return 0;
}

/* Answers the request for ip that must be waiting at vNIC i. */
static void
answer_arp(struct router_rig *r, unsigned i, const char *ip, const char *mac)
{
	static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };
	static const char *const own[] = { ETH0, ETH1 };
	static const char *const own_ip[] = { "198.18.0.1", "198.18.1.1" };
	struct frame expected, reply;
	struct rig_out o;

	assert_true(router_rig_receive(r, i, ARP, SOON_MS, &o));
	frame_arp(&expected, 1, own[i], own_ip[i], NULL, ip);
	assert_memory_equal(o.frame.b, everybody, 6);
	assert_int_equal(o.frame.len, expected.len);
	assert_memory_equal(o.frame.b, expected.b, expected.len);
	assert_int_equal(o.queue, RIG_CONTROL);
	frame_arp(&reply, 2, mac, ip, own[i], own_ip[i]);
	router_rig_send(r, RIG_CONTROL, i, &reply);
}

static void
expect_forwarded(const struct rig_out *o, const struct frame *in,
    const char *dst, const char *src)
{
	struct frame expected = *in;

	frame_mac(dst, expected.b);
	frame_mac(src, expected.b + 6);
	expected.b[14 + 8]--;
	frame_fix_checksum(&expected);
	assert_int_equal(
	    o->frame.len, expected.len < 60 ? o->frame.len : expected.len);
	assert_memory_equal(o->frame.b, expected.b, expected.len);
}

static struct frame_spec
towards_b(void)
{
	return (struct frame_spec){ .dst_mac = ETH0,
		.src_mac = HOST_A,
		.src = "198.18.0.2",
		.dst = "198.19.3.4",
		.payload = 100 };
}

/* Makes host B's MAC known to the fast path. */
static void
resolve_b(struct router_rig *r)
{
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	answer_arp(r, 1, "198.18.1.7", HOST_B);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	expect_forwarded(&o, &f, HOST_B, ETH1);
	assert_int_equal(o.queue, RIG_CONTROL);
	assert_true(router_rig_await(r, "tables_published", 3) >= 3);
}

static void
the_first_packet_waits_for_arp_and_the_next_are_fast(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	for (unsigned i = 0; i < 100; i++) {
		s.id = (uint16_t)i;
		s.payload = i * 13;
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		assert_int_equal(o.queue, RIG_DATA);
		expect_forwarded(&o, &f, HOST_B, ETH1);
	}
	assert_int_equal(router_rig_stat(r, "forwarded"), 100);
	assert_int_equal(router_rig_stat(r, "to_slow_unresolved"), 1);
	assert_int_equal(router_rig_stat(r, "slow_forwarded"), 1);
}

static void
a_host_on_a_connected_network_becomes_a_hop(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	s.dst = "198.18.1.99";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	answer_arp(r, 1, "198.18.1.99", "0e:00:00:00:00:99");
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	expect_forwarded(&o, &f, "0e:00:00:00:00:99", ETH1);
	router_rig_await(r, "tables_published", 3);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(o.queue, RIG_DATA);
	expect_forwarded(&o, &f, "0e:00:00:00:00:99", ETH1);
}

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

/* Host A's MAC is asked for on the way of the first answer to it. */
static void
resolve_a(struct router_rig *r)
{
	answer_arp(r, 0, "198.18.0.2", HOST_A);
}

static void
a_ping_is_answered(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
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
			resolve_a(r);
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
	assert_int_equal(router_rig_stat(r, "icmp_echo_reply"), 3);
}

/* The router must say type, code and rest about f to host A, and quote it. */
static void
expect_error(struct router_rig *r, const struct frame *f, unsigned type,
    unsigned code, uint32_t rest)
{
	unsigned quote = MIN(f->len - 14, 548U);
	struct rig_out o;

	assert_true(router_rig_receive(r, 0, IP, SOON_MS, &o));
	assert_int_equal(frame_sum(o.frame.b + 14, 20), 0);
	assert_int_equal(load_be16(o.frame.b + 16), 28 + quote);
	assert_int_equal(load_be32(o.frame.b + 26), frame_ip("198.18.0.1"));
	assert_int_equal(load_be32(o.frame.b + 30), frame_ip("198.18.0.2"));
	assert_int_equal(frame_sum(o.frame.b + 34, 8 + quote), 0);
	assert_int_equal(o.frame.b[34], type);
	assert_int_equal(o.frame.b[35], code);
	assert_int_equal(load_be32(o.frame.b + 38), rest);
	assert_memory_equal(o.frame.b + 42, f->b + 14, quote);
}

static void
errors_are_reported(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	s.ttl = 1; /* traceroute: three probes */
	for (unsigned i = 0; i < 3; i++) {
		s.id = (uint16_t)i;
		frame_ip4(&f, &s);
		router_rig_send(r, RIG_DATA, 0, &f);
		if (i == 0)
			resolve_a(r);
		expect_error(r, &f, 11, 0, 0);
	}
	s.ttl = 9;
	s.dst = "198.51.100.1"; /* no route */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 3, 0, 0);
	s.dst = "198.18.1.1"; /* ours; nobody listens */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 3, 3, 0);
	s.protocol = 6;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 3, 2, 0);
	s = towards_b();
	s.payload = 1400;
	s.fragment = 0x4000;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 3, 4, 1400);
	s.payload = 100;
	s.options = "01010183"; /* an option without its length */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	expect_error(r, &f, 12, 0, UINT32_C(23) << 24);
	s.options = "94040000"; /* router alert */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
an_unanswered_host_is_unreachable(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
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
	resolve_a(r);
	f.b[22]--; /* its TTL had been counted down */
	frame_fix_checksum(&f);
	for (unsigned i = 0; i < 8; i++)
		expect_error(r, &f, 3, 1, 0);
	assert_in_range(loop_now_ms() - before, 2900, 6000);
	assert_int_equal(router_rig_stat(r, "arp_request_sent"), 4);
	assert_int_equal(router_rig_stat(r, "arp_pending_dropped"), 4);
	assert_int_equal(router_rig_stat(r, "arp_failed"), 1);
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
	struct frame_spec s = towards_b();
	struct frame f;

	resolve_b(r);
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
	s = towards_b();
	s.payload = 1400; /* above the MTU of eth1, and DF is not set */
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "mtu_exceeded", 1), 1);
	memset(&f, 0, sizeof(f));
	frame_mac(ETH0, f.b);
	f.b[12] = 0x86;
	f.b[13] = 0xdd;
	f.len = 54;
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "ipv6_unsupported", 1), 1);
	assert_true(router_rig_is_silent(r, 20));
}

static void
padding_is_cut_off(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	frame_ip4(&f, &s);
	f.len += 300;
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	assert_int_equal(o.frame.len, 134);
}

static void
a_new_configuration_is_taken_without_loss(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	unsigned seen = 0, sent = 0;
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	frame_ip4(&f, &s);
	for (unsigned g = 8; g < 40; g++) {
		char text[2048];

		snprintf(text, sizeof(text),
		    "%sroute 203.0.113.0/24 via 198.18.1.7\ngeneration %u\n"
		    "route 198.18.128.0/17 via 198.18.1.%u\nend\n",
		    CONF, g, g);
		router_rig_configure(r, text);
		for (unsigned i = 0; i < 16; i++, sent++)
			router_rig_send(r, RIG_DATA, 0, &f);
		while (router_rig_stat(r, NULL) != g)
			router_rig_turn(r);
		while (router_rig_receive(r, 1, IP, 0, &o))
			seen++;
	}
	while (seen < sent && router_rig_receive(r, 1, IP, SOON_MS, &o))
		seen++;
	assert_int_equal(seen, sent);
	s.dst = "203.0.113.1";
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
	expect_forwarded(&o, &f, HOST_B, ETH1);
}

static void
a_broken_configuration_changes_nothing(void **state)
{
	struct router_rig *r = *state;

	resolve_b(r);
	router_rig_configure(r, "generation 8\nroute 10/8 via nowhere\nend\n");
	router_rig_is_silent(r, 50);
	assert_int_equal(router_rig_stat(r, NULL), 7);
	router_rig_configure(r, CONF "generation 9\n"); /* no end */
	router_rig_is_silent(r, 50);
	assert_int_equal(router_rig_stat(r, NULL), 7);
	router_rig_configure(r, CONF "generation 10\n" END);
	router_rig_is_silent(r, 50);
	assert_int_equal(router_rig_stat(r, NULL), 10);
}

static void
a_vnic_that_goes_down_is_noticed(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	router_rig_vnic(r, 1, false);
	/* the slow path is woken by a packet, or within its second */
	frame_arp(&f, 1, HOST_A, "198.18.0.2", NULL, "198.18.0.1");
	router_rig_send(r, RIG_CONTROL, 0, &f);
	assert_true(router_rig_receive(r, 0, ARP, SOON_MS, &o));
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	assert_int_equal(router_rig_await(r, "vnic_down", 1), 1);
	assert_true(router_rig_is_silent(r, 20));
}

static void
a_restarted_host_finds_the_router_ready(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct rig_out o;
	struct frame f;

	resolve_b(r);
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 20; i++) {
		router_rig_send(r, RIG_DATA, 0, &f); /* lost, or not */
		router_rig_host_restart(r);
		while (router_rig_receive(r, 1, IP, 0, &o))
			;
		router_rig_send(r, RIG_DATA, 0, &f);
		assert_true(router_rig_receive(r, 1, IP, SOON_MS, &o));
		expect_forwarded(&o, &f, HOST_B, ETH1);
	}
}

static void
a_killed_router_is_replaced(void **state)
{
	struct router_rig *r = *state;

	for (unsigned i = 0; i < 3; i++) {
		resolve_b(r);
		router_rig_kill(r);
		router_rig_start(r, 7);
	}
	resolve_b(r);
}

static void
end_set(struct router_rig *r)
{
	for (unsigned q = 0; q < RIG_QUEUES; q++) {
		ledger_ask_stop(r->l[q]);
		ledger_turn(r->l[q]);
		ledger_gone(r->l[q]);
	}
}

static void
it_ends_with_its_set(void **state)
{
	struct router_rig *r = *state;

	end_set(r);
	assert_int_equal(router_rig_wait(r), 0);
}

static void
exceptions_are_handled_in_a_millisecond(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	uint64_t best = UINT64_MAX;
	struct frame f;

	resolve_b(r);
	s.ttl = 1;
	frame_ip4(&f, &s);
	router_rig_send(r, RIG_DATA, 0, &f);
	resolve_a(r);
	expect_error(r, &f, 11, 0, 0);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t t;

		router_rig_is_silent(r, 5); /* all threads sleep */
		t = loop_now_ms();
		router_rig_send(r, RIG_DATA, 0, &f);
		expect_error(r, &f, 11, 0, 0);
		best = MIN(best, loop_now_ms() - t);
	}
	assert_true(best <= 1); /* in ms; the machine may be busy at times */
}

/* Packets in = packets forwarded + each with one fate. */
static void
a_flood_of_exceptions_is_bounded_and_counted(void **state)
{
	struct router_rig *r = *state;
	struct frame_spec s = towards_b();
	struct frame f;

	resolve_b(r);
	s.ttl = 1;
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 5000; i++)
		router_rig_send(r, RIG_DATA, 0, &f);
	resolve_a(r);
	router_rig_check(r);
	assert_int_equal(router_rig_await(r, "ttl_expired", 5000), 5000);
	router_rig_is_silent(r, 20);
	assert_in_range(router_rig_stat(r, "icmp_time_exceeded"), 8, 1000);
	assert_true(router_rig_stat(r, "icmp_limited") > 1000);
}

/* examples/vnic-echo, which any data plane may be put in the place of */
static void
the_example_echoes(void **state)
{
	struct frame_spec s = towards_b();
	struct router_rig r;
	struct rig_out o;
	struct frame f;
	int status;

	(void)state;
	router_rig_open(&r, 1500);
	r.program = "examples/vnic-echo";
	router_rig_start(&r, 0);
	frame_ip4(&f, &s);
	for (unsigned i = 0; i < 300; i++) {
		unsigned q = i % RIG_QUEUES, v = i / 2 % 2;

		f.b[40] = (uint8_t)i;
		router_rig_send(&r, q, v, &f);
		assert_true(router_rig_receive(&r, v, IP, SOON_MS, &o));
		assert_int_equal(o.queue, q);
		assert_int_equal(o.frame.len, f.len);
		assert_memory_equal(o.frame.b, f.b + 6, 6);
		assert_memory_equal(o.frame.b + 6, f.b, 6);
		assert_memory_equal(o.frame.b + 12, f.b + 12, f.len - 12);
	}
	router_rig_check(&r);
	end_set(&r);
	status = router_rig_wait(&r);
	assert_int_equal(status, 0);
	router_rig_close(&r);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_packet_waits_for_arp_and_the_next_are_fast),
		TEST(a_host_on_a_connected_network_becomes_a_hop),
		TEST(our_address_is_told_to_who_asks),
		TEST(a_ping_is_answered),
		TEST(errors_are_reported),
		TEST(an_unanswered_host_is_unreachable),
		TEST(wrong_packets_are_counted_by_reason),
		TEST(padding_is_cut_off),
		TEST(a_new_configuration_is_taken_without_loss),
		TEST(a_broken_configuration_changes_nothing),
		TEST(a_vnic_that_goes_down_is_noticed),
		TEST(a_restarted_host_finds_the_router_ready),
		TEST(a_killed_router_is_replaced),
		TEST(it_ends_with_its_set),
		TEST(exceptions_are_handled_in_a_millisecond),
		TEST(a_flood_of_exceptions_is_bounded_and_counted),
		cmocka_unit_test(the_example_echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
