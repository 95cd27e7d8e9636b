/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_stats: what the container's kernel counts of the packets that it
 * forwards and drops, as counters of the router: /proc/net/snmp, snmp6 and dev.
 */
#ifndef ROUTER_KERNEL_STATS_H
#define ROUTER_KERNEL_STATS_H

#include "lib/wire.h"

#include <stdio.h>

/* Adds those of the files below root ("" but in a test) to m. */
void kernel_stats_add(struct wire_msg *m, const char *root);

#endif
