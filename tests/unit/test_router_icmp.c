/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_router_icmp: what is said about which packets, and the bytes, against
 * those that scapy made; ARP frames against scapy; the rate limit.
 */
#include "router/icmp.h"

#include "lib/base.h"
#include "router/arp_internal.h"
#include "router/bucket.h"
#include "router/modules.h"
#include "router/options.h"
#include "tests/unit/frame_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char line[16384];
static char in[4096], out[4096];
static uint8_t a[2048], b[2048];

static FILE *
open_golden(void)
{
	const char *src = getenv("EUROPA_SRCDIR");
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/golden/router_packets.txt",
	    src ? src : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	return f;
}

static void
expect(struct packet *p, const uint8_t *ip, unsigned len)
{
	assert_non_null(p);
	assert_int_equal(p->len, MAX(len + ETH_BYTES, 60U));
	assert_int_equal(load_be16(p->bytes + ETH_TYPE), 0x0800);
	assert_memory_equal(p->bytes + ETH_BYTES, ip, len);
	free(p);
}

static void
errors_are_those_of_scapy(void **state)
{
	FILE *f = open_golden();
	unsigned type, code, rest, n = 0;

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		struct icmp_error e = { .id = 7 };
		unsigned len;

		if (sscanf(line, "error %u %u %u %4095s %4095s", &type, &code,
			&rest, in, out) != 5)
			continue;
		frame_hex(in, a, sizeof(a));
		len = frame_hex(out, b, sizeof(b));
		e.type = (uint8_t)type;
		e.code = (uint8_t)code;
		e.rest = rest;
		e.src = frame_ip("198.18.0.1");
		assert_true(icmp_may_report(a));
		expect(icmp_error_make(&e, a), b, len);
		n++;
	}
	fclose(f);
	assert_int_equal(n, 60);
}

static void
replies_are_those_of_scapy(void **state)
{
	FILE *f = open_golden();
	unsigned n = 0;

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		unsigned len;

		if (sscanf(line, "echo %4095s %4095s", in, out) != 2)
			continue;
		frame_hex(in, a, sizeof(a));
		len = frame_hex(out, b, sizeof(b));
		expect(icmp_reply_make(a, 7), b, len);
		n++;
	}
	fclose(f);
	assert_int_equal(n, 20);
}

static void
arp_of_scapy_is_understood(void **state)
{
	FILE *f = open_golden();
	char mac[32], ip[32], to[32];
	unsigned n = 0;
	int op;

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		struct arp_msg m;
		unsigned len;

		if (sscanf(line, "arp %d %31s %31s %31s %4095s", &op, mac, ip,
			to, in) != 5)
			continue;
		len = frame_hex(in, a, sizeof(a));
		frame_mac(mac, b);
		assert_true(arp_parse(a, len, &m));
		assert_int_equal(m.op, op);
		assert_memory_equal(m.sender_mac, b, 6);
		assert_int_equal(m.sender_ip, frame_ip(ip));
		assert_int_equal(m.target_ip, frame_ip(to));
		assert_false(arp_parse(a, len - 1, &m));
		n++;
	}
	fclose(f);
	assert_int_equal(n, 20);
}

static struct frame_spec
spec(void)
{
	return (struct frame_spec){ .dst_mac = "0a:00:00:00:00:01",
		.src_mac = "0e:00:00:00:00:aa",
		.src = "198.18.0.2",
		.dst = "198.19.3.4",
		.payload = 16 };
}

static bool
may_report(const struct frame_spec *s, int type)
{
	struct frame f;

	frame_ip4(&f, s);
	if (type >= 0)
		frame_icmp(&f, (uint8_t)type, 0);
	return icmp_may_report(f.b + 14);
}

static void
nothing_is_said_about_some(void **state)
{
	struct frame_spec s = spec();

	(void)state;
	assert_true(may_report(&s, -1));
	s.fragment = 0x2000; /* the first fragment */
	assert_true(may_report(&s, -1));
	s.fragment = 0x0001;
	assert_false(may_report(&s, -1));
	s = spec();
	s.protocol = 1;
	for (int type = 0; type < 20; type++) {
		bool error = type == 3 || type == 4 || type == 5 ||
			     type == 11 || type == 12;

		assert_int_equal(may_report(&s, type), !error);
	}
	s.payload = 0; /* too short to say what it is */
	assert_false(may_report(&s, -1));
	s = spec();
	s.src = "0.0.0.0";
	assert_false(may_report(&s, -1));
	s.src = "224.0.0.1";
	assert_false(may_report(&s, -1));
	s.src = "255.255.255.255";
	assert_false(may_report(&s, -1));
	s = spec();
	s.dst = "224.0.0.9";
	assert_false(may_report(&s, -1));
	s.dst = "255.255.255.255";
	assert_false(may_report(&s, -1));
}

