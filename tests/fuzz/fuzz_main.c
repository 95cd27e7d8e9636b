/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_main [inputs [seed]]: runs a target without libFuzzer, on the seeds of its
 * corpus and on inputs that follow from the seed, as one TAP check; or on the
 * files given after "-". In the build of tests/fuzz/run it is libFuzzer's main().
 */
#include "tests/fuzz/fuzz.h"

#ifdef EUROPA_LIBFUZZER

int LLVMFuzzerRunDriver(
    int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));

int
main(int argc, char **argv)
{
	(void)fuzz_count;
	return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
}

#else

#include <dirent.h>
#include <string.h>

enum { FUZZ_BYTES = 4096 };

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

/* Those of tests/fuzz/corpus/NAME, for a program fuzz_NAME. Returns how many. */
static unsigned
run_corpus(const char *program)
{
	const char *src = getenv("EUROPA_SRCDIR");
	const char *name = strstr(program, "fuzz_");
	char dir[512], path[1024];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	/* the last one: a folder's name may have it too */
	for (const char *p = name; p; p = strstr(p + 1, "fuzz_"))
		name = p;
	if (!src || !name)
		return 0; /* called by hand */
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", src, name + 5);
	d = opendir(dir);
	if (!d)
		return 0; /* a new target: tests/fuzz/run --seeds makes them */
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (run_file(path) != 0)
			exit(1);
		n++;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t x = seed * 2654435761 + 88172645463325252;
	static uint8_t buf[FUZZ_BYTES];
	unsigned n_seeds;
	int rc = 0;

	if (argc > 1 && strcmp(argv[1], "-") == 0) {
		for (int i = 2; i < argc; i++)
			rc |= run_file(argv[i]);
		return rc;
	}
	n_seeds = run_corpus(argv[0]);
	for (unsigned long i = 0; i < n; i++) {
		size_t len = next(&x) % FUZZ_BYTES;

		for (size_t k = 0; k < len; k++)
			buf[k] = (uint8_t)(next(&x) >> 24);
		LLVMFuzzerTestOneInput(buf, len);
	}
	printf("ok 1 - %u of the corpus, %lu inputs of seed %lu, %lu counted\n"
	       "1..1\n",
	    n_seeds, n, seed, fuzz_count());
	return 0;
}

#endif
