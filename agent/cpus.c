/* SPDX-License-Identifier: Apache-2.0 */
/* cpus: see cpus.h. Digits, commas and dashes only: no signs, no blanks. */
#include "agent/cpus.h"

#include "lib/base.h"

static bool
take_core(const char **s, unsigned *out)
{
	unsigned v = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		v = v * 10 + (unsigned)(**s - '0');
		if (v >= CPUS_MAX)
			return false;
	}
	*out = v;
	return true;
}

bool
cpus_parse(const char *s, struct cpus *out)
{
	unsigned first, last;

	*out = (struct cpus){ 0 };
	for (;;) {
		if (!take_core(&s, &first))
			return false;
		last = first;
		if (*s == '-') {
			s++;
			if (!take_core(&s, &last) || last < first)
				return false;
		}
		for (unsigned i = first; i <= last; i++)
			out->word[i / 64] |= UINT64_C(1) << i % 64;
		if (*s == '\0')
			return true;
		if (*s++ != ',')
			return false;
	}
}

unsigned
cpus_count(const struct cpus *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(c->word); i++)
		n += (unsigned)__builtin_popcountll(c->word[i]);
	return n;
}
