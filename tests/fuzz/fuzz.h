/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz: what the targets share. A target is LLVMFuzzerTestOneInput() in a file
 * of its own; it is linked with libFuzzer (make fuzz) or with fuzz_main.c, which
 * feeds it numbers from a seed, so that make check needs no clang.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number that the target wants printed, e.g. of mutations; may be 0. */
uint64_t fuzz_count(void);

#define FUZZ_MUST(x)                                                        \
	do {                                                                \
		if (!(x)) {                                                 \
			fprintf(                                            \
			    stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
			abort();                                            \
		}                                                           \
	} while (0)

/* Numbers from the input; zeros behind its end. */
struct fuzz_input {
	const uint8_t *p;
	size_t left;
};

static inline uint32_t
fuzz_u8(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint32_t
fuzz_u16(struct fuzz_input *in)
{
	uint32_t low = fuzz_u8(in);

	return low | fuzz_u8(in) << 8;
}

static inline uint64_t
fuzz_u64(struct fuzz_input *in)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 16 | fuzz_u16(in);
	return v;
}

#endif
