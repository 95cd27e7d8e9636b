/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_reader: strict reading of JSON objects, see model_int.h.
 *
 * A client's typing error should cost it one round trip: an unknown member is
 * answered with the known one that looks most like it.
 */
#include "api/model_int.h"

#include "lib/base.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_WORD = 32 }; /* longer words are not compared */

void
model_at(char buf[MODEL_AT_BYTES], const char *at, const char *key)
{
	size_t n = (size_t)snprintf(buf, MODEL_AT_BYTES, "%s/", at);

	for (; *key && n + 3 < MODEL_AT_BYTES; key++) {
		if (*key == '~' || *key == '/') {
			buf[n++] = '~';
			buf[n++] = *key == '~' ? '0' : '1';
		} else {
			buf[n++] = *key;
		}
	}
	buf[MIN(n, (size_t)MODEL_AT_BYTES - 1)] = '\0';
}

void
model_at_index(char buf[MODEL_AT_BYTES], const char *at, size_t i)
{
	snprintf(buf, MODEL_AT_BYTES, "%s/%zu", at, i);
}

/* Levenshtein's distance of two short words. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[MAX_WORD + 1];
	size_t n_a = strlen(a), n_b = strlen(b);

	if (n_a > MAX_WORD || n_b > MAX_WORD)
		return MAX_WORD;
	for (unsigned j = 0; j <= n_b; j++)
		row[j] = j;
	for (unsigned i = 1; i <= n_a; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n_b; j++) {
			unsigned swap = diagonal + (a[i - 1] != b[j - 1]);
			unsigned skip = 1 + MIN(row[j], row[j - 1]);

			diagonal = row[j];
			row[j] = MIN(swap, skip);
		}
	}
	return row[n_b];
}

static const char *
nearest(const char *word, const char *const *known)
{
	unsigned best = 1 + (unsigned)(strlen(word) / 3);
	const char *found = NULL;

	for (; *known; known++) {
		unsigned d = distance(word, *known);

		if (d <= best && (!found || d < best)) {
			best = d;
			found = *known;
		}
	}
	return found;
}

static void
complain_unknown(
    const struct model_reader *in, const char *key, const char *const *known)
{
	const char *meant = nearest(key, known);
	char list[160] = "";
	size_t n = 0;

	if (meant) {
		model_complain(
		    in, key, "unknown member; did you mean \"%s\"?", meant);
		return;
	}
	for (; *known && n < sizeof(list); known++)
		n += (size_t)snprintf(
		    list + n, sizeof(list) - n, "%s%s", n ? ", " : "", *known);
	model_complain(in, key, "unknown member; known are %s", list);
}

static bool
is_known(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

bool
model_reader_begin(struct model_reader *in, const json_t *v, const char *at,
    const char *const *known, struct problem *p)
{
	const char *key;
	json_t *unused;

	*in = (struct model_reader){ .obj = v, .at = at, .p = p };
	if (!json_is_object(v)) {
		problem_add(p, at, "must be an object");
		return false;
	}
	/* iteration takes no const; nothing is changed */
	json_object_foreach((json_t *)(uintptr_t)v, key, unused) {
		if (!is_known(key, known))
			complain_unknown(in, key, known);
	}
	return true;
}

int
model_complain(
    const struct model_reader *in, const char *key, const char *fmt, ...)
{
	char at[MODEL_AT_BYTES], why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	model_at(at, in->at, key);
	return problem_add(in->p, at, "%s", why);
}

const json_t *
model_take_object(const struct model_reader *in, const char *key)
{
	const json_t *v = json_object_get(in->obj, key);

	if (v && !json_is_object(v)) {
		model_complain(in, key, "must be an object");
		return NULL;
	}
	return v;
}

const json_t *
model_take_array(const struct model_reader *in, const char *key, size_t max)
{
	const json_t *v = json_object_get(in->obj, key);

	if (!v)
		return NULL;
	if (!json_is_array(v)) {
		model_complain(in, key, "must be a list");
		return NULL;
	}
	if (json_array_size(v) > max) {
		model_complain(in, key,
		    "has %zu entries, at most %zu are possible",
		    json_array_size(v), max);
		return NULL;
	}
	return v;
}

const char *
model_take_string(
    const struct model_reader *in, const char *key, size_t max_bytes)
{
	const json_t *v = json_object_get(in->obj, key);

	if (!v)
		return NULL;
	if (!json_is_string(v)) {
		model_complain(in, key, "must be a string");
		return NULL;
	}
	if (json_string_length(v) > max_bytes) {
		model_complain(in, key,
		    "has %zu bytes, at most %zu are possible",
		    json_string_length(v), max_bytes);
		return NULL;
	}
	if (strlen(json_string_value(v)) != json_string_length(v)) {
		model_complain(in, key, "holds a zero byte");
		return NULL;
	}
	return json_string_value(v);
}

