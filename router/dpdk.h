/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpdk: the parts of DPDK that a router may ask for, in a shared object of their
 * own, europa-router-dpdk.so beside the program (router/dpdk/). The router does
 * not link DPDK and knows none of its types; who asks for nothing does not load
 * it. Its functions come in one struct, by one symbol.
 *
 * DPDK starts once in a process and stays: with memory of normal pages, of which
 * those that are needed are taken, no device, one thread of its own that sleeps.
 */
#ifndef ROUTER_DPDK_H
#define ROUTER_DPDK_H

#include "lib/err.h"
#include "router/fib_engine.h"
#include "router/filter_rules.h"

enum dpdk_limits {
	DPDK_VERSION = 1,  /* of struct dpdk */
	DPDK_MIB = 512,    /* of its memory, if nobody says more */
	DPDK_MIN_MIB = 64, /* it does not start with less */
	DPDK_MAX_MIB =
	    8192, /* two copies of a full Internet table need an eighth */
};

struct dpdk {
	uint32_t version;
	/* 0 or negative errno. Context: any thread, once */
	int (*start)(unsigned mib);
	struct fib_engine fib4; /* rte_fib, DIR-24-8 */
	struct fib_engine fib6; /* rte_fib6, trie */
	struct filter_engine acl;
};

#define DPDK_SYMBOL "europa_router_dpdk"
extern const struct dpdk europa_router_dpdk; /* in the shared object alone */

/*
 * Loads and starts it, if that has not been done. Returns 0 or negative errno
 * with e set. Context: main.
 */
int dpdk_start(unsigned mib, struct err *e);

/* NULL: it has not been started. Context: main. */
const struct dpdk *dpdk_get(void);

#endif
