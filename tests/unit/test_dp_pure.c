/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dp_pure: the parts of the data plane that need neither DPDK nor a
 * process: rules, frames, the ports file.
 */
#include "dataplane/frame.h"
#include "dataplane/ports_file.h"
#include "dataplane/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- rules ---------------------------------------------------------------------- */

static struct rules_member
member(uint16_t vlan, uint32_t mac, uint32_t value)
{
	struct rules_member m = { .vlan = vlan, .value = value };

	m.mac[0] = 2;
	store_be32(m.mac + 2, mac);
	return m;
}

static uint32_t
find(const struct rules *r, uint16_t vlan, uint32_t mac)
{
	struct rules_member m = member(vlan, mac, 0);
	uint8_t bytes[8] = { 0, 0, 0, 0, 0, 0, 0xee, 0xee };

	memcpy(bytes, m.mac, 6);
	return rules_find(r, vlan, bytes);
}

static void
rules_find_each_member_and_no_other(void **state)
{
	enum { N = 3000 };
	static struct rules_member m[N];
	struct rules *r;

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		m[i] = member((uint16_t)(i % 7), i / 7, i);
	assert_int_equal(rules_new(m, N, &r), 0);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(find(r, (uint16_t)(i % 7), i / 7), i);
	assert_int_equal(find(r, 7, 0), RULES_NONE);
	assert_int_equal(find(r, 0, N), RULES_NONE);
	assert_int_equal(find(r, RULES_ANY_VLAN, 0), RULES_NONE);
	rules_free(r);
}

static void
an_empty_table_finds_nothing(void **state)
{
	struct rules *r;
	uint32_t n = 1;

	(void)state;
	assert_int_equal(rules_new(NULL, 0, &r), 0);
	assert_int_equal(find(r, 0, 0), RULES_NONE);
	rules_all(r, 0, &n);
	assert_int_equal(n, 0);
	rules_free(r);
}

static void
segments_have_their_vlan_and_the_trunks(void **state)
{
	const struct rules_member m[] = { member(0, 1, 10), member(42, 2, 11),
		member(42, 3, 12), member(RULES_ANY_VLAN, 4, 13) };
	struct rules *r;
	const uint32_t *all;
	uint32_t n;

	(void)state;
	assert_int_equal(rules_new(m, ARRAY_SIZE(m), &r), 0);
	all = rules_all(r, 42, &n);
	assert_int_equal(n, 3);
	assert_int_equal(all[0], 11);
	assert_int_equal(all[1], 12);
	assert_int_equal(all[2], 13);
	all = rules_all(r, 0, &n);
	assert_int_equal(n, 2);
	assert_int_equal(all[0], 10);
	all = rules_all(r, 99, &n); /* nobody's VLAN but a trunk's */
	assert_int_equal(n, 1);
	assert_int_equal(all[0], 13);
	assert_int_equal(find(r, 99, 4), 13);
	assert_int_equal(find(r, 0, 4), 13);
	assert_int_equal(find(r, 42, 1), RULES_NONE);
	rules_free(r);
}

/* --- frames --------------------------------------------------------------------- */

static bool
parse(struct frame *f, const uint8_t *p, uint32_t n)
{
	/* exactly n bytes, so that a sanitizer sees a byte too much */
	uint8_t *copy = malloc(n ? n : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, p, n);
	ok = frame_parse(f, copy, n, NULL, 0);
	if (ok) {
		frame_is_control(f, NULL, 0);
		frame_flow(f);
		frame_tag_bytes(f);
	}
	free(copy);
	return ok;
}

static void
short_frames_are_runts(void **state)
{
	uint8_t p[64] = { 0 };
	struct frame f;

	(void)state;
	for (uint32_t n = 0; n < 14; n++)
		assert_false(parse(&f, p, n));
	for (uint32_t n = 14; n <= 64; n++)
		assert_true(parse(&f, p, n));
	store_be16(p + 12, 0x8100);
	for (uint32_t n = 0; n < 18; n++)
		assert_false(parse(&f, p, n));
	for (unsigned type = 0; type < 4; type++) {
		static const uint16_t types[] = { 0x0800, 0x86dd, 0x8100,
			0x88a8 };

		store_be16(p + 16, types[type]);
		for (uint32_t n = 18; n <= 64; n++)
			assert_true(parse(&f, p, n));
	}
}

static void
tags_are_found_in_and_beside_the_bytes(void **state)
{
	uint8_t p[64] = { 0 };
	struct frame f;

	(void)state;
	store_be16(p + 12, 0x0800);
	assert_true(frame_parse(&f, p, 60, p, 4));
	assert_int_equal(f.vlan, 0);
	assert_true(f.in_line);
	assert_int_equal(frame_bare_bytes(&f), 64);
	assert_int_equal(frame_full_bytes(&f), 64);
	frame_set_stripped_tag(&f, 0x2005);
	assert_int_equal(f.vlan, 5);
	assert_int_equal(frame_bare_bytes(&f), 64);
	assert_int_equal(frame_full_bytes(&f), 68);
	store_be16(p + 12, 0x8100);
	store_be16(p + 14, 0xa02a);
	store_be16(p + 16, 0x0806);
	assert_true(frame_parse(&f, p, 60, NULL, 0));
	assert_int_equal(f.vlan, 42);
	assert_false(f.in_line);
	assert_int_equal(frame_type(&f), 0x0806);
	assert_int_equal(frame_bare_bytes(&f), 56);
	assert_int_equal(frame_full_bytes(&f), 60);
	assert_int_equal(frame_tag_bytes(&f), 4);
	frame_set_stripped_tag(&f, 7); /* what is in the bytes is inner */
	assert_int_equal(f.vlan, 7);
	assert_int_equal(frame_type(&f), 0x8100);
	assert_int_equal(frame_bare_bytes(&f), 60);
	assert_int_equal(frame_tag_bytes(&f), 8);
}

