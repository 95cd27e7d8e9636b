/* SPDX-License-Identifier: Apache-2.0 */
/* cpus: see cpus.h. Digits, commas and dashes only: no signs, no blanks. */
#include "lib/cpus.h"

#include "lib/base.h"

#include <stdio.h>

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

bool
cpus_are_within(const struct cpus *c, const struct cpus *all)
{
	for (unsigned i = 0; i < ARRAY_SIZE(c->word); i++)
		if (c->word[i] & ~all->word[i])
			return false;
	return true;
}

bool
cpus_are_equal(const char *a, const char *b)
{
	struct cpus x, y;

	return cpus_parse(a, &x) && cpus_parse(b, &y) &&
	       cpus_are_within(&x, &y) && cpus_are_within(&y, &x);
}

static bool
has(const struct cpus *c, unsigned i)
{
	return i < CPUS_MAX && c->word[i / 64] >> i % 64 & 1;
}

bool
cpus_format(const struct cpus *c, char out[CPUS_TEXT])
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0, end; i < CPUS_MAX; i = end + 1) {
		for (end = i; has(c, end); end++)
			;
		if (end == i)
			continue;
		n += (size_t)snprintf(out + n, CPUS_TEXT - n,
		    end - i > 1 ? "%s%u-%u" : "%s%u", n ? "," : "", i, end - 1);
		if (n >= CPUS_TEXT)
			return false;
	}
	return true;
}
