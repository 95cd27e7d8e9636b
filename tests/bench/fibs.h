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

/*
 * Whose table it is: ours; DPDK's as it is meant to be used, in memory of its
 * own and changed in place; the same behind the router's interface, as a router
 * that asks for it has it (router/dpdk.h).
 */
enum fibs_who { FIBS_OURS, FIBS_RTE, FIBS_ROUTER, FIBS_N };

/* A table; functions without a result end the program when they fail. */
struct fibs_engine {
	enum fibs_who who; /* goes with each call */
	void (*prepare)(const struct fibs_input *in);
	void (*build)(enum fibs_who who, const struct fibs_input *in);
	void (*destroy)(enum fibs_who who);
	/* FIBS_BURST destinations from number i on */
	void (*look_up)(enum fibs_who who, size_t i, uint16_t *hop);
	void (*add)(enum fibs_who who, const struct fibs_route *r);
	void (*delete)(enum fibs_who who, const struct fibs_route *r);
	void (*pause)(enum fibs_who who); /* between two bursts of changes */
	size_t (*bytes)(enum fibs_who who);
};

extern const struct fibs_engine fibs_ours4, fibs_ours6, fibs_rte4, fibs_rte6,
    fibs_router4, fibs_router6;

void fibs_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#endif
