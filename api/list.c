/* SPDX-License-Identifier: Apache-2.0 */
/* list: see list.h. Pure: JSON in, JSON out. */
#include "api/list.h"

#include "lib/base.h"

#include <stdio.h>

enum { KEY_BYTES = 256 };

static int
check_limit(const char *value, struct problem *p)
{
	size_t n = strlen(value);

	if (n > 0 && n <= 4 && strspn(value, "0123456789") == n &&
	    atoi(value) >= 1 && atoi(value) <= LIST_MAX_LIMIT)
		return 0;
	return problem_set(p, 400, "bad-query", "say 1 to 1000",
	    "limit is not a number from 1 to %d", LIST_MAX_LIMIT);
}

static int
check_fields(const char *value, struct problem *p)
{
	const char *s = value;

	do {
		size_t n = strspn(s,
		    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789_.-");

		if (n == 0 || *s == '.' || s[n - 1] == '.')
			break;
		s += n;
		if (*s == '\0' && s - value < LIST_FIELDS_BYTES)
			return 0;
	} while (*s++ == ',');
	return problem_set(p, 400, "bad-query",
	    "name members, as in name,status.state",
	    "fields is not a list of members");
}

int
list_check_parameter(const char *key, const char *value, struct problem *p)
{
	if (strcmp(key, "limit") == 0)
		return check_limit(value, p);
	if (strcmp(key, "fields") == 0)
		return check_fields(value, p);
	if (strcmp(key, "label") != 0 || (strchr(value, '=') && *value != '='))
		return 0;
	return problem_set(p, 400, "bad-query", "say label=KEY=VALUE",
	    "label has no key, or no value");
}

/* What item is called, in buf. */
static void
key_text(const json_t *item, const char *key, char buf[KEY_BYTES])
{
	const json_t *v = json_object_get(item, key);

	if (json_is_integer(v))
		snprintf(
		    buf, KEY_BYTES, "%lld", (long long)json_integer_value(v));
	else
		snprintf(buf, KEY_BYTES, "%s",
		    json_is_string(v) ? json_string_value(v) : "");
}

struct entry {
	char key[KEY_BYTES];
	json_t *item; /* borrowed */
};

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* label is "k=v"; everything behind the first = is the value. */
static bool
has_label(const json_t *item, const char *label)
{
	const json_t *labels = json_object_get(item, "labels");
	char key[KEY_BYTES];
	size_t n = strcspn(label, "=");
	const char *value;

	if (n >= sizeof(key))
		return false;
	snprintf(key, sizeof(key), "%.*s", (int)n, label);
	value = json_string_value(json_object_get(labels, key));
	return value && strcmp(value, label + n + 1) == 0;
}

static bool
has_all_labels(const json_t *item, const json_t *labels)
{
	const json_t *label;
	size_t i;

	json_array_foreach(labels, i,
	    label) if (!has_label(item, json_string_value(label))) return false;
	return true;
}

/* Puts the member at path, which has n bytes and dots in it, from o into out. */
static void
pick(json_t *out, const json_t *o, const char *path, size_t n)
{
	size_t n_head = strcspn(path, ".,");
	char head[LIST_FIELDS_BYTES];
	json_t *v, *inner;

	n_head = MIN(n_head, n);
	snprintf(head, sizeof(head), "%.*s", (int)n_head, path);
	v = json_object_get(o, head);
	if (!v)
		return;
	if (n_head == n) {
		json_object_set(out, head, v);
		return;
	}
	if (!json_is_object(v) || json_object_get(out, head) == v)
		return; /* the whole of it is there */
	inner = json_object_get(out, head);
	if (!inner) {
		inner = json_object();
		json_object_set_new(out, head, inner);
	}
	pick(inner, v, path + n_head + 1, n - n_head - 1);
}

/* The item with these members alone; new reference. */
static json_t *
with_fields(json_t *item, const char *fields)
{
	json_t *out;

	if (!fields)
		return json_incref(item);
	out = json_object();
	while (*fields) {
		size_t n = strcspn(fields, ",");

		pick(out, item, fields, n);
		fields += n + (fields[n] == ',');
	}
	return out;
}

/* The first entry behind the cursor, or -1: a list in no order has lost it. */
static ssize_t
find_start(const struct entry *list, size_t n, const char *cursor, bool sorted)
{
	size_t i = 0;

	if (!cursor)
		return 0;
	if (sorted) {
		while (i < n && strcmp(list[i].key, cursor) <= 0)
			i++;
		return (ssize_t)i;
	}
	while (i < n && strcmp(list[i].key, cursor) != 0)
		i++;
	return i < n ? (ssize_t)i + 1 : -1;
}

static json_t *
fill_page(const struct entry *list, size_t n, size_t start, const json_t *query)
{
	const char *limit = json_string_value(json_object_get(query, "limit"));
	const char *fields =
	    json_string_value(json_object_get(query, "fields"));
	const json_t *labels = json_object_get(query, "label");
	size_t left = limit ? (size_t)atoi(limit) : SIZE_MAX;
	const struct entry *last = NULL;
	json_t *items = json_array();
	json_t *next = json_null();

	for (size_t i = start; i < n; i++) {
		if (!has_all_labels(list[i].item, labels))
			continue;
		if (left == 0) { /* so there is a page behind this one */
			next = json_string(last->key);
			break;
		}
		json_array_append_new(items, with_fields(list[i].item, fields));
		last = &list[i];
		left--;
	}
	return json_pack("{s:o, s:o}", "items", items, "next", next);
}

json_t *
list_page(json_t *items, const json_t *query, const char *key, bool is_sorted,
    struct problem *p)
{
	const char *cursor =
	    json_string_value(json_object_get(query, "cursor"));
	size_t n = json_array_size(items);
	struct entry *list = calloc(n + 1, sizeof(*list));
	json_t *page = NULL;
	ssize_t start;

	for (size_t i = 0; list && i < n; i++) {
		list[i].item = json_array_get(items, i);
		key_text(list[i].item, key, list[i].key);
	}
	if (list && is_sorted)
		qsort(list, n, sizeof(*list), by_key);
	start = list ? find_start(list, n, cursor, is_sorted) : 0;
	if (start < 0)
		problem_set(p, 400, "bad-query", "begin again without a cursor",
		    "what the cursor names is not there any more");
	else if (list)
		page = fill_page(list, n, (size_t)start, query);
	free(list);
	json_decref(items);
	if (!page && p->status == 0)
		problem_set(
		    p, 503, "busy", "try again in a second", "no memory");
	return page;
}
