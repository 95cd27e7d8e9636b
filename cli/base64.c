/* SPDX-License-Identifier: Apache-2.0 */
/* base64: see base64.h. */
#include "cli/base64.h"

#include "lib/base.h"

#include <ctype.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
base64_value(char c)
{
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

int
base64_decode(const char *text, uint8_t *out, size_t size)
{
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	for (; *text && *text != '-'; text++) {
		int v = base64_value(*text);

		if (isspace((unsigned char)*text) || *text == '=')
			continue;
		if (v < 0 || n == size)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)v;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		out[n++] = (uint8_t)(bits >> n_bits);
	}
	return (int)n; /* at most MAX_DER */
}

void
base64_encode(const uint8_t *in, size_t n, char *out)
{

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		v |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
		v |= i + 2 < n ? in[i + 2] : 0;
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[v & 63] : '=';
	}
	*out = '\0';
}
