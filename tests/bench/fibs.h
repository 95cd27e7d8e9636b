/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fibs: lookup tables side by side, ours and DPDK's, for both families, behind
 * one interface. Addresses are 128 bits; those of IPv4 are the first 32 of them.
 */
#ifndef TESTS_BENCH_FIBS_H
#define TESTS_BENCH_FIBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIBS_BURST = 64, FIBS_HOPS = 16 };

struct fibs_route {
	uint64_t hi;
	uint64_t lo;
	uint16_t hop; /* 1..FIBS_HOPS */
	uint8_t len;
};

struct fibs_input {
	struct fibs_route *route;
	size_t n_routes;
	const struct fibs_route *dst; /* hi, lo */
	size_t n_dst;
};

/* A table; functions without a result end the program when they fail. */
struct fibs_engine {
	void (*prepare)(const struct fibs_input *in);
	void (*build)(const struct fibs_input *in);
	void (*destroy)(void);
	/* FIBS_BURST destinations from number i on */
	void (*look_up)(size_t i, uint16_t *hop);
	void (*add)(const struct fibs_route *r);
	void (*delete)(const struct fibs_route *r);
	void (*pause)(void); /* between two bursts of changes */
	size_t (*bytes)(void);
};

extern const struct fibs_engine fibs_ours4, fibs_ours6, fibs_rte4, fibs_rte6;

void fibs_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#endif
