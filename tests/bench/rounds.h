/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rounds: what benchmarks of one part of the router need that time it in rounds,
 * without rings and other processes: the tables of the configuration of bench.h,
 * with the next hop known, and medians.
 */
#ifndef TESTS_BENCH_ROUNDS_H
#define TESTS_BENCH_ROUNDS_H

#include "router/plan.h"

/* Ends the program, with words, if it cannot. */
struct tables *rounds_tables(void);

/* Sorts v. */
double rounds_median(double *v, unsigned n);

#endif
