/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes: in which generation each member of an object's spec, and its labels,
 * became what they are, so that who comes with an old ETag is told what has
 * changed since. It is kept in memory alone: what was before europad began to
 * look, or is more than fits, is not known. All zeros to begin with; nothing of
 * it has to be freed.
 */
#ifndef AGENT_CHANGES_H
#define AGENT_CHANGES_H

#include <jansson.h>
#include <stdint.h>

enum { CHANGES_MEMBERS = 16, CHANGES_POINTER = 32 };

struct changes {
	uint64_t since; /* this generation all is known; 0: nothing is */
	unsigned n;
	struct {
		char pointer[CHANGES_POINTER]; /* "/spec/vnics" */
		uint64_t generation;
	} at[CHANGES_MEMBERS];
};

/*
 * The object was old and is now, which has this generation; of both (taken) only
 * the members labels and spec count.
 */
void changes_note(
    struct changes *c, json_t *old, json_t *now, uint64_t generation);

/* Pointers to what is not as it was in that generation; null: nobody knows. */
json_t *changes_since(const struct changes *c, uint64_t generation);

#endif
