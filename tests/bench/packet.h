/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet: the one UDP datagram of the sources on veth: from 198.18.0.2 to
 * 198.19.0.0, whose low half the source varies together with the IP
 * identification, so that their sum, and the checksum, stay what they are here.
 */
#ifndef TESTS_BENCH_PACKET_H
#define TESTS_BENCH_PACKET_H

#include "tests/bench/bench.h"

enum bench_packet {
	BENCH_IP = 14,
	BENCH_UDP = BENCH_IP + 20,
	BENCH_SOURCE_IP = 0xc6120002, /* 198.18.0.2 */
	BENCH_DST_NET = 0xc6130000,   /* 198.19.0.0 */
	BENCH_IP_HEAD = 0x45000000,   /* version 4, five words */
	BENCH_TTL_UDP = 64 << 8 | 17,
	BENCH_PORT = 5001,
};

static inline uint16_t
bench_checksum(const uint8_t *p, unsigned bytes)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < bytes; i += 2)
		sum += load_be16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* size bytes at p, to dst; no UDP checksum. */
static inline void
bench_datagram(uint8_t *p, unsigned size, const uint8_t *dst)
{
	uint8_t *ip = p + BENCH_IP, *udp = p + BENCH_UDP;

	memset(p, 0, size);
	memcpy(p, dst, 6);
	bench_mac(BENCH_HOST, p + 6);
	store_be16(p + 12, 0x0800);
	store_be32(ip, BENCH_IP_HEAD | (size - BENCH_IP));
	store_be16(ip + 4, 0xffff); /* the complement of 0 */
	store_be16(ip + 8, BENCH_TTL_UDP);
	store_be32(ip + 12, BENCH_SOURCE_IP);
	store_be32(ip + 16, BENCH_DST_NET);
	store_be16(ip + 10, bench_checksum(ip, 20));
	store_be16(udp, BENCH_PORT);
	store_be16(udp + 2, BENCH_PORT);
	store_be16(udp + 4, (uint16_t)(size - BENCH_UDP));
}

#endif
