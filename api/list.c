/* SPDX-License-Identifier: Apache-2.0 */
/* list: see list.h. Pure: JSON in, JSON out. */
#include "api/list.h"

#include "lib/base.h"

#include <stdio.h>

enum { NUMBER_BYTES = 24, LABEL_BYTES = 256 };

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

static int
by_key(const void *a, const void *b)
{
	const struct list_item *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* label is "k=v"; everything behind the first = is the value. */
static bool
has_label(const json_t *labels, const char *label)
{
	char key[LABEL_BYTES];
	size_t n = strcspn(label, "=");
	const char *value;

	if (n >= sizeof(key))
		return false;
	snprintf(key, sizeof(key), "%.*s", (int)n, label);
	value = json_string_value(json_object_get(labels, key));
	return value && strcmp(value, label + n + 1) == 0;
}

static bool
has_all_labels(const struct list_item *item, const json_t *wanted)
{
	const json_t *label;
	size_t i;

	json_array_foreach(wanted, i, label)
	{
		if (!has_label(item->labels, json_string_value(label)))
			return false;
	}
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

/* The item (taken) with these members alone. */
static json_t *
with_fields(json_t *item, const char *fields)
{
	json_t *out;

	if (!fields || !item)
		return item;
	out = json_object();
	while (*fields) {
		size_t n = strcspn(fields, ",");

		pick(out, item, fields, n);
		fields += n + (fields[n] == ',');
	}
	json_decref(item);
	return out;
}

/* The first item behind the cursor, or -1: a list in no order has lost it. */
static ssize_t
find_start(
    const struct list_item *items, size_t n, const char *cursor, bool sorted)
{
	size_t i = 0;

	if (!cursor)
		return 0;
	if (sorted) {
		while (i < n && strcmp(items[i].key, cursor) <= 0)
			i++;
		return (ssize_t)i;
	}
	while (i < n && strcmp(items[i].key, cursor) != 0)
		i++;
	return i < n ? (ssize_t)i + 1 : -1;
}

/* A page that is being filled: an array, or else a text. */
struct sheet {
	const json_t *query;
	const struct list_maker *maker;
	bool is_sorted;
	json_t *array;
	struct json_text *text;
	size_t n;
	json_t *next; /* a text, or NULL: nothing is behind it */
};

/* Takes item. Returns false without memory. */
static bool
add(struct sheet *s, json_t *item)
{
	bool is_added;

	if (s->array)
		return json_array_append_new(s->array, item) == 0;
	is_added = item && (s->n == 0 || json_text_put(s->text, ",", 1)) &&
		   json_text_add(s->text, item);
	json_decref(item);
	return is_added;
}

/* The same. */
static bool
fill(struct sheet *s, const struct list_item *items, size_t n)
{
	const json_t *query = s->query;
	const char *limit = json_string_value(json_object_get(query, "limit"));
	const char *fields =
	    json_string_value(json_object_get(query, "fields"));
	const json_t *labels = json_object_get(query, "label");
	size_t max = limit ? (size_t)atoi(limit) : SIZE_MAX;
	const struct list_item *last = NULL;

	for (size_t i = 0; i < n; i++) {
		json_t *item;

		if (!has_all_labels(&items[i], labels))
			continue;
		if (s->n == max) { /* so there is a page behind this one */
			s->next = json_string(last->key);
			return s->next != NULL;
		}
		item = s->maker->make(s->maker->arg, items[i].object);
		if (!add(s, with_fields(item, fields)))
			return false;
		last = &items[i];
		s->n++;
	}
	return true;
}

static int
no_memory(struct problem *p)
{
	return problem_set(
	    p, 503, "busy", "try again in a second", "no memory");
}

/* Fills s with what is behind the cursor. Returns 0, or negative with p set. */
static int
cut(struct sheet *s, const struct list_item *items, size_t n, struct problem *p)
{
	const char *cursor =
	    json_string_value(json_object_get(s->query, "cursor"));
	ssize_t start = find_start(items, n, cursor, s->is_sorted);

	if (start < 0)
		return problem_set(p, 400, "bad-query",
		    "begin again without a cursor",
		    "what the cursor names is not there any more");
	return fill(s, items + start, n - (size_t)start) ? 0 : no_memory(p);
}

int
list_write_page(struct list_item *items, size_t n, const json_t *query,
    const struct list_maker *m, struct json_text *out, struct problem *p)
{
	static const char begin[] = "{\"items\":[", middle[] = "],\"next\":";
	struct sheet s = {
		.query = query,
		.maker = m,
		.is_sorted = true,
		.text = out,
	};
	int rc;

	if (n > 0)
		qsort(items, n, sizeof(*items), by_key);
	if (!json_text_put(out, begin, sizeof(begin) - 1))
		return no_memory(p);
	rc = cut(&s, items, n, p);
	if (rc == 0 && (!json_text_put(out, middle, sizeof(middle) - 1) ||
			   !json_text_add(out, s.next ? s.next : json_null()) ||
			   !json_text_put(out, "}\n", 2)))
		rc = no_memory(p);
	json_decref(s.next);
	return rc;
}

/* --- items that are JSON already ------------------------------------------ */

/* What v says, in buf if it is a number. */
static const char *
key_text(const json_t *v, char buf[NUMBER_BYTES])
{
	if (json_is_string(v))
		return json_string_value(v);
	buf[0] = '\0';
	if (json_is_integer(v))
		snprintf(buf, NUMBER_BYTES, "%lld",
		    (long long)json_integer_value(v));
	return buf;
}

static json_t *
as_it_is(void *arg, const void *object)
{
	return json_incref(json_array_get(arg, (size_t)(uintptr_t)object));
}

static void
describe(struct list_item *list, char (*number)[NUMBER_BYTES],
    const json_t *items, const char *key)
{
	size_t n = json_array_size(items);

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(items, i);

		list[i] = (struct list_item){
			.key = key_text(json_object_get(v, key), number[i]),
			.labels = json_object_get(v, "labels"),
			.object = (const void *)(uintptr_t)i,
		};
	}
}

json_t *
list_page(json_t *items, const json_t *query, const char *key, bool is_sorted,
    struct problem *p)
{
	const struct list_maker m = { as_it_is, items };
	struct sheet s = {
		.query = query,
		.maker = &m,
		.is_sorted = is_sorted,
		.array = json_array(),
	};
	size_t n = json_array_size(items);
	struct list_item *list = calloc(n + 1, sizeof(*list));
	char(*number)[NUMBER_BYTES] = calloc(n + 1, sizeof(*number));
	int rc;

	if (s.array && list && number) {
		describe(list, number, items, key);
		if (is_sorted)
			qsort(list, n, sizeof(*list), by_key);
		rc = cut(&s, list, n, p);
	} else {
		rc = no_memory(p);
	}
	free(list);
	free(number);
	json_decref(items);
	if (rc == 0)
		return json_pack("{s:o, s:o}", "items", s.array, "next",
		    s.next ? s.next : json_null());
	json_decref(s.array);
	json_decref(s.next);
	return NULL;
}