static void
wrong_pings_are_not_answered(void **state)
{
	struct frame_spec s = spec();
	struct packet *p;
	struct frame f;

	(void)state;
	s.protocol = 1;
	for (unsigned payload = 0; payload < 8; payload++) {
		s.payload = payload;
		frame_ip4(&f, &s);
		assert_null(icmp_reply_make(f.b + 14, 1));
	}
	s.payload = 8;
	frame_ip4(&f, &s);
	frame_icmp(&f, 8, 1);
	assert_null(icmp_reply_make(f.b + 14, 1));
	frame_icmp(&f, 0, 0);
	assert_null(icmp_reply_make(f.b + 14, 1));
	frame_icmp(&f, 8, 0);
	f.b[40] ^= 1; /* checksum */
	assert_null(icmp_reply_make(f.b + 14, 1));
	f.b[40] ^= 1;
	free(icmp_reply_make(f.b + 14, 1));
	s.options = "01010101";
	frame_ip4(&f, &s);
	frame_icmp(&f, 8, 0);
	p = icmp_reply_make(f.b + 14, 1);
	assert_non_null(p);
	assert_int_equal(p->bytes[14], 0x46); /* they go back with it */
	assert_memory_equal(p->bytes + 34, "\1\1\1\1", 4);
	assert_int_equal(frame_sum(p->bytes + 14, 24), 0);
	assert_int_equal(frame_sum(p->bytes + 38, 8), 0);
	free(p);
}

static void
a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
	struct bucket k = { .per_second = 100, .burst = 50 };
	uint64_t now = 123456789;
	unsigned n = 0;

	(void)state;
	while (bucket_take(&k, now))
		n++;
	assert_int_equal(n, 50);
	assert_false(bucket_take(&k, now + 9));
	assert_true(bucket_take(&k, now + 10));
	assert_false(bucket_take(&k, now + 10));
	n = 0;
	for (unsigned ms = 11; ms <= 10010; ms++)
		n += bucket_take(&k, now + ms);
	assert_int_equal(n, 1000);
	for (n = 0; bucket_take(&k, now + 1000000); n++)
		;
	assert_int_equal(n, 50); /* never more than the burst */
}

/* All that the slow path asks of a frame that check_ip4 let pass. */
static void
ask_all(const uint8_t *frame, unsigned len)
{
	const struct icmp_error e = { .type = 3, .src = 0x0a000001 };
	const uint8_t *ip = frame + ETH_BYTES;
	struct arp_msg m;
	struct options o;

	arp_parse(frame, len, &m);
	assert_true(options_read(ip, &o) < 60);
	icmp_may_report(ip);
	free(icmp_error_make(&e, ip));
	free(icmp_reply_make(ip, 1));
}

/* Each frame lies in memory of just its size: AddressSanitizer looks on. */
static void
hostile_frames_are_read_within_their_bounds(void **state)
{
	static struct batch batch;
	unsigned asked = 0;

	(void)state;
	srand(1812);
	for (unsigned i = 0; i < 100000; i++) {
		struct frame_spec s = spec();
		struct frame f;
		uint8_t *exact;

		s.protocol = i % 2 ? 1 : 17;
		s.payload = (unsigned)rand() % 80;
		s.options = i % 3 ? NULL : "0707040000000001";
		frame_ip4(&f, &s);
		f.b[34] = 8;
		for (unsigned k = (unsigned)rand() % 4; k > 0; k--)
			f.b[14 + rand() % 40] = (uint8_t)rand();
		if (f.b[14] >= 0x45 && f.b[14] <= 0x4f)
			frame_fix_checksum(&f);
		f.len -= i % 5 ? 0 : (unsigned)rand() % (f.len - 13);
		exact = malloc(f.len);
		assert_non_null(exact);
		memcpy(exact, f.b, f.len);
		batch.frame[0] = (struct vnic_frame){ .data = exact,
			.len = (uint16_t)f.len };
		batch_begin(&batch, 1);
		if (check_ip4(NULL, &batch) || batch.fate[0] == FATE_OPTIONS) {
			ask_all(exact, f.len);
			asked++;
		}
		free(exact);
	}
	assert_in_range(asked, 20000, 90000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_those_of_scapy),
		cmocka_unit_test(replies_are_those_of_scapy),
		cmocka_unit_test(arp_of_scapy_is_understood),
		cmocka_unit_test(nothing_is_said_about_some),
		cmocka_unit_test(wrong_pings_are_not_answered),
		cmocka_unit_test(hostile_frames_are_read_within_their_bounds),
		cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
