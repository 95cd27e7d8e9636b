/* SPDX-License-Identifier: Apache-2.0 */
/* events: see events.h. Event number k is in slot k modulo EVENTS_MAX. */
#include "api/events.h"

#include "lib/base.h"

#include <stdio.h>
#include <sys/random.h>

struct event {
	char type[32];
	char project[64]; /* "": of all */
	char *json;       /* NULL: it could not be kept */
	size_t n;
	bool is_nobodys; /* its project is gone */
};

struct events {
	uint32_t ring;   /* names this ring among those of other starts */
	uint64_t oldest; /* that is there */
	uint64_t end;    /* the number that the next one gets; the first is 1 */
	size_t n_bytes;
	struct event slot[EVENTS_MAX];
};

static void
id_text(const struct events *e, uint64_t number, char out[EVENTS_ID_BYTES])
{
	snprintf(out, EVENTS_ID_BYTES, "%08x-%llu", e->ring,
	    (unsigned long long)number);
}

struct events *
events_new(void)
{
	struct events *e = calloc(1, sizeof(*e));

	/* four bytes of a pool that is ready are never fewer */
	if (e && getrandom(&e->ring, sizeof(e->ring), 0) < 0) {
		free(e);
		return NULL;
	}
	if (e)
		e->oldest = e->end = 1;
	return e;
}

static void
drop_oldest(struct events *e)
{
	struct event *x = &e->slot[e->oldest++ % EVENTS_MAX];

	e->n_bytes -= x->n;
	free(x->json);
	*x = (struct event){ 0 };
}

void
events_free(struct events *e)
{
	if (!e)
		return;
	while (e->oldest < e->end)
		drop_oldest(e);
	free(e);
}

void
events_add(
    struct events *e, const char *type, const char *project, json_t *data)
{
	struct event *x = &e->slot[e->end % EVENTS_MAX];
	char id[EVENTS_ID_BYTES];

	if (e->end - e->oldest == EVENTS_MAX)
		drop_oldest(e);
	id_text(e, e->end++, id);
	snprintf(x->type, sizeof(x->type), "%s", type);
	snprintf(x->project, sizeof(x->project), "%s", project ? project : "");
	json_object_set_new(data, "id", json_string(id));
	json_object_set_new(data, "type", json_string(type));
	x->json = json_dumps(data, JSON_COMPACT);
	json_decref(data);
	x->n = x->json ? strlen(x->json) : 0;
	if (x->n > EVENTS_ONE_BYTES) {
		free(steal_ptr(x->json));
		x->n = 0;
	}
	e->n_bytes += x->n;
	while (e->n_bytes > EVENTS_BYTES)
		drop_oldest(e);
}

void
events_forget(struct events *e, const char *project)
{
	for (uint64_t k = e->oldest; k < e->end; k++) {
		struct event *x = &e->slot[k % EVENTS_MAX];

		if (strcmp(x->project, project) != 0)
			continue;
		e->n_bytes -= x->n;
		free(x->json);
		*x = (struct event){ .is_nobodys = true };
	}
}

/* The number in an id of this ring, or 0. */
static uint64_t
number_of(const struct events *e, const char *id)
{
	char back[EVENTS_ID_BYTES];
	uint64_t number;

	if (strlen(id) < 10 || strlen(id) >= EVENTS_ID_BYTES || id[8] != '-')
		return 0;
	number = strtoull(id + 9, NULL, 10);
	id_text(e, number, back);
	return strcmp(id, back) == 0 ? number : 0;
}

struct events_place
events_place(const struct events *e, const char *id, bool from_oldest)
{
	uint64_t number;

	if (!id)
		return (struct events_place){
			.next = from_oldest ? e->oldest : e->end,
		};
	number = number_of(e, id);
	if (number == 0 || number >= e->end)
		return (struct events_place){ .next = e->end, .is_lost = true };
	return (struct events_place){ .next = number + 1 };
}

static char *
format(const char *id, const char *type, const char *json,
    enum events_form form, size_t *n)
{
	char *text = NULL;
	int rc = form == EVENTS_SSE
		     ? asprintf(&text, "id: %s\nevent: %s\ndata: %s\n\n", id,
			   type, json)
		     : asprintf(&text, "%s\n", json);

	*n = rc > 0 ? (size_t)rc : 0;
	return rc > 0 ? text : NULL;
}

/* Its id is that of the last one missed: who comes back with it goes on. */
static char *
gap(const struct events *e, uint64_t last, const char *missed,
    enum events_form form, size_t *n)
{
	char id[EVENTS_ID_BYTES], json[128];

	id_text(e, last, id);
	snprintf(json, sizeof(json),
	    "{\"id\":\"%s\",\"type\":\"gap\",\"missed\":%s}", id, missed);
	return format(id, "gap", json, form, n);
}

char *
events_next(const struct events *e, struct events_place *at,
    const char *project, enum events_form form, size_t *n)
{
	char text[32];

	if (at->is_lost) {
		at->is_lost = false;
		return gap(e, at->next - 1, "null", form, n);
	}
	if (at->next < e->oldest) {
		snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)(e->oldest - at->next));
		at->next = e->oldest;
		return gap(e, at->next - 1, text, form, n);
	}
	while (at->next < e->end) {
		uint64_t number = at->next++;
		const struct event *x = &e->slot[number % EVENTS_MAX];

		if (x->is_nobodys)
			continue;
		if (x->project[0] && strcmp(x->project, project) != 0)
			continue;
		if (!x->json)
			return gap(e, number, "1", form, n);
		id_text(e, number, text);
		return format(text, x->type, x->json, form, n);
	}
	return NULL;
}
