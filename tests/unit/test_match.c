/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_match: rules on what is in a frame, one field at a time and all together,
 * and frames that are cut, broken, or random: beside a plain reading of the rule.
 */
#include "dataplane/match.h"
#include "dataplane/rules.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ETHER = 14, IP4 = 20, IP6 = 40 };

struct packet {
	uint8_t bytes[128];
	unsigned n;
};

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };

static void
ether(struct packet *p, uint16_t type)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->bytes, mac, 6);
	memcpy(p->bytes + 6, "\x02\0\0\1\1\1", 6);
	store_be16(p->bytes + 12, type);
	p->n = ETHER;
}

static uint8_t *
ip4(struct packet *p, const char *src, const char *dst, uint8_t protocol)
{
	uint8_t *ip = p->bytes + ETHER;

	ether(p, FRAME_TYPE_IP4);
	ip[0] = 0x45;
	ip[9] = protocol;
	assert_int_equal(inet_pton(AF_INET, src, ip + 12), 1);
	assert_int_equal(inet_pton(AF_INET, dst, ip + 16), 1);
	p->n = ETHER + IP4 + 40;
	return ip + IP4;
}

static uint8_t *
ip6(struct packet *p, const char *src, const char *dst, uint8_t protocol)
{
	uint8_t *ip = p->bytes + ETHER;

	ether(p, FRAME_TYPE_IP6);
	ip[0] = 0x60;
	ip[6] = protocol;
	assert_int_equal(inet_pton(AF_INET6, src, ip + 8), 1);
	assert_int_equal(inet_pton(AF_INET6, dst, ip + 24), 1);
	p->n = ETHER + IP6 + 40;
	return ip + IP6;
}

/* The value for p, in VLAN 0, of one rule. */
static uint32_t
find(const struct wire_match *w, const struct packet *p)
{
	struct match_rule r;
	struct match *m;
	struct frame f;
	uint32_t value;

	assert_null(match_flaw(w));
	match_rule_make(w, 0, 77, &r);
	assert_int_equal(match_new(&r, 1, &m), 0);
	assert_true(frame_parse(&f, p->bytes, p->n, NULL, 0));
	value = match_find(m, &f);
	match_free(m);
	return value;
}

static struct wire_match
to4(const char *dst, uint8_t bits)
{
	struct wire_match w = {
		.fields = WIRE_MATCH_DST, .family = 4, .dst_bits = bits
	};

	assert_int_equal(inet_pton(AF_INET, dst, w.dst), 1);
	return w;
}

static void
prefixes_and_macs(void **state)
{
	struct wire_match w = to4("198.18.128.0", 17);
	struct packet p;

	(void)state;
	ip4(&p, "192.0.2.1", "198.18.129.7", 1);
	assert_int_equal(find(&w, &p), 77);
	ip4(&p, "192.0.2.1", "198.18.127.7", 1);
	assert_int_equal(find(&w, &p), RULES_NONE);
	w = to4("0.0.0.0", 0);
	assert_int_equal(find(&w, &p), 77);
	ip6(&p, "2001:db8::1", "2001:db8::2", 17);
	assert_int_equal(find(&w, &p), RULES_NONE);
	w = (struct wire_match){
		.fields = WIRE_MATCH_SRC, .family = 6, .src_bits = 127
	};
	inet_pton(AF_INET6, "2001:db8::", w.src);
	assert_int_equal(find(&w, &p), 77);
	w.src_bits = 128;
	assert_int_equal(find(&w, &p), RULES_NONE);
	w = (struct wire_match){ .fields = WIRE_MATCH_MAC };
	memcpy(w.mac, mac, 6);
	assert_int_equal(find(&w, &p), 77);
	w.mac[5] ^= 1;
	assert_int_equal(find(&w, &p), RULES_NONE);
}

static void
five_tuples(void **state)
{
	struct wire_match w = to4("198.18.0.7", 32);
	struct packet p;
	uint8_t *udp;

	(void)state;
	w.fields |= WIRE_MATCH_SRC | WIRE_MATCH_PROTOCOL | WIRE_MATCH_SRC_PORT |
		    WIRE_MATCH_DST_PORT;
	inet_pton(AF_INET, "192.0.2.1", w.src);
	w.src_bits = 32;
	w.protocol = 17;
	w.src_port = 1000;
	w.dst_port = 53;
	udp = ip4(&p, "192.0.2.1", "198.18.0.7", 17);
	store_be16(udp, 1000);
	store_be16(udp + 2, 53);
	assert_int_equal(find(&w, &p), 77);
	p.bytes[ETHER + 9] = 6;
	assert_int_equal(find(&w, &p), RULES_NONE);
	p.bytes[ETHER + 9] = 17;
	store_be16(p.bytes + ETHER + 6, 1); /* a later fragment */
	assert_int_equal(find(&w, &p), RULES_NONE);
	store_be16(p.bytes + ETHER + 6, 0x4000);
	assert_int_equal(find(&w, &p), 77);
	/* options move the ports */
	p.bytes[ETHER] = 0x46;
	memmove(udp + 4, udp, 4);
	assert_int_equal(find(&w, &p), 77);
	p.n = ETHER + IP4 + 4;
	assert_int_equal(find(&w, &p), RULES_NONE);
}

