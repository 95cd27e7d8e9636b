/* SPDX-License-Identifier: Apache-2.0 */
/* json_write: see json_write.h. Strings are UTF-8: jansson takes no other. */
#include "api/json_write.h"

#include "lib/base.h"

#include <stdio.h>

enum { FIRST_BYTES = 4096, NUMBER_BYTES = 32 };

/* Where n more bytes go, or NULL without memory. */
static char *
reserve(struct json_text *t, size_t n)
{
	size_t room = t->room ? t->room : FIRST_BYTES;
	char *grown;

	if (t->room - t->n >= n)
		return t->bytes + t->n;
	while (room - t->n < n)
		room *= 2;
	grown = realloc(t->bytes, room);
	if (!grown)
		return NULL;
	t->bytes = grown;
	t->room = room;
	return t->bytes + t->n;
}

bool
json_text_put(struct json_text *t, const char *bytes, size_t n)
{
	char *to = reserve(t, n);

	if (!to)
		return false;
	memcpy(to, bytes, n);
	t->n += n;
	return true;
}

static bool
put_char(struct json_text *t, char c)
{
	char *to = reserve(t, 1);

	if (!to)
		return false;
	*to = c;
	t->n++;
	return true;
}

static bool
is_plain(char c)
{
	return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

static bool
put_escaped(struct json_text *t, char c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char out[8];
	int n;

	for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
		if (letters[i] != c)
			continue;
		out[0] = '\\';
		out[1] = letters[i + 1];
		return json_text_put(t, out, 2);
	}
	n = snprintf(out, sizeof(out), "\\u%04X", (unsigned)c);
	return json_text_put(t, out, (size_t)n);
}

static bool
put_string(struct json_text *t, const char *s, size_t n)
{
	char *to = reserve(t, n + 2);
	size_t i = 0;

	if (!to)
		return false;
	*to++ = '"';
	for (; i < n && is_plain(s[i]); i++)
		*to++ = s[i];
	t->n += i + 1;
	for (; i < n; i++)
		if (is_plain(s[i]) ? !put_char(t, s[i]) : !put_escaped(t, s[i]))
			return false;
	return put_char(t, '"');
}

static bool
put_integer(struct json_text *t, json_int_t v)
{
	char digits[NUMBER_BYTES];
	char *at = digits + sizeof(digits);
	/* of the smallest there is no negative */
	unsigned long long left =
	    v < 0 ? -(unsigned long long)v : (unsigned long long)v;

	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (v < 0)
		*--at = '-';
	return json_text_put(t, at, (size_t)(digits + sizeof(digits) - at));
}

static bool
put_real(struct json_text *t, const json_t *v)
{
	char digits[64];
	size_t n = json_dumpb(v, digits, sizeof(digits),
	    JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	return n > 0 && n <= sizeof(digits) && json_text_put(t, digits, n);
}

static bool
put_object(struct json_text *t, const json_t *v)
{
	/* iteration takes no const; nothing is changed */
	json_t *o = (json_t *)(uintptr_t)v;
	char before = '{';

	if (json_object_size(v) == 0)
		return json_text_put(t, "{}", 2);
	for (void *at = json_object_iter(o); at;
	     at = json_object_iter_next(o, at)) {
		const char *key = json_object_iter_key(at);

		if (!put_char(t, before) || !put_string(t, key, strlen(key)) ||
		    !put_char(t, ':') ||
		    !json_text_add(t, json_object_iter_value(at)))
			return false;
		before = ',';
	}
	return put_char(t, '}');
}

static bool
put_array(struct json_text *t, const json_t *v)
{
	size_t n = json_array_size(v);

	if (!put_char(t, '['))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && !put_char(t, ',')) ||
		    !json_text_add(t, json_array_get(v, i)))
			return false;
	return put_char(t, ']');
}

bool
json_text_add(struct json_text *t, const json_t *v)
{
	bool is_put;

	switch (json_typeof(v)) {
	case JSON_STRING:
		return put_string(
		    t, json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
		return put_integer(t, json_integer_value(v));
	case JSON_REAL:
		return put_real(t, v);
	case JSON_TRUE:
		return json_text_put(t, "true", 4);
	case JSON_FALSE:
		return json_text_put(t, "false", 5);
	case JSON_NULL:
		return json_text_put(t, "null", 4);
	default:
		break;
	}
	if (t->depth == JSON_WRITE_DEPTH)
		return false;
	t->depth++;
	is_put = json_is_object(v) ? put_object(t, v) : put_array(t, v);
	t->depth--;
	return is_put;
}

char *
json_write(const json_t *v, size_t *n)
{
	struct json_text t = { .bytes = NULL };

	if (!v || !json_text_add(&t, v) || !json_text_put(&t, "\n", 2)) {
		free(t.bytes);
		return NULL;
	}
	*n = t.n - 1; /* without the zero */
	return t.bytes;
}
