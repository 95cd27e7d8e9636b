/* SPDX-License-Identifier: Apache-2.0 */
/* frame_maker: see frame_maker.h. */
#include "tests/unit/frame_maker.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

uint32_t
frame_ip(const char *text)
{
	struct in_addr a;

	assert(inet_pton(AF_INET, text, &a) == 1);
	return ntohl(a.s_addr);
}

void
frame_mac(const char *text, uint8_t *out)
{
	unsigned b[6];

	assert(sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3],
		   &b[4], &b[5]) == 6);
	for (unsigned i = 0; i < 6; i++)
		out[i] = (uint8_t)b[i];
}

unsigned
frame_hex(const char *hex, uint8_t *out, unsigned max)
{
	unsigned n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		unsigned v;

		assert(n < max && sscanf(hex, "%2x", &v) == 1);
		out[n++] = (uint8_t)v;
	}
	return n;
}

static void
put(uint8_t *p, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

unsigned
frame_sum(const uint8_t *p, size_t n)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned long long)p[i] << (i % 2 ? 0 : 8);
	return (unsigned)(sum % 65535);
}

static void
checksum_at(uint8_t *field, const uint8_t *from, size_t n)
{
	put(field, 0, 2);
	put(field, (65535 - frame_sum(from, n)) % 65535, 2);
}

void
frame_fix_checksum(struct frame *f)
{
	checksum_at(f->b + 24, f->b + 14, (f->b[14] & 15U) * 4);
}

static void
ethernet(struct frame *f, const char *dst, const char *src, unsigned type)
{
	memset(f, 0, sizeof(*f));
	if (dst)
		frame_mac(dst, f->b);
	else
		memset(f->b, 0xff, 6);
	frame_mac(src, f->b + 6);
	put(f->b + 12, type, 2);
}

void
frame_ip4(struct frame *f, const struct frame_spec *s)
{
	unsigned header = 20;
	uint8_t *ip = f->b + 14;

	ethernet(f, s->dst_mac, s->src_mac, 0x0800);
	if (s->options)
		header += frame_hex(s->options, ip + 20, 40);
	ip[0] = (uint8_t)(0x40 | header / 4);
	put(ip + 2, header + s->payload, 2);
	put(ip + 4, s->id, 2);
	put(ip + 6, s->fragment, 2);
	ip[8] = s->ttl ? s->ttl : 64;
	ip[9] = s->protocol ? s->protocol : 17;
	put(ip + 12, frame_ip(s->src), 4);
	put(ip + 16, frame_ip(s->dst), 4);
	for (unsigned i = 0; i < s->payload; i++)
		ip[header + i] = (uint8_t)i;
	f->len = 14 + header + s->payload;
	frame_fix_checksum(f);
}

void
frame_icmp(struct frame *f, uint8_t type, uint8_t code)
{
	unsigned header = (f->b[14] & 15U) * 4;
	uint8_t *icmp = f->b + 14 + header;

	icmp[0] = type;
	icmp[1] = code;
	checksum_at(icmp + 2, icmp, f->len - 14 - header);
}

void
frame_arp(struct frame *f, int op, const char *mac, const char *ip,
    const char *to_mac, const char *to_ip)
{
	ethernet(f, to_mac, mac, 0x0806);
	put(f->b + 14, 0x000108000604, 6);
	put(f->b + 20, (uint64_t)op, 2);
	frame_mac(mac, f->b + 22);
	put(f->b + 28, frame_ip(ip), 4);
	if (to_mac)
		frame_mac(to_mac, f->b + 32);
	put(f->b + 38, frame_ip(to_ip), 4);
	f->len = 60;
}

void
frame_ip6_address(const char *text, uint8_t *out)
{
	assert(inet_pton(AF_INET6, text, out) == 1);
}

void
frame_ip6(
    struct frame *f, const struct frame_spec *s, uint8_t next, const char *rest)
{
	uint8_t *ip = f->b + 14;
	unsigned n;

	ethernet(f, s->dst_mac, s->src_mac, 0x86dd);
	n = rest ? frame_hex(rest, ip + 40, FRAME_MAX - 54) : 0;
	for (unsigned i = 0; i < s->payload; i++)
		ip[40 + n + i] = (uint8_t)i;
	n += s->payload;
	ip[0] = 0x60;
	put(ip + 4, n, 2);
	ip[6] = next;
	ip[7] = s->ttl ? s->ttl : 64;
	frame_ip6_address(s->src, ip + 8);
	frame_ip6_address(s->dst, ip + 24);
	f->len = 54 + n;
}

/* The pseudo header is two addresses, the length and the protocol. */
unsigned
frame_sum6(const struct frame *f)
{
	unsigned n = (unsigned)(f->b[18] << 8 | f->b[19]);

	return (frame_sum(f->b + 22, 32) + n + 58 + frame_sum(f->b + 54, n)) %
	       65535;
}

void
frame_fix_icmp6(struct frame *f)
{
	put(f->b + 56, 0, 2);
	put(f->b + 56, (65535 - frame_sum6(f)) % 65535, 2);
}

void
frame_nd(struct frame *f, int op, const char *mac, const char *ip,
    const char *to_ip, const char *target)
{
	struct frame_spec s = { .dst_mac = "33:33:00:00:00:01",
		.src_mac = mac ? mac : "0e:00:00:00:00:99",
		.src = ip,
		.dst = to_ip,
		.ttl = 255,
		.payload = mac ? 32 : 24 };

	frame_ip6(f, &s, 58, NULL);
	memset(f->b + 54, 0, s.payload);
	f->b[54] = (uint8_t)op;
	f->b[58] = op == 136 ? 0x60 : 0; /* solicited, override */
	frame_ip6_address(target, f->b + 62);
	if (mac) {
		f->b[78] = op == 136 ? 2 : 1;
		f->b[79] = 1;
		frame_mac(mac, f->b + 80);
	}
	frame_fix_icmp6(f);
}
