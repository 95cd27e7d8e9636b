/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames: writes the packets of the forwarding benchmark, see bench.h.
 *
 *	frames DIR
 *
 * The destinations come from a generator with a fixed seed: each run, on each
 * machine, forwards the same frames.
 */
#include "tests/bench/bench.h"

#include <stdio.h>

enum {
	ETH_BYTES = 14,
	IP_BYTES = 20,
	UDP_AT = ETH_BYTES + IP_BYTES,
	UDP_BYTES = BENCH_FRAME_BYTES - UDP_AT,
	HOST_IP = 0xc6120002, /* 198.18.0.2 */
	FAR_NET = 0xc6130000, /* 198.19.0.0 */
};

static uint32_t
next_random(uint32_t *state)
{
	/* xorshift32 (Marsaglia, 2003) */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static uint32_t
sum16(const uint8_t *p, unsigned bytes)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < bytes; i += 2)
		sum += load_be16(p + i);
	return sum;
}

static uint16_t
checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
make_ethernet(uint8_t *p, const char *dst, const char *src, unsigned type)
{
	memset(p, 0, BENCH_FRAME_BYTES);
	bench_mac(dst, p);
	bench_mac(src, p + 6);
	store_be16(p + 12, (uint16_t)type);
}

static void
make_datagram(uint8_t *p, uint32_t dst, unsigned id)
{
	uint8_t *ip = p + ETH_BYTES;
	uint8_t *udp = p + UDP_AT;

	make_ethernet(p, BENCH_ETH0, BENCH_HOST, 0x0800);
	ip[0] = 0x45;
	store_be16(ip + 2, BENCH_FRAME_BYTES - ETH_BYTES);
	store_be16(ip + 4, (uint16_t)id);
	ip[8] = 64;
	ip[9] = 17;
	store_be32(ip + 12, HOST_IP);
	store_be32(ip + 16, dst);
	store_be16(ip + 10, checksum(sum16(ip, IP_BYTES)));
	store_be16(udp, 4096);
	store_be16(udp + 2, 9); /* discard */
	store_be16(udp + 4, UDP_BYTES);
	store_be32(udp + 8, id);
	/* with the pseudo header: both addresses, protocol, length */
	store_be16(udp + 6, checksum(sum16(udp, UDP_BYTES) + sum16(ip + 12, 8) +
				     17 + UDP_BYTES));
}

static void
make_answer(uint8_t *p)
{
	uint8_t *arp = p + ETH_BYTES;

	make_ethernet(p, BENCH_ETH1, BENCH_HOP, 0x0806);
	store_be16(arp, 1);
	store_be16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	store_be16(arp + 6, 2);
	bench_mac(BENCH_HOP, arp + 8);
	store_be32(arp + 14, BENCH_HOP_IP);
	bench_mac(BENCH_ETH1, arp + 18);
	store_be32(arp + 24, BENCH_OWN1);
}

static FILE *
open_pcap(const char *dir, const char *name)
{
	static const uint32_t header[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535,
		1 };
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(header, sizeof(header), 1, f) != 1) {
		perror(path);
		exit(1);
	}
	return f;
}

static void
put(FILE *f, const uint8_t *frame)
{
	static const uint32_t head[] = { 0, 0, BENCH_FRAME_BYTES,
		BENCH_FRAME_BYTES };

	if (fwrite(head, sizeof(head), 1, f) != 1 ||
	    fwrite(frame, BENCH_FRAME_BYTES, 1, f) != 1) {
		perror("write");
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	uint8_t frame[BENCH_FRAME_BYTES];
	uint32_t state = 1;
	FILE *f;
	int bad;

	if (argc != 2) {
		fputs("usage: frames DIR\n", stderr);
		return 2;
	}
	f = open_pcap(argv[1], "source.pcap");
	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		make_datagram(
		    frame, FAR_NET | (next_random(&state) & 0xffff), i);
		put(f, frame);
	}
	bad = fclose(f);
	f = open_pcap(argv[1], "answer.pcap");
	make_answer(frame);
	put(f, frame);
	return fclose(f) || bad ? 1 : 0;
}
