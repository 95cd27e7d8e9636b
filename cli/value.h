/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value: what a path leads to in a document, and how people read it.
 *
 * A path is names with dots between, as in status.state. Behind a name, [] goes
 * on with each element of an array. A # at the end counts the members, a + adds
 * up the numbers in them.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include <jansson.h>

/* Returns a new reference, or NULL if there is nothing. */
json_t *value_at(const json_t *doc, const char *path);

/*
 * v on one line, without control characters; "-" for nothing; returns to
 * caller.
 */
char *value_text(const json_t *v);

/* Replaces what a terminal would obey, but what is in keep. */
void value_make_safe(char *s, const char *keep);

#endif
