/* SPDX-License-Identifier: Apache-2.0 */
/* fib_rig: see fib_rig.h. */
#include "tests/unit/fib_rig.h"

#include "lib/base.h"

#include <stdio.h>

static uint64_t state;

void
random_seed(uint64_t seed)
{
	state = seed;
}

/* xorshift64* */
uint32_t
random32(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * UINT64_C(2685821657736338717) >> 32);
}

/* tests/bench/data/README */
size_t
fib_read_real(const struct fib_real *f,
    void (*take)(void *arg, size_t i, fib_key prefix, unsigned len), void *arg)
{
	const char *dir = getenv("EUROPA_SRCDIR");
	char command[512];
	fib_key ip = 0;
	size_t n = 0;
	FILE *in;
	int len;

	snprintf(command, sizeof(command),
	    "xz -dc '%s/tests/bench/data/%s' 2>&1", dir ? dir : "../..",
	    f->file);
	in = popen(command, "re");
	if (!in)
		return 0;
	while (n < f->max && (len = getc(in)) > 0 && (unsigned)len <= f->bits) {
		unsigned below = f->bits - (unsigned)len;
		fib_key units = 0;
		int c, shift = 0;

		do {
			c = getc(in);
			units |= (fib_key)(c & 127) << shift;
			shift += 7;
		} while (c & 128 && shift < 127);
		ip = ((ip >> below) + units) << below;
		take(arg, n++, ip, (unsigned)len);
	}
	return pclose(in) == 0 ? n : 0;
}
