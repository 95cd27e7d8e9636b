/* SPDX-License-Identifier: Apache-2.0 */
/* json_read: measured, then parsed strictly; see json_read.h. */
#include "api/json_read.h"

#include <stdbool.h>

unsigned
json_read_depth(const char *text, size_t n)
{
	unsigned depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (in_string && c == '\\')
			i++; /* whatever it escapes */
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > deepest)
			deepest = depth;
	}
	return deepest;
}

json_t *
json_read(const char *text, size_t n, struct problem *p)
{
	json_error_t e;
	json_t *v;

	if (json_read_depth(text, n) > JSON_READ_MAX_DEPTH) {
		problem_set(p, 400, "not-json", "nest less",
		    "the body nests deeper than %d levels",
		    JSON_READ_MAX_DEPTH);
		return NULL;
	}
	v = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (v)
		return v;
	problem_set(p, 400, "not-json",
	    "send one JSON object, for instance from a file that jq accepts",
	    "line %d, column %d: %s", e.line, e.column, e.text);
	return NULL;
}
