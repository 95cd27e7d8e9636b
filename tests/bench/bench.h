/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: what the programs of the forwarding benchmark have in common, so that
 * both forwarders see the same frames and the same configuration.
 *
 *	source.pcap   1024 UDP datagrams to random hosts of 198.19.0.0/16
 *	dst.bin       their destinations, words of the machine (source.c)
 *	answer.pcap   the ARP replies of the next hops, 198.18.1.254 downwards
 *
 * Sizes are those on a wire; of "64 bytes" a host sees 60, the checksum of the
 * link is not there.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "lib/base.h"

#include <time.h>

enum bench_limits {
	BENCH_FRAMES = 1024,
	BENCH_FRAME_BYTES = 60,
	BENCH_HOPS = 16, /* of large tables; the small one has one */
};

#define BENCH_ETH0 "02:00:00:00:01:00"
#define BENCH_ETH1 "02:00:00:00:01:01"
#define BENCH_HOST "02:00:00:00:02:01" /* the sender */
#define BENCH_HOP "02:00:00:00:02:02"  /* the next hop */
#define BENCH_OWN0 0xc6120001u         /* 198.18.0.1 */
#define BENCH_OWN1 0xc6120101u         /* 198.18.1.1 */
#define BENCH_HOP_IP 0xc61201feu       /* 198.18.1.254 */
#define BENCH_CONF_HEAD                             \
	"generation 1\nhostname bench\n"            \
	"vnic 0 eth0 mac " BENCH_ETH0 " mtu 1500\n" \
	"address eth0 198.18.0.1/24\n"              \
	"vnic 1 eth1 mac " BENCH_ETH1 " mtu 1500\n" \
	"address eth1 198.18.1.1/24\n"
#define BENCH_CONF                                     \
	BENCH_CONF_HEAD                                \
	"route 198.19.0.0/16 via 198.18.1.254\n"       \
	"route 192.0.2.0/24 via 198.18.0.2 dev eth0\n" \
	"end\n"

static inline uint64_t
bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline void
bench_sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

/* The bytes of one of the MACs above. */
static inline void
bench_mac(const char *text, uint8_t *out)
{
	for (unsigned i = 0; i < 6; i++)
		out[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
}

#endif
