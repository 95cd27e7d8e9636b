/* SPDX-License-Identifier: Apache-2.0 */
/* changes: see changes.h. A spec has few members: they are looked through. */
#include "agent/changes.h"

#include "lib/base.h"

#include <stdio.h>

static void
set(struct changes *c, const char *folder, const char *member,
    uint64_t generation)
{
	char pointer[CHANGES_POINTER];
	unsigned i = 0;

	if (snprintf(pointer, sizeof(pointer), "%s/%s", folder, member) >=
	    (int)sizeof(pointer))
		i = CHANGES_MEMBERS;
	while (i < c->n && strcmp(c->at[i].pointer, pointer) != 0)
		i++;
	if (i >= CHANGES_MEMBERS) {
		/* no room: what has changed until now is not known */
		*c = (struct changes){ .since = generation };
		return;
	}
	if (i == c->n)
		memcpy(c->at[c->n++].pointer, pointer, sizeof(pointer));
	c->at[i].generation = generation;
}

static void
note_members(struct changes *c, json_t *old, json_t *now, uint64_t generation)
{
	const char *member;
	json_t *value;

	json_object_foreach(now, member, value) {
		if (!json_equal(json_object_get(old, member), value))
			set(c, "/spec", member, generation);
	}
	json_object_foreach(old, member, value) {
		if (!json_object_get(now, member))
			set(c, "/spec", member, generation);
	}
}

void
changes_note(struct changes *c, json_t *old, json_t *now, uint64_t generation)
{
	const json_t *a = json_object_get(old, "labels");
	const json_t *b = json_object_get(now, "labels");

	if (c->since == 0)
		c->since = generation - 1;
	if (!old || !now) /* no memory */
		*c = (struct changes){ .since = generation };
	else if (a != b && !json_equal(a, b))
		set(c, "", "labels", generation);
	note_members(c, json_object_get(old, "spec"),
	    json_object_get(now, "spec"), generation);
	json_decref(old);
	json_decref(now);
}

json_t *
changes_since(const struct changes *c, uint64_t generation)
{
	json_t *list;

	if (c->since == 0 || generation < c->since)
		return json_null();
	list = json_array();
	for (unsigned i = 0; i < c->n; i++)
		if (c->at[i].generation > generation)
			json_array_append_new(
			    list, json_string(c->at[i].pointer));
	return list;
}
