/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenants: writes the frames of a node with many routers, for net_pcap.
 *
 *	tenants FILE N equal|unequal
 *
 * UDP datagrams to random hosts of 198.19.0.0/16, each to the MAC of a router,
 * 02:00:00:01:HH:LL for router HHLL of N, in random order: a burst of the host
 * has a frame or two for each. Unequal: router i gets i mod 10 + 1 parts.
 */
#include "tests/bench/bench.h"
#include "tests/bench/packet.h"

#include <stdio.h>

enum { MAX_FRAMES = 1024, PARTS = 10 };

struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, max_bytes, link;
};

struct pcap_frame {
	uint32_t seconds, micros, bytes, bytes_on_wire;
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

/* Routers by frame, as many rounds as fit, then shuffled. Returns how many. */
static unsigned
choose_routers(unsigned *router, unsigned n, bool equal, uint32_t *seed)
{
	unsigned total = 0, round = 0;

	for (unsigned i = 0; i < n; i++)
		round += equal ? 1 : i % PARTS + 1;
	while (total + round <= MAX_FRAMES)
		for (unsigned i = 0; i < n; i++)
			for (unsigned k = equal ? 1 : i % PARTS + 1; k > 0; k--)
				router[total++] = i;
	for (unsigned i = total; i > 1; i--) {
		unsigned k = next_random(seed) % i, t = router[k];

		router[k] = router[i - 1];
		router[i - 1] = t;
	}
	return total;
}

static void
write_frame(FILE *f, unsigned router, uint32_t host)
{
	const struct pcap_frame head = {
		.bytes = BENCH_FRAME_BYTES,
		.bytes_on_wire = BENCH_FRAME_BYTES,
	};
	const uint8_t mac[6] = { 2, 0, 0, 1, (uint8_t)(router >> 8),
		(uint8_t)router };
	uint8_t p[BENCH_FRAME_BYTES];

	bench_datagram(p, sizeof(p), mac);
	store_be16(p + BENCH_IP + 18, (uint16_t)host);
	store_be16(p + BENCH_IP + 4, (uint16_t)~host);
	fwrite(&head, sizeof(head), 1, f);
	fwrite(p, sizeof(p), 1, f);
}

int
main(int argc, char **argv)
{
	const struct pcap_file head = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1 };
	unsigned router[MAX_FRAMES];
	uint32_t seed = 20100101;
	unsigned n, total;
	FILE *f;

	n = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	if (n == 0 || n > MAX_FRAMES / PARTS) {
		fputs("usage: tenants FILE N equal|unequal\n", stderr);
		return 2;
	}
	f = fopen(argv[1], "we");
	if (!f) {
		perror(argv[1]);
		return 1;
	}
	total = choose_routers(router, n, strcmp(argv[3], "equal") == 0, &seed);
	fwrite(&head, sizeof(head), 1, f);
	for (unsigned i = 0; i < total; i++)
		write_frame(f, router[i], next_random(&seed) % 65534 + 1);
	if (fclose(f) != 0) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