bool
model_take_bool(const struct model_reader *in, const char *key, bool *out)
{
	const json_t *v = json_object_get(in->obj, key);

	if (!v)
		return false;
	if (!json_is_boolean(v)) {
		model_complain(in, key, "must be true or false");
		return false;
	}
	*out = json_is_true(v);
	return true;
}

static void
complain_range(const struct model_reader *in, const char *key,
    const struct model_range *range)
{
	char min[32], max[32];

	model_quantity_text(range->min, range->is_bytes, min, sizeof(min));
	model_quantity_text(range->max, range->is_bytes, max, sizeof(max));
	model_complain(in, key, "must be %s%s to %s",
	    range->or_zero ? "0 (no limit) or " : "", min, max);
}

bool
model_take_uint(const struct model_reader *in, const char *key,
    const struct model_range *range, uint64_t *out)
{
	const json_t *v = json_object_get(in->obj, key);
	uint64_t n = 0;
	int rc = 0;

	if (!v)
		return false;
	if (json_is_integer(v) && json_integer_value(v) < 0) {
		rc = -ERANGE;
	} else if (json_is_integer(v)) {
		n = (uint64_t)json_integer_value(v);
	} else if (json_is_string(v)) {
		rc = model_quantity_parse(
		    json_string_value(v), range->is_bytes, &n);
	} else {
		rc = -EINVAL;
	}
	if (rc == -EINVAL) {
		model_complain(in, key,
		    "must be a whole number, or text such as %s",
		    range->is_bytes ? "\"256MiB\"" : "\"10k\"");
		return false;
	}
	if (rc < 0 || n > range->max ||
	    (n < range->min && !(n == 0 && range->or_zero))) {
		complain_range(in, key, range);
		return false;
	}
	*out = n;
	return true;
}

bool
model_take_mtu(const struct model_reader *in, uint16_t *out)
{
	static const struct model_range range = {
		.min = MODEL_MIN_MTU,
		.max = MODEL_MAX_MTU,
	};
	uint64_t v;

	if (!model_take_uint(in, "mtu", &range, &v))
		return false;
	*out = (uint16_t)v; /* in range */
	return true;
}

bool
model_take_name(
    const struct model_reader *in, const char *key, char *out, size_t size)
{
	bool is_short = size <= MODEL_VNIC_NAME_BYTES;
	const char *s = model_take_string(in, key, (size_t)-1);

	if (!s)
		return false;
	if (is_short ? !model_vnic_name_is_valid(s) : !model_name_is_valid(s)) {
		model_complain(in, key,
		    "must be 1 to %d lower-case letters, digits and inner "
		    "hyphens, a letter first",
		    (is_short ? MODEL_VNIC_NAME_BYTES : MODEL_NAME_BYTES) - 1);
		return false;
	}
	snprintf(out, size, "%s", s);
	return true;
}

void
model_take_own_name(
    const struct model_reader *in, const char *url_name, char *out)
{
	if (!json_object_get(in->obj, "name")) {
		if (url_name)
			snprintf(out, MODEL_NAME_BYTES, "%s", url_name);
		else
			model_complain(in, "name", "is missing");
		return;
	}
	if (!model_take_name(in, "name", out, MODEL_NAME_BYTES))
		return;
	if (url_name && strcmp(out, url_name) != 0)
		model_complain(in, "name",
		    "is \"%s\", but the path says \"%s\"; names do not change",
		    out, url_name);
}

static bool
label_key_is_valid(const char *s)
{
	size_t n = strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._/-");

	return n > 0 && n < 64 && s[n] == '\0';
}

void
model_take_labels(const struct model_reader *in, json_t **out)
{
	const json_t *v = model_take_object(in, "labels");
	struct model_reader labels = { .obj = v, .at = "/labels", .p = in->p };
	const char *key;
	json_t *value;

	if (!v)
		return;
	if (json_object_size(v) > MODEL_MAX_LABELS) {
		model_complain(in, "labels",
		    "has %zu members, at most %d are possible",
		    json_object_size(v), MODEL_MAX_LABELS);
		return;
	}
	/* iteration takes no const; nothing is changed */
	json_object_foreach((json_t *)(uintptr_t)v, key, value) {
		if (!label_key_is_valid(key))
			model_complain(&labels, key,
			    "the key must be 1 to 63 of A-Z a-z 0-9 . _ / -");
		model_take_string(&labels, key, 255);
	}
	json_decref(*out);
	*out = json_deep_copy(v);
}
