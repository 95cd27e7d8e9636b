/* SPDX-License-Identifier: Apache-2.0 */
/* textbits: see textbits.h. */
#include "agent/textbits.h"

#include "lib/base.h"

#include <stdio.h>

void
textbits_base64(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; n > 0; bytes += MIN(n, (size_t)3), n -= MIN(n, (size_t)3)) {
		uint32_t v = (uint32_t)bytes[0] << 16;

		if (n > 1)
			v |= (uint32_t)bytes[1] << 8;
		if (n > 2)
			v |= bytes[2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[v & 63] : '=';
	}
	*out = '\0';
}

/* Bytes at the end that begin a character and do not end it. */
static size_t
cut_character(const uint8_t *b, size_t n)
{
	for (size_t k = 1; k <= TEXTBITS_TAIL && k <= n; k++) {
		uint8_t c = b[n - k];
		size_t want = c >= 0xf8   ? 1
			      : c >= 0xf0 ? 4
			      : c >= 0xe0 ? 3
			      : c >= 0xc0 ? 2
					  : 1;

		if ((c & 0xc0) == 0x80)
			continue; /* within one */
		return want > k ? k : 0;
	}
	return 0;
}

static json_t *
base64_line(const char *name, const uint8_t *bytes, size_t n)
{
	scoped_free char *text = malloc(4 * ((n + 2) / 3) + 1);
	char key[64];

	if (!text)
		return NULL;
	textbits_base64(bytes, n, text);
	snprintf(key, sizeof(key), "%s_base64", name);
	return json_pack("{s:s}", key, text);
}

json_t *
textbits_line(
    struct textbits *t, const char *name, const uint8_t *bytes, size_t n)
{
	size_t all = t->n + n, cut;
	scoped_free uint8_t *b = malloc(all + 1);
	json_t *text;

	if (!b || all == 0)
		return NULL;
	memcpy(b, t->tail, t->n);
	if (n > 0)
		memcpy(b + t->n, bytes, n);
	cut = n > 0 ? cut_character(b, all) : 0;
	t->n = cut;
	memcpy(t->tail, b + all - cut, cut);
	all -= cut;
	if (all == 0)
		return NULL;
	/* JSON has no zeros for us: who reads C strings would lose the rest */
	text = memchr(b, '\0', all) ? NULL : json_stringn((const char *)b, all);
	return text ? json_pack("{s:o}", name, text)
		    : base64_line(name, b, all);
}
