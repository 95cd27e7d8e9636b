/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coreping: how far apart are two cores? A word goes to the other core and
 * back, many times; printed is the median of blocks, in ns a round trip.
 *
 *	coreping CORE CORE
 *
 * Virtual cores may move between physical ones, so a benchmark asks before and
 * after each run and compares only runs of the same class.
 */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { BLOCKS = 21, ROUNDS = 4000, LINE = 64 };

static _Alignas(LINE) _Atomic(uint32_t) word;

static bool
run_on(unsigned core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* Waits for value, answers with the next one. */
static void
turn(uint32_t value)
{
	/* acquire, release: each is the other's, as with a descriptor */
	while (atomic_load_explicit(&word, memory_order_acquire) != value)
		;
	atomic_store_explicit(&word, value + 1, memory_order_release);
}

static void *
echo(void *arg)
{
	const unsigned *core = arg;

	if (!run_on(*core)) {
		perror("coreping: second core");
		exit(1);
	}
	for (uint32_t i = 0; i < BLOCKS * ROUNDS; i++)
		turn(2 * i + 1);
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
	uint64_t block[BLOCKS];
	pthread_t thread;
	unsigned core[2];

	if (argc != 3) {
		fputs("usage: coreping CORE CORE\n", stderr);
		return 2;
	}
	for (unsigned i = 0; i < 2; i++)
		core[i] = (unsigned)strtoul(argv[1 + i], NULL, 10);
	if (!run_on(core[0]) ||
	    pthread_create(&thread, NULL, echo, &core[1]) != 0) {
		perror("coreping");
		return 1;
	}
	for (uint32_t k = 0, i = 0; k < BLOCKS; k++) {
		uint64_t start = bench_now_ns();

		for (unsigned r = 0; r < ROUNDS; r++, i++)
			turn(2 * i);
		block[k] = bench_now_ns() - start;
	}
	pthread_join(thread, NULL);
	qsort(block, BLOCKS, sizeof(block[0]), compare);
	printf("%.0f\n", (double)block[BLOCKS / 2] / ROUNDS);
	return 0;
}
