/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc: the parts of the in-process forwarder. inproc_fib is the module
 * lookup4 once more, with DPDK's rte_fib (DIR-24-8) in the place of fib4.
 */
#ifndef TESTS_BENCH_INPROC_H
#define TESTS_BENCH_INPROC_H

#include <stdbool.h>

struct batch;
struct plan;
struct routerconf;
struct tables;

void inproc_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* The static routes of c, whose gateways are those of the plan. */
void inproc_fib_make(const struct routerconf *c, const struct plan *plan);

bool inproc_fib_lookup(const struct tables *t, struct batch *b);

#endif
