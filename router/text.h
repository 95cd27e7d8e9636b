/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: a text that grows to a limit, and JSON in it. What does not fit makes it
 * bad; nobody has to look before the end.
 */
#ifndef ROUTER_TEXT_H
#define ROUTER_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
	char *p; /* ended by a zero byte, which n does not count */
	size_t n;
	size_t room;
	size_t max;
	bool bad; /* no memory, or more than max bytes */
};

void text_init(struct text *t, size_t max);
void text_free(struct text *t);

void text_put(struct text *t, const char *s, size_t n);
void text_printf(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A value in JSON; key NULL: it has none. A comma goes before it if it is not
 * the first of its kind. Bytes that are not UTF-8 become '?'.
 */
void text_key(struct text *t, const char *key);
void text_string(struct text *t, const char *key, const char *value);
void text_string_n(
    struct text *t, const char *key, const char *value, size_t n);
void text_number(struct text *t, const char *key, unsigned long long value);
void text_bool(struct text *t, const char *key, bool value);
void text_null(struct text *t, const char *key);
/* what: '{' or '[', then the same closed */
void text_open(struct text *t, const char *key, char what);
void text_close(struct text *t, char what);

#endif