static bool
is_control(uint8_t *p, uint32_t n)
{
	static const struct wire_address own[] = {
		{ .family = 4, .bytes = { 198, 18, 0, 1 } },
		{ .family = 6, .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
	};
	struct frame f;

	assert_true(frame_parse(&f, p, n, NULL, 0));
	return frame_is_control(&f, own, ARRAY_SIZE(own));
}

static void
the_slow_path_gets_what_is_its(void **state)
{
	uint8_t p[80] = { 2 }, *ip = p + 14;

	(void)state;
	store_be16(p + 12, 0x0806);
	assert_true(is_control(p, 60));
	store_be16(p + 12, 0x0800);
	assert_false(is_control(p, 60));
	memcpy(ip + 16, (uint8_t[]){ 198, 18, 0, 1 }, 4);
	assert_true(is_control(p, 60));
	assert_false(is_control(p, 33)); /* its end is not there */
	memcpy(ip + 16, (uint8_t[]){ 224, 0, 0, 5 }, 4);
	assert_true(is_control(p, 60));
	memcpy(ip + 16, (uint8_t[]){ 224, 0, 1, 5 }, 4);
	assert_false(is_control(p, 60));
	memset(ip, 0, 60);
	store_be16(p + 12, 0x86dd);
	ip[6] = 58;
	ip[40] = 135;
	ip[24] = 0x20;
	assert_true(is_control(p, 78)); /* neighbour solicitation */
	ip[40] = 128;
	assert_false(is_control(p, 78)); /* echo to somebody else */
	memcpy(ip + 24, (uint8_t[]){ 0x20, 1, 0xd, 0xb8 }, 4);
	ip[39] = 1;
	assert_true(is_control(p, 78)); /* echo to us */
	memmove(p + 16, p + 12, 64);
	store_be16(p + 12, 0x88a8); /* behind a service tag */
	assert_true(is_control(p, 80));
	store_be16(p + 12, 0x88cc);
	assert_false(is_control(p, 60));
	p[0] = 1;
	assert_true(is_control(p, 60)); /* LLDP */
}

static void
flows_stay_together_and_spread(void **state)
{
	unsigned seen[4] = { 0 };
	uint8_t p[64] = { 2 };
	struct frame f;

	(void)state;
	store_be16(p + 12, 0x0800);
	p[14] = 0x45;
	p[23] = 17;
	for (uint32_t i = 0; i < 4000; i++) {
		uint32_t h;

		store_be32(p + 30, 0xc6120000 + i);
		assert_true(frame_parse(&f, p, 60, NULL, 0));
		h = frame_flow(&f);
		p[50]++; /* payload */
		assert_int_equal(frame_flow(&f), h);
		seen[(uint64_t)h * 4 >> 32]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 800, 1200);
	p[20] = 0x20; /* a first fragment goes with the others: no ports */
	assert_true(frame_parse(&f, p, 60, NULL, 0));
	seen[0] = frame_flow(&f);
	p[36]++; /* a port */
	assert_int_equal(frame_flow(&f), seen[0]);
	p[20] = 0;
	assert_int_not_equal(frame_flow(&f), seen[0]);
}

/* --- the ports file ------------------------------------------------------------- */

static void
ports_file_is_read_strictly(void **state)
{
	static const char *const bad[] = { "port", "port p0", "port p0 1500",
		"port p0 1500 ", "porty p0 1500 net_null0",
		"port p0 67 net_null0", "port p0 9001 net_null0",
		"port p0 15oo net_null0", "port 0p 1500 net_null0",
		"port p/0 1500 net_null0", "port p0 -1500 net_null0" };
	struct port_spec s;

	(void)state;
	assert_int_equal(ports_file_parse("", &s), 0);
	assert_int_equal(ports_file_parse("  # port p0 1500 x", &s), 0);
	assert_int_equal(
	    ports_file_parse(" port  p0\t1500  net_tap0,iface=x y \t", &s), 1);
	assert_string_equal(s.name, "p0");
	assert_int_equal(s.mtu, 1500);
	assert_string_equal(s.devargs, "net_tap0,iface=x y");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ports_file_parse(bad[i], &s), -EINVAL);
}

static void
a_missing_ports_file_means_no_ports(void **state)
{
	struct port_spec *list;

	(void)state;
	assert_int_equal(ports_file_read("/nonexistent/ports", &list), 0);
	assert_null(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_find_each_member_and_no_other),
		cmocka_unit_test(an_empty_table_finds_nothing),
		cmocka_unit_test(segments_have_their_vlan_and_the_trunks),
		cmocka_unit_test(short_frames_are_runts),
		cmocka_unit_test(tags_are_found_in_and_beside_the_bytes),
		cmocka_unit_test(the_slow_path_gets_what_is_its),
		cmocka_unit_test(flows_stay_together_and_spread),
		cmocka_unit_test(ports_file_is_read_strictly),
		cmocka_unit_test(a_missing_ports_file_means_no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
