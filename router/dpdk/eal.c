/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal: DPDK's environment in a container: no huge pages, no device, no files
 * that others could see, no socket, one core.
 *
 * rte_eal_init() binds the thread that calls it to a core. So a thread that ends
 * afterwards calls it, and the others stay where their kernel puts them; to DPDK
 * they are threads that it does not know, which its tables do not mind.
 */
#include "router/dpdk/parts.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>

struct start {
	unsigned mib;
	int rc;
};

/* Any core that we may use, as DPDK's core 0. */
static void
name_core(char *out, size_t size)
{
	cpu_set_t set;
	int core = 0;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		while (
		    core < CPU_SETSIZE - 1 && !CPU_ISSET((unsigned)core, &set))
			core++;
	snprintf(out, size, "--lcores=0@%d", core);
}

static void *
init(void *arg)
{
	struct start *s = arg;
	/* not const: rte_eal_init() moves them about */
	static char name[] = "europa-router", no_huge[] = "--no-huge",
		    no_pci[] = "--no-pci", no_files[] = "--no-shconf",
		    no_telemetry[] = "--no-telemetry",
		    simd[] = "--force-max-simd-bitwidth=512",
		    quiet[] = "--log-level=4", core[24], mib[16];
	char *argv[] = { name, no_huge, no_pci, no_files, no_telemetry, simd,
		quiet, core, mib, NULL };

	/* it makes a folder there, although nobody is to find it */
	setenv("RUNTIME_DIRECTORY", "/tmp", 0);
	name_core(core, sizeof(core));
	snprintf(mib, sizeof(mib), "-m%u", s->mib);
	if (rte_eal_init((int)ARRAY_SIZE(argv) - 1, argv) < 0)
		s->rc = rte_errno > 0 ? -rte_errno : -EIO;
	return NULL;
}

static int
start(unsigned mib)
{
	struct start s = { .mib = mib };
	pthread_t thread;
	int no = pthread_create(&thread, NULL, init, &s);

	if (no != 0)
		return -no;
	pthread_join(thread, NULL);
	return s.rc;
}

__attribute__((visibility("default"))) const struct dpdk europa_router_dpdk = {
	.version = DPDK_VERSION,
	.start = start,
	.fib4 = { dpdk_fib4_make, dpdk_fib4_free, dpdk_fib4_add,
	    dpdk_fib4_remove, dpdk_fib4_look_up, dpdk_fib4_bytes },
	.fib6 = { dpdk_fib6_make, dpdk_fib6_free, dpdk_fib6_add,
	    dpdk_fib6_remove, dpdk_fib6_look_up, dpdk_fib6_bytes },
	.acl = { dpdk_acl_make, dpdk_acl_free, dpdk_acl_find },
};
