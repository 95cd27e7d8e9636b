/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_dpdk: europa-router-dpdk.so of the build folder, for tests of what a
 * router may ask of DPDK, and the random numbers that they share.
 */
#ifndef TESTS_ROUTER_DPDK_H
#define TESTS_ROUTER_DPDK_H

#include "router/dpdk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* xorshift64: the same numbers everywhere */
static inline uint32_t
random32(void)
{
	static uint64_t seed = 88172645463325252;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* Whether this build has it; the makefile says when not. */
#ifndef TEST_DPDK
#define TEST_DPDK 1
#endif

static inline const struct dpdk *
dpdk(void)
{
	const char *build = getenv("EUROPA_BUILDDIR");
	char path[512];
	struct err e;

	snprintf(path, sizeof(path), "%s/europa-router-dpdk.so",
	    build ? build : ".");
	assert_int_equal(setenv("EUROPA_ROUTER_DPDK", path, 1), 0);
	/* where DPDK makes a folder for itself */
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/nonexistent", 1), 0);
	if (dpdk_start(256, &e) < 0)
		fail_msg("%s", e.msg);
	assert_non_null(dpdk_get());
	return dpdk_get();
}

#endif
