/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_main [inputs [seed]]: runs a target without libFuzzer, on inputs that
 * follow from the seed, as one TAP check; or on the files given after "-".
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { MAX_INPUT = 4096 };

static uint64_t
next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static int
run_file(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f) {
		perror(path);
		return 1;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return LLVMFuzzerTestOneInput(buf, n);
}

int
main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t x = seed * 2654435761 + 88172645463325252;
	static uint8_t buf[MAX_INPUT];
	int rc = 0;

	if (argc > 1 && strcmp(argv[1], "-") == 0) {
		for (int i = 2; i < argc; i++)
			rc |= run_file(argv[i]);
		return rc;
	}
	for (unsigned long i = 0; i < n; i++) {
		size_t len = next(&x) % MAX_INPUT;

		for (size_t k = 0; k < len; k++)
			buf[k] = (uint8_t)(next(&x) >> 24);
		LLVMFuzzerTestOneInput(buf, len);
	}
	printf("ok 1 - %lu inputs of seed %lu, %lu counted\n1..1\n", n, seed,
	    fuzz_count());
	return 0;
}
