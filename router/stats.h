/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: answers the node's questions on the control socket (lib/wire.h).
 */
#ifndef ROUTER_STATS_H
#define ROUTER_STATS_H

#include "lib/wire.h"
#include "router/filter_rules.h"
#include "router/pipeline.h"

/*
 * Reads one message from fd and answers it with generation and the counters that
 * add() puts into m by stats_add(). Returns 0, or negative errno: close the
 * socket.
 */
int stats_serve(int fd, uint64_t generation,
    void (*add)(void *arg, struct wire_msg *m), void *arg);

/* One more; what has no room is left out. Names have at most 31 characters. */
void stats_add(struct wire_msg *m, const char *name, uint64_t value);

/*
 * Reads one message from fd and answers it: the sums of the counters of
 * paths[n], the rules that have matched (filter_NUMBER), and generation.
 * Returns 0, or negative errno: close the socket.
 */
int stats_answer(int fd, const struct pipeline *paths, unsigned n,
    const struct filter_hits *hits, uint64_t generation);

#endif
