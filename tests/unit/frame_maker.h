/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_maker: packets for tests, byte by byte. It shares no code with router/,
 * so that an error there is not made twice.
 */
#ifndef TESTS_FRAME_MAKER_H
#define TESTS_FRAME_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 2048 };

struct frame {
	unsigned len;
	uint8_t b[FRAME_MAX];
};

/* What to make; zeros mean the usual (TTL 64, UDP, 5 words of header). */
struct frame_spec {
	const char *dst_mac, *src_mac; /* "0a:00:00:00:00:01" */
	const char *src, *dst;         /* "198.18.0.1" */
	uint8_t ttl;
	uint8_t protocol;
	uint16_t fragment; /* flags and offset */
	uint16_t id;
	unsigned payload;    /* bytes behind the header, counted up from 0 */
	const char *options; /* hex, a multiple of 4 bytes */
};

void frame_ip4(struct frame *f, const struct frame_spec *s);

/* Makes the payload of f an ICMP message of this type, checksum right. */
void frame_icmp(struct frame *f, uint8_t type, uint8_t code);

/* op 1 = request, 2 = reply. to NULL = broadcast. */
void frame_arp(struct frame *f, int op, const char *mac, const char *ip,
    const char *to_mac, const char *to_ip);

/* The IPv4 header's checksum anew, after a change. */
void frame_fix_checksum(struct frame *f);

/* Sum of 16-bit words modulo 65535: 0 for a right IPv4 header. */
unsigned frame_sum(const uint8_t *p, size_t n);

uint32_t frame_ip(const char *text);
void frame_ip6_address(const char *text, uint8_t *out);

/*
 * An IPv6 packet from s->src to s->dst with this next header and the bytes of
 * rest (hex) behind its header, then s->payload counted up; ttl as hop limit.
 */
void frame_ip6(struct frame *f, const struct frame_spec *s, uint8_t next,
    const char *rest);

/* Puts the checksum of the ICMPv6 message behind f's IPv6 header right. */
void frame_fix_icmp6(struct frame *f);

/* Its sum: 0 if it is right. */
unsigned frame_sum6(const struct frame *f);

/* op 135 asks from ip, 136 tells ip, with the option for mac (NULL: none). */
void frame_nd(struct frame *f, int op, const char *mac, const char *ip,
    const char *to_ip, const char *target);

void frame_mac(const char *text, uint8_t *out);

/* Hex to bytes; returns how many. */
unsigned frame_hex(const char *hex, uint8_t *out, unsigned max);

#endif
