/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: what a client may ask of every list: a page of it, those with certain
 * labels, some members of each item.
 *
 * ?limit= is the size of a page, ?cursor= is next of the page before, ?label=k=v
 * (any number of times) keeps what has all of these labels, ?fields=a,b.c keeps
 * these members alone. A cursor names the last item that was seen, not a place:
 * what comes and goes between two pages shifts nothing.
 */
#ifndef API_LIST_H
#define API_LIST_H

#include "api/json_write.h"
#include "api/problem.h"

#include <stdbool.h>

enum list_limits {
	LIST_MAX_LIMIT = 1000,
	LIST_MAX_LABELS = 16,
	LIST_FIELDS_BYTES = 256, /* of ?fields= as a whole */
};

/* One of the parameters above, as it came: is there sense in it? */
int list_check_parameter(const char *key, const char *value, struct problem *p);

/*
 * {"items", "next"} of items (taken), as query (may be NULL) asks: a text each,
 * "label" a list of them. key is the member that names an item and that cursors
 * are made of, a text or an integer. is_sorted: the order is that of key,
 * otherwise it is that of items. NULL: p says why, or there is no memory.
 */
json_t *list_page(json_t *items, const json_t *query, const char *key,
    bool is_sorted, struct problem *p);

struct list_maker {
	json_t *(*make)(void *arg, const void *object);
	void *arg;
};

/* One that may be on the page; all of it is borrowed. */
struct list_item {
	const char *key; /* what it is called */
	const json_t *labels;
	const void *object;
};

/*
 * The same of items that are not JSON yet, sorted by key, as text in out (zeros
 * before), which the caller frees. make(arg, object) is asked for those on the
 * page alone, one by one. Puts items into their order. Returns 0, or negative
 * with p set.
 */
int list_write_page(struct list_item *items, size_t n, const json_t *query,
    const struct list_maker *m, struct json_text *out, struct problem *p);

#endif
