/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: answers the node's questions on the control socket (lib/wire.h).
 */
#ifndef ROUTER_STATS_H
#define ROUTER_STATS_H

#include "router/pipeline.h"

/*
 * Reads one message from fd and answers it: the sums of the counters of
 * paths[n], and generation. Returns 0, or negative errno: close the socket.
 */
int stats_answer(
    int fd, const struct pipeline *paths, unsigned n, uint64_t generation);

#endif
