/* SPDX-License-Identifier: Apache-2.0 */
/*
 * police_rig: tanks, a clock that a test turns, and bursts of equal packets.
 */
#ifndef TESTS_POLICE_RIG_H
#define TESTS_POLICE_RIG_H

#include "dataplane/police.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { N = 32 };
#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

extern struct police_tank *police_tank; /* 4, full when a test begins */
extern uint64_t clock_ns;

int police_rig_begin(void **state);
int police_rig_end(void **state);
#define POLICE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, police_rig_begin, police_rig_end)

/* The limit of one vNIC or router, received, with tank 0. */
struct police one_level(struct wire_rates r);

/* n packets of len, now. */
struct police_verdict judge(
    const struct police *p, unsigned n, uint16_t len, bool urgent);
/* Bursts of n, step apart, for duration; returns how many passed. */
uint64_t flood(const struct police *p, unsigned n, uint16_t len, uint64_t step,
    uint64_t duration);
/* As many as pass now; returns how many. */
uint64_t drain(const struct police *p, uint16_t len, bool urgent);

void expect_within(uint64_t got, uint64_t want, double share);

#endif
