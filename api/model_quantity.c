/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_quantity: "10M", "1.5GiB", "4096" and back.
 *
 * k M G T are powers of 1000, Ki Mi Gi Ti of 1024; a final B only for bytes. A
 * fraction is possible if the product is whole. Nothing is rounded.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdio.h>

enum { MAX_FRACTION_DIGITS = 6 };

/* Reads digits; -EINVAL if there are none. */
static int
digits(const char **s, uint64_t *out, unsigned *n)
{
	uint64_t v = 0;

	for (*n = 0; **s >= '0' && **s <= '9'; (*s)++, (*n)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**s - '0'), &v))
			return -ERANGE;
	*out = v;
	return *n > 0 ? 0 : -EINVAL;
}

static uint64_t
factor(const char **s)
{
	static const char letters[] = "kMGT";
	const char *at = **s == 'K' ? letters : strchr(letters, **s);
	uint64_t step = 1000, f = 1;

	if (**s == '\0' || !at)
		return 1;
	(*s)++;
	if (**s == 'i') {
		step = 1024;
		(*s)++;
	}
	for (const char *l = letters; l <= at; l++)
		f *= step;
	return f;
}

int
model_quantity_parse(const char *s, bool is_bytes, uint64_t *out)
{
	uint64_t whole, fraction = 0, scale = 1, f, part;
	unsigned n, n_fraction = 0;
	int rc = digits(&s, &whole, &n);

	if (rc < 0)
		return rc;
	if (*s == '.') {
		s++;
		rc = digits(&s, &fraction, &n_fraction);
		if (rc < 0 || n_fraction > MAX_FRACTION_DIGITS)
			return -EINVAL;
	}
	f = factor(&s);
	if (is_bytes && *s == 'B')
		s++;
	if (*s != '\0')
		return -EINVAL;
	for (unsigned i = 0; i < n_fraction; i++)
		scale *= 10;
	if (__builtin_mul_overflow(fraction, f, &part) || part % scale != 0)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, f, &whole) ||
	    __builtin_add_overflow(whole, part / scale, out))
		return -ERANGE;
	return 0;
}

void
model_quantity_text(uint64_t v, bool is_bytes, char *buf, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned u = 0;

	if (!is_bytes) {
		snprintf(buf, size, "%llu", (unsigned long long)v);
		return;
	}
	while (v > 0 && v % 1024 == 0 && u + 1 < ARRAY_SIZE(units)) {
		v /= 1024;
		u++;
	}
	snprintf(buf, size, "%llu %s", (unsigned long long)v, units[u]);
}
