/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: the last things that happened, for readers that come and go.
 *
 * One ring for all readers; a reader is a place in it. One that is slower than
 * the ring turns is told how much it has missed ("gap") and goes on with the
 * oldest that is there; it costs nobody anything. Places have names, so that a
 * reader may come back: an event's id is that of this ring and a number. The
 * caller keeps to one thread at a time.
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	EVENTS_MAX = 1024,
	EVENTS_BYTES = 1 << 20, /* of all of them */
	EVENTS_ONE_BYTES = 8 << 10,
	EVENTS_ID_BYTES = 32,
};

struct events;

/* Where a reader is. */
struct events_place {
	uint64_t next; /* number of the event that it has not seen */
	bool is_lost;  /* it came with an id that says nothing to us */
};

enum events_form { EVENTS_SSE, EVENTS_LINES };

/* NULL without memory. */
struct events *events_new(void);
void events_free(struct events *e);

/*
 * Adds an event; data (taken) is an object, to which "id" and "type" are added.
 * project, NULL for what concerns all, is who may read it. One that is too
 * large is left out, as is one without memory for it: a gap.
 */
void events_add(
    struct events *e, const char *type, const char *project, json_t *data);

/* What was of project, which is gone, is read by nobody: a name comes again. */
void events_forget(struct events *e, const char *project);

/*
 * Behind the event with this id; without one (NULL) at what comes next, or at
 * the oldest there is.
 */
struct events_place events_place(
    const struct events *e, const char *id, bool from_oldest);

/*
 * The next event for who may read those of project, as text of n bytes that the
 * caller frees, and moves on; NULL: there is none.
 */
char *events_next(const struct events *e, struct events_place *at,
    const char *project, enum events_form form, size_t *n);

#endif
