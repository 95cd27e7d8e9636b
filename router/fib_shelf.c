/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fib_shelf: see fib_shelf.h. All of it is the writer's.
 */
#include "router/fib_shelf.h"

#include "lib/base.h"

#include <assert.h>

struct fib_shelf *
fib_shelf_new(const struct fib_engine *e)
{
	struct fib_shelf *s = calloc(1, sizeof(*s));

	if (s)
		s->engine = e;
	return s;
}

static void
empty_place(struct fib_shelf *s, struct fib_place *p)
{
	if (p->table)
		s->engine->free(p->table);
	*p = (struct fib_place){ .taken = p->taken };
}

/* Who does not know n notes will not be told. */
static void
forget_notes(struct fib_shelf *s, size_t n)
{
	for (unsigned i = 0; i < FIB_SHELF_PLACES; i++) {
		struct fib_place *p = &s->place[i];

		if (p->table && p->at < n) {
			p->old = true;
			if (!p->taken)
				empty_place(s, p);
		}
		p->at = 0;
	}
	s->n = 0;
}

int
fib_shelf_note(struct fib_shelf *s, const void *prefix, size_t bytes,
    unsigned len, uint16_t result)
{
	struct fib_note *note;

	assert(bytes <= FIB_SHELF_ADDRESS);
	if (s->n == FIB_SHELF_NOTES)
		forget_notes(s, s->n);
	if (s->n == s->max) {
		size_t max = s->max ? s->max * 2 : 64;
		struct fib_note *more =
		    reallocarray(s->note, max, sizeof(*more));

		if (!more) {
			forget_notes(s, s->n + 1);
			return -ENOMEM;
		}
		s->note = more;
		s->max = max;
	}
	note = &s->note[s->n++];
	*note = (struct fib_note){ .len = (uint8_t)len, .result = result };
	memcpy(note->prefix, prefix, bytes);
	return 0;
}

int
fib_shelf_catch_up(struct fib_shelf *s, unsigned place)
{
	struct fib_place *p = &s->place[place];

	if (p->old)
		return -ENOSPC;
	for (; p->at < s->n; p->at++) {
		const struct fib_note *n = &s->note[p->at];
		int rc =
		    n->result
			? s->engine->add(p->table, n->prefix, n->len, n->result)
			: s->engine->remove(p->table, n->prefix, n->len);

		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return 0;
}

/* Too little room is seen when it is filled: then twice as much. */
static int
make_table(struct fib_shelf *s, const struct fib_source *from, void **out)
{
	enum { TRIES = 4, MORE_GROUPS = 256 };
	struct fib_room room;
	int rc = -ENOSPC;

	from->measure(from->routes, &room);
	for (unsigned i = 0; i < TRIES && rc == -ENOSPC; i++) {
		rc = s->engine->make(&room, out);
		if (rc < 0)
			break;
		rc = from->fill(from->routes, s->engine, *out);
		if (rc < 0)
			s->engine->free(*out);
		room.n_groups = 2 * room.n_groups + MORE_GROUPS;
	}
	return rc == -ENOSPC ? -ENOMEM : rc;
}

static int
take(struct fib_shelf *s, unsigned place)
{
	s->place[place].taken = true;
	s->n_taken++;
	return (int)place;
}

static int
fill_place(struct fib_shelf *s, unsigned place, const struct fib_source *from)
{
	struct fib_place *p = &s->place[place];
	int rc = make_table(s, from, &p->table);

	if (rc < 0) {
		p->table = NULL;
		return rc;
	}
	p->at = s->n;
	return take(s, place);
}

int
fib_shelf_take(struct fib_shelf *s, const struct fib_source *from)
{
	/* one that is there before one that is to be made */
	for (unsigned i = 0; i < FIB_SHELF_PLACES; i++) {
		struct fib_place *p = &s->place[i];

		if (!p->table || p->taken)
			continue;
		if (fib_shelf_catch_up(s, i) == 0)
			return take(s, i);
		empty_place(s, p);
	}
	for (unsigned i = 0; i < FIB_SHELF_PLACES; i++)
		if (!s->place[i].table)
			return fill_place(s, i, from);
	return -EAGAIN;
}

void
fib_shelf_give(struct fib_shelf *s, unsigned place)
{
	struct fib_place *p = &s->place[place];

	p->taken = false;
	if (p->old)
		empty_place(s, p);
	if (--s->n_taken > 0)
		return;
	for (unsigned i = 0; i < FIB_SHELF_PLACES; i++)
		empty_place(s, &s->place[i]);
	free(s->note);
	free(s);
}
