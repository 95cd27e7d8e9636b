/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inproc: the parts of the in-process forwarder. inproc_fib is the module
 * lookup4 once more, with DPDK's rte_fib (DIR-24-8) in the place of fib4.
 * inproc_update changes routes while packets are forwarded, on another core, as
 * the slow path of a router may. inproc_tx is how frames leave: in bursts of
 * another size than they came in, and how old they are then.
 */
#ifndef TESTS_BENCH_INPROC_H
#define TESTS_BENCH_INPROC_H

#include <stdbool.h>

struct batch;
struct counters;
struct plan;
struct publish;
struct rte_mbuf;
struct routerconf;
struct tables;

void inproc_die(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* The static routes of c, whose gateways are those of the plan. */
void inproc_fib_make(const struct routerconf *c, const struct plan *plan);

/* The tables that the slow path makes when all next hops have answered. */
struct tables *inproc_tables(const struct plan *plan);

/*
 * Begins to make so many changes a second, to the routes of c, which it copies,
 * in plan, which it takes. It is the writer of p from now on.
 */
void inproc_update_start(const struct routerconf *c, struct plan *plan,
    struct publish *p, unsigned per_second, unsigned core);
/* Ends it, and prints what it did, as more members of a JSON object. */
void inproc_update_stop(void);

bool inproc_fib_lookup(const struct tables *t, struct batch *b);

enum { INPROC_TX_MAX = 128 };

/* burst: so many leave at once; 0: what there is. is_aged: note their age. */
void inproc_tx_init(unsigned burst, bool is_aged);
/* From now on the ages count. */
void inproc_tx_count(void);
/* Takes the frames. */
void inproc_tx(
    struct counters *c, unsigned port, struct rte_mbuf **m, unsigned n);
/* Each turn: what has waited too long leaves. */
void inproc_tx_tick(struct counters *c);
/* Prints the ages, as more members of a JSON object. */
void inproc_tx_print(void);

#endif
