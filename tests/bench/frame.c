/* SPDX-License-Identifier: Apache-2.0 */
/* frame: see frame.h. */
#include "tests/bench/frame.h"

#include "tests/bench/bench.h"

enum {
	ETH_BYTES = 14,
	IP_BYTES = 20,
	UDP_AT = ETH_BYTES + IP_BYTES,
	HOST_IP = 0xc6120002, /* 198.18.0.2 */
};

uint32_t
frame_random(uint32_t *state)
{
	/* xorshift32 (Marsaglia, 2003) */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

uint32_t
frame_sum(const uint8_t *p, unsigned bytes)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < bytes; i += 2)
		sum += load_be16(p + i);
	return sum;
}

uint16_t
frame_checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void
frame_ethernet(uint8_t *p, const char *dst, const char *src, unsigned type)
{
	bench_mac(dst, p);
	bench_mac(src, p + 6);
	store_be16(p + 12, (uint16_t)type);
}

void
frame_datagram(uint8_t *p, unsigned bytes, uint32_t dst, unsigned id)
{
	uint8_t *ip = p + ETH_BYTES;
	uint8_t *udp = p + UDP_AT;
	unsigned udp_bytes = bytes - UDP_AT;

	memset(p, 0, bytes);
	frame_ethernet(p, BENCH_ETH0, BENCH_HOST, 0x0800);
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)(bytes - ETH_BYTES));
	store_be16(ip + 4, (uint16_t)id);
	ip[8] = 64;
	ip[9] = 17;
	store_be32(ip + 12, HOST_IP);
	store_be32(ip + 16, dst);
	store_be16(ip + 10, frame_checksum(frame_sum(ip, IP_BYTES)));
	store_be16(udp, 4096);
	store_be16(udp + 2, 9); /* discard */
	store_be16(udp + 4, (uint16_t)udp_bytes);
	store_be32(udp + 8, id);
	/* with the pseudo header: both addresses, protocol, length */
	store_be16(
	    udp + 6, frame_checksum(frame_sum(udp, udp_bytes) +
				    frame_sum(ip + 12, 8) + 17 + udp_bytes));
}
