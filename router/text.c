/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: see text.h.
 */
#include "router/text.h"

#include "lib/base.h"

#include <stdio.h>

enum { FIRST_ROOM = 1024 };

void
text_init(struct text *t, size_t max)
{
	*t = (struct text){ .max = max };
}

void
text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){ .max = t->max };
}

/* Room for n bytes and a zero more. */
static bool
make_room(struct text *t, size_t n)
{
	size_t room = t->room ? t->room : FIRST_ROOM;
	char *p;

	if (t->bad || n > t->max - t->n) {
		t->bad = true;
		return false;
	}
	if (t->n + n < t->room)
		return true;
	while (room <= t->n + n)
		room *= 2;
	p = realloc(t->p, room);
	if (!p) {
		t->bad = true;
		return false;
	}
	t->p = p;
	t->room = room;
	return true;
}

void
text_put(struct text *t, const char *s, size_t n)
{
	if (!make_room(t, n))
		return;
	memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_put(t, line, MIN((size_t)MAX(n, 0), sizeof(line) - 1));
}

/* --- JSON ----------------------------------------------------------------- */

/* The bytes of the character at s, at most n; 0: it is not UTF-8. */
static size_t
utf8(const unsigned char *s, size_t n)
{
	static const struct {
		unsigned char mask, lead;
		unsigned min;
	} kinds[] = { { 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

	for (size_t k = 0; k < ARRAY_SIZE(kinds) && k < n; k++) {
		unsigned v = s[0] & (unsigned char)~kinds[k].mask;

		if ((s[0] & kinds[k].mask) != kinds[k].lead)
			continue;
		for (size_t i = 1; i <= k; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			v = v << 6 | (s[i] & 0x3f);
		}
		if (v < kinds[k].min || v > 0x10ffff ||
		    (v >= 0xd800 && v < 0xe000))
			return 0;
		return k + 1;
	}
	return 0;
}

static void
quote(struct text *t, const char *value, size_t n)
{
	const unsigned char *s = (const unsigned char *)value;

	text_put(t, "\"", 1);
	for (size_t i = 0; i < n;) {
		size_t k = utf8(s + i, n - i);

		if (k == 0)
			text_put(t, "?", 1);
		else if (s[i] == '"' || s[i] == '\\')
			text_printf(t, "\\%c", s[i]);
		else if (s[i] == '\n')
			text_put(t, "\\n", 2);
		else if (s[i] < ' ' || s[i] == 0x7f)
			text_printf(t, "\\u%04x", s[i]);
		else
			text_put(t, value + i, k);
		i += MAX(k, (size_t)1);
	}
	text_put(t, "\"", 1);
}

void
text_key(struct text *t, const char *key)
{
	char last = t->n > 0 ? t->p[t->n - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		text_put(t, ",", 1);
	if (!key)
		return;
	quote(t, key, strlen(key));
	text_put(t, ":", 1);
}

void
text_string_n(struct text *t, const char *key, const char *value, size_t n)
{
	text_key(t, key);
	quote(t, value, n);
}

void
text_string(struct text *t, const char *key, const char *value)
{
	text_string_n(t, key, value, strlen(value));
}

void
text_number(struct text *t, const char *key, unsigned long long value)
{
	text_key(t, key);
	text_printf(t, "%llu", value);
}

void
text_bool(struct text *t, const char *key, bool value)
{
	text_key(t, key);
	text_printf(t, "%s", value ? "true" : "false");
}

void
text_null(struct text *t, const char *key)
{
	text_key(t, key);
	text_put(t, "null", 4);
}

void
text_open(struct text *t, const char *key, char what)
{
	text_key(t, key);
	text_put(t, &what, 1);
}

void
text_close(struct text *t, char what)
{
	text_put(t, what == '{' ? "}" : "]", 1);
}
