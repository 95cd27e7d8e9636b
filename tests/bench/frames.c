/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames: writes the packets of the forwarding benchmarks, see bench.h.
 *
 *	frames DIR [BYTES]	(on a wire: 64, ...; the checksum of the link, 4
 *				 bytes, is not in the files)
 *
 * The destinations come from a generator with a fixed seed: each run, on each
 * machine, forwards the same frames.
 */
#include "tests/bench/frame.h"

#include "tests/bench/bench.h"

#include <stdio.h>

enum {
	ARP_AT = 14,
	FAR_NET = 0xc6130000, /* 198.19.0.0 */
	LINK_CHECKSUM = 4,
	MAX_BYTES = 1518,
};

static void
make_answer(uint8_t *p, unsigned hop)
{
	uint8_t *arp = p + ARP_AT;

	memset(p, 0, BENCH_FRAME_BYTES);
	frame_ethernet(p, BENCH_ETH1, BENCH_HOP, 0x0806);
	store_be16(arp, 1);
	store_be16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	store_be16(arp + 6, 2);
	bench_mac(BENCH_HOP, arp + 8);
	store_be32(arp + 14, BENCH_HOP_IP - hop);
	bench_mac(BENCH_ETH1, arp + 18);
	store_be32(arp + 24, BENCH_OWN1);
}

static FILE *
open_file(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static void
put(FILE *f, const void *p, size_t bytes)
{
	if (fwrite(p, bytes, 1, f) != 1) {
		perror("write");
		exit(1);
	}
}

static FILE *
open_pcap(const char *dir, const char *name)
{
	static const uint32_t header[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535,
		1 };
	FILE *f = open_file(dir, name);

	put(f, header, sizeof(header));
	return f;
}

static void
put_frame(FILE *f, const uint8_t *frame, unsigned bytes)
{
	const uint32_t head[] = { 0, 0, bytes, bytes };

	put(f, head, sizeof(head));
	put(f, frame, bytes);
}

int
main(int argc, char **argv)
{
	uint8_t frame[MAX_BYTES];
	unsigned long wire = argc == 3 ? strtoul(argv[2], NULL, 10) : 64;
	unsigned bytes = (unsigned)wire - LINK_CHECKSUM;
	uint32_t state = 1;
	FILE *f, *dsts;
	int bad;

	if (argc < 2 || argc > 3 || wire < 64 || wire > MAX_BYTES) {
		fputs("usage: frames DIR [BYTES]\n", stderr);
		return 2;
	}
	f = open_pcap(argv[1], "source.pcap");
	dsts = open_file(argv[1], "dst.bin");
	for (unsigned i = 0; i < BENCH_FRAMES; i++) {
		uint32_t dst = FAR_NET | (frame_random(&state) & 0xffff);

		frame_datagram(frame, bytes, dst, i);
		put_frame(f, frame, bytes);
		put(dsts, &dst, sizeof(dst));
	}
	bad = fclose(f) | fclose(dsts);
	f = open_pcap(argv[1], "answer.pcap");
	for (unsigned i = 0; i < BENCH_HOPS; i++) {
		make_answer(frame, i);
		put_frame(f, frame, BENCH_FRAME_BYTES);
	}
	return fclose(f) | bad ? 1 : 0;
}