static void
tunnels(void **state)
{
	struct wire_match w = { .fields = WIRE_MATCH_VNI,
		.tunnel_key = 0xabcdef };
	struct packet p;
	uint8_t *in;

	(void)state;
	in = ip4(&p, "192.0.2.1", "198.18.0.7", 17);
	store_be16(in + 2, 4789);
	in[8] = 0x08;
	store_be32(in + 12, 0xabcdef00);
	assert_int_equal(find(&w, &p), 77);
	in[8] = 0;
	assert_int_equal(find(&w, &p), RULES_NONE);
	in[8] = 0x08;
	store_be16(in + 2, 4790);
	assert_int_equal(find(&w, &p), RULES_NONE);
	in = ip6(&p, "2001:db8::1", "2001:db8::2", 17);
	store_be16(in + 2, 4789);
	in[8] = 0x08;
	store_be32(in + 12, 0xabcdef00);
	assert_int_equal(find(&w, &p), 77);
	p.n = ETHER + IP6 + 15;
	assert_int_equal(find(&w, &p), RULES_NONE);

	w = (struct wire_match){ .fields = WIRE_MATCH_GRE_KEY,
		.tunnel_key = 0xdeadbeef };
	in = ip4(&p, "192.0.2.1", "198.18.0.7", 47);
	store_be16(in, 0x2000);
	store_be32(in + 4, 0xdeadbeef);
	assert_int_equal(find(&w, &p), 77);
	store_be16(in, 0xa000); /* a checksum before the key */
	assert_int_equal(find(&w, &p), RULES_NONE);
	store_be32(in + 8, 0xdeadbeef);
	assert_int_equal(find(&w, &p), 77);
	store_be16(in, 0);
	assert_int_equal(find(&w, &p), RULES_NONE);
}

static void
vlans_keep_apart(void **state)
{
	struct wire_match w = to4("198.18.0.0", 16);
	struct match_rule r[2];
	struct match *m;
	struct packet p;
	struct frame f;

	(void)state;
	match_rule_make(&w, 5, 50, &r[0]);
	match_rule_make(&w, 6, 60, &r[1]);
	assert_int_equal(match_new(r, 2, &m), 0);
	ip4(&p, "192.0.2.1", "198.18.129.7", 1);
	assert_true(frame_parse(&f, p.bytes, p.n, NULL, 0));
	assert_int_equal(match_find(m, &f), RULES_NONE);
	frame_set_stripped_tag(&f, 6);
	assert_int_equal(match_find(m, &f), 60);
	match_free(m);
	match_rule_make(&w, RULES_ANY_VLAN, 70, &r[0]);
	assert_int_equal(match_new(r, 1, &m), 0);
	assert_int_equal(match_find(m, &f), 70);
	/* in pieces: what is in it is not here */
	f.head_bytes = UINT16_MAX;
	assert_int_equal(match_find(m, &f), RULES_NONE);
	match_free(m);
}

/* 5000 rules of 24 shapes: each finds its own. */
static void
many_rules(void **state)
{
	enum { N = 5000 };
	static struct match_rule r[N];
	struct match *m;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		struct wire_match w = { .fields = WIRE_MATCH_DST,
			.family = 4,
			.dst_bits = (uint8_t)(32 - i % 24) };

		store_be32(w.dst, i << 8);
		w.fields |= WIRE_MATCH_DST_PORT;
		w.dst_port = (uint16_t)(i + 1);
		match_rule_make(&w, 0, i, &r[i]);
	}
	assert_int_equal(match_new(r, N, &m), 0);
	for (uint32_t i = 0; i < N; i++) {
		struct packet p;
		struct frame f;
		uint8_t *udp = ip4(&p, "0.0.0.0", "0.0.0.0", 17);

		store_be32(p.bytes + ETHER + 16, i << 8);
		store_be16(udp + 2, (uint16_t)(i + 1));
		assert_true(frame_parse(&f, p.bytes, p.n, NULL, 0));
		assert_int_equal(match_find(m, &f), i);
	}
	match_free(m);
}

/* Whatever bytes come, in a buffer of exactly their size: for sanitizers. */
static void
any_bytes(void **state)
{
	struct wire_match w = { .fields = WIRE_MATCH_VNI, .tunnel_key = 1 };
	struct match_rule r;
	struct match *m;
	uint64_t x = 1;

	(void)state;
	match_rule_make(&w, 0, 1, &r);
	assert_int_equal(match_new(&r, 1, &m), 0);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned n = FRAME_HEADER + (unsigned)(x >> 33) % 80;
		uint8_t *p = malloc(n);
		struct frame f;

		assert_non_null(p);
		for (unsigned k = 0; k < n; k++) {
			x = x * UINT64_C(6364136223846793005) +
			    1442695040888963407;
			p[k] = (uint8_t)(x >> 56);
		}
		store_be16(p + 12, i % 2 ? FRAME_TYPE_IP4 : FRAME_TYPE_IP6);
		if (n > ETHER + IP4)
			p[ETHER] = i % 2 ? 0x40 | (p[ETHER] & 15) : 0x60;
		if (n > ETHER + 9)
			p[ETHER + (i % 2 ? 9 : 6)] = i % 4 < 2 ? 17 : 47;
		if (frame_parse(&f, p, n, NULL, 0))
			(void)match_find(m, &f);
		free(p);
	}
	match_free(m);
}

static void
what_cannot_be_is_told(void **state)
{
	const struct wire_match bad[] = {
		{ .fields = WIRE_MATCH_END },
		{ .fields = WIRE_MATCH_SRC, .family = 5 },
		{ .fields = WIRE_MATCH_SRC, .family = 4, .src_bits = 33 },
		{ .fields = WIRE_MATCH_DST, .family = 6, .dst_bits = 129 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(match_flaw(&bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_and_macs),
		cmocka_unit_test(five_tuples),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(vlans_keep_apart),
		cmocka_unit_test(many_rules),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(what_cannot_be_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
