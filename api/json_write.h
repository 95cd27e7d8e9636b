/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_write: JSON as it leaves, compact, members in the order in which they
 * were set, reals with 15 digits: 0.1 shall be 0.1 and not what is nearest to
 * it. The text is that of json_dumps() with JSON_COMPACT and
 * JSON_REAL_PRECISION(15), several times as fast: that one notes each object
 * that it is in, to find circles. Nobody makes any here.
 */
#ifndef API_JSON_WRITE_H
#define API_JSON_WRITE_H

#include <jansson.h>

#include <stdbool.h>

enum { JSON_WRITE_DEPTH = 64 };

/* A text that grows; begins as zeros. */
struct json_text {
	char *bytes; /* n of them; the caller frees it */
	size_t n, room;
	unsigned depth;
};

/* Adds a value, or bytes as they are. false: no memory, or too deep. */
bool json_text_add(struct json_text *t, const json_t *v);
bool json_text_put(struct json_text *t, const char *bytes, size_t n);

/*
 * The text and a new line, n bytes, and a zero that does not count. NULL: no
 * memory, or deeper than JSON_WRITE_DEPTH. The caller frees it.
 */
char *json_write(const json_t *v, size_t *n);

#endif
