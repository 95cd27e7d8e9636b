/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: answers the node's questions on the control socket (lib/wire.h).
 */
#ifndef ROUTER_STATS_H
#define ROUTER_STATS_H

#include "router/filter_rules.h"
#include "router/pipeline.h"

/*
 * Reads one message from fd and answers it: the sums of the counters of
 * paths[n], the rules that have matched (filter_NUMBER), and generation.
 * Returns 0, or negative errno: close the socket.
 */
int stats_answer(int fd, const struct pipeline *paths, unsigned n,
    const struct filter_hits *hits, uint64_t generation);

#endif
