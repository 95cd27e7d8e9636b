/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal: DPDK's start, with arguments of our choice. Its main lcore is our
 * control thread, which sleeps; no thread of DPDK spins.
 */
#ifndef DATAPLANE_EAL_H
#define DATAPLANE_EAL_H

#include "dataplane/options.h"

/*
 * Starts DPDK. *hugepages says whether it got huge pages. PCI ports of the
 * ports file are allowed, and no others are touched. Returns 0 or negative
 * errno with e set. Context: once, before any other use of DPDK.
 */
int eal_start(const struct options *o, bool *hugepages, struct err *e);

/* The NUMA node of a core, or -1: unknown, or core is negative. */
int eal_numa_node(int core);

#endif
