/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read: bytes from a client to a JSON value, or a problem that says where
 * they are wrong.
 *
 * The nesting is measured before the parser sees the text, since the parser is
 * recursive and its own limit is far above what a resource needs.
 */
#ifndef API_JSON_READ_H
#define API_JSON_READ_H

#include "api/problem.h"

#include <stddef.h>

enum { JSON_READ_MAX_DEPTH = 32 };

/*
 * Returns a new reference, or NULL with p set (400). A member given twice is an
 * error. Context: any thread.
 */
json_t *json_read(const char *text, size_t n, struct problem *p);

/* How deep objects and lists of this text nest, strings left out. */
unsigned json_read_depth(const char *text, size_t n);

#endif
