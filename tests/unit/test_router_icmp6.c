/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_icmp6: what is said about which IPv6 packets, and the bytes,
 * against those that scapy made (tests/golden/router_packets6.txt).
 */
#include "router/icmp6.h"

#include "tests/unit/frame_maker.h"
#include "tests/unit/golden.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t a[4096], b[4096];

static struct ip6
address(const char *text)
{
	uint8_t bytes[16];

	frame_ip6_address(text, bytes);
	return ip6_load(bytes);
}

static void
expect(struct packet *p, const uint8_t *ip, unsigned len)
{
	assert_non_null(p);
	assert_int_equal(p->len, MAX(len + ETH_BYTES, 60U));
	assert_int_equal(load_be16(p->bytes + ETH_TYPE), 0x86dd);
	assert_memory_equal(p->bytes + ETH_BYTES, ip, len);
	free(p);
}

static void
errors_are_those_of_scapy(void **state)
{
	static struct golden g;
	unsigned n = 0;

	(void)state;
	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, "error6", 5); n++) {
		struct icmp6_error e = {
			.type = (uint8_t)atoi(g.word[1]),
			.code = (uint8_t)atoi(g.word[2]),
			.rest = (uint32_t)atoi(g.word[3]),
			.src = address("2001:db8::1"),
		};
		unsigned len;

		frame_hex(g.word[4], a, sizeof(a));
		len = frame_hex(g.word[5], b, sizeof(b));
		assert_true(icmp6_may_report(&e, a));
		expect(icmp6_error_make(&e, a), b, len);
	}
	assert_int_equal(n, 30);
}

static void
replies_are_those_of_scapy(void **state)
{
	static struct golden g;
	unsigned n = 0;

	(void)state;
	golden_open(&g, "router_packets6.txt");
	for (; golden_next(&g, "echo6", 2); n++) {
		unsigned len = frame_hex(g.word[1], a, sizeof(a));

		assert_int_equal(frame_hex(g.word[2], b, sizeof(b)), len);
		assert_int_equal(icmp6_checksum(a, a + 40, len - 40), 0);
		expect(icmp6_reply_make(
			   a, a + 40, len - 40, address("2001:db8::1")),
		    b, len);
	}
	assert_int_equal(n, 20);
}

static struct frame_spec
spec(void)
{
	return (struct frame_spec){ .dst_mac = "0a:00:00:00:00:01",
		.src_mac = "0e:00:00:00:00:aa",
		.src = "2001:db8::2",
		.dst = "2001:db8:2::4",
		.payload = 16 };
}

static bool
may_report(const struct frame_spec *s, uint8_t next, const char *rest,
    unsigned type, unsigned code)
{
	struct icmp6_error e = { .type = (uint8_t)type, .code = (uint8_t)code };
	struct frame f;

	frame_ip6(&f, s, next, rest);
	return icmp6_may_report(&e, f.b + 14);
}

static void
nothing_is_said_about_some(void **state)
{
	struct frame_spec s = spec();
	char rest[64];

	(void)state;
	assert_true(may_report(&s, 17, NULL, 3, 0));
	for (unsigned type = 0; type < 256; type++) {
		bool silent = type < 128 || type == 137;

		snprintf(rest, sizeof(rest), "%02x000000", type);
		assert_int_equal(may_report(&s, 58, rest, 3, 0), !silent);
		/* behind a destination header too */
		snprintf(rest, sizeof(rest), "3a00010400000000%02x00", type);
		assert_int_equal(may_report(&s, 60, rest, 3, 0), !silent);
	}
	/* a later piece of an ICMPv6 message may be of an error */
	assert_false(may_report(&s, 44, "3a00000900000001", 3, 0));
	assert_true(may_report(&s, 44, "1100000900000001", 3, 0));
	s.src = "::";
	assert_false(may_report(&s, 17, NULL, 3, 0));
	s.src = "ff02::1";
	assert_false(may_report(&s, 17, NULL, 3, 0));
	s = spec();
	s.dst = "ff02::1";
	assert_false(may_report(&s, 17, NULL, 3, 0));
	assert_false(may_report(&s, 17, NULL, 4, 0));
	assert_true(may_report(&s, 17, NULL, 2, 0));
	assert_true(may_report(&s, 17, NULL, 4, 2));
}

static void
unknown_options_say_themselves_what_to_do(void **state)
{
	static const struct {
		const char *rest;
		int rc;
		unsigned code, at;
	} cases[] = {
		{ "1100010400000000", 0, 0, 0 },
		{ "1100000000000000", 0, 0, 0 },
		{ "1100050200000100", 0, 0, 0 },       /* router alert */
		{ "1100230400000000", 0, 0, 0 },       /* 00: go on */
		{ "1100630400000000", -ENOMSG, 0, 0 }, /* 01: drop */
		{ "1100a30400000000", -EBADMSG, 2, 42 },
		{ "1100e30400000000", -EBADMSG, 2, 42 },
		{ "110000e303000000", -EBADMSG, 2, 43 },
		{ "1100010500000000", -EBADMSG, 0, 43 }, /* behind the end */
		{ "110001030000003f", -EBADMSG, 0, 47 }, /* no length */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame_spec s = spec();
		struct icmp6_error e = { 0 };
		struct frame f;

		frame_ip6(&f, &s, 0, cases[i].rest);
		assert_int_equal(
		    icmp6_check_options(f.b + 14, 40, 8, &e), cases[i].rc);
		assert_int_equal(e.code, cases[i].code);
		assert_int_equal(e.rest, cases[i].at);
		assert_int_equal(e.type, cases[i].rc == -EBADMSG ? 4 : 0);
	}
}

/* 11: an error, but not to a group. */
static void
an_option_may_be_silent_in_groups(void **state)
{
	struct frame_spec s = spec();
	struct icmp6_error e;
	struct frame f;

	(void)state;
	s.dst = "ff02::1";
	frame_ip6(&f, &s, 0, "1100e30400000000");
	assert_int_equal(icmp6_check_options(f.b + 14, 40, 8, &e), -ENOMSG);
	frame_ip6(&f, &s, 0, "1100a30400000000");
	assert_int_equal(icmp6_check_options(f.b + 14, 40, 8, &e), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_those_of_scapy),
		cmocka_unit_test(replies_are_those_of_scapy),
		cmocka_unit_test(nothing_is_said_about_some),
		cmocka_unit_test(unknown_options_say_themselves_what_to_do),
		cmocka_unit_test(an_option_may_be_silent_in_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
