/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard: what host.c and router.c have in common: their size, and a clock that
 * nobody else's load moves. Both are linked with --wrap=clock_gettime.
 */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

#include <stdint.h>
#include <time.h>

enum {
	N_VNICS = 2,
	N_QUEUES = 2, /* one of data, and the control queue */
};

int __wrap_clock_gettime(clockid_t id, struct timespec *t);

/* A microsecond passes between two looks at it. */
int
__wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	static uint64_t ns = 1000000000000;

	(void)id;
	ns += 1000;
	t->tv_sec = (time_t)(ns / 1000000000);
	t->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

#endif
