/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_routes: entries in one growing array, chained by the hash of their
 * prefix. One that is gone stays, dead, until its prefix has been told.
 */
#include "router/linux_routes.h"

enum { FIRST_PLACES = 64, NONE = UINT32_MAX };

struct entry {
	struct ip6 prefix;
	struct ip6 via;
	uint32_t metric;
	uint32_t link;
	uint32_t next;       /* of the same hash, or free */
	uint32_t next_dirty; /* in the order of changes */
	uint8_t len;
	uint8_t way;
	uint8_t mark; /* of the round in which it was last put */
	bool is6;
	bool is_shared;
	bool is_dead;
	bool is_dirty;
	bool is_used; /* no: it is in the list of free ones */
};

struct linux_routes {
	struct entry *entry;
	uint32_t *bucket; /* as many as entries, a power of two */
	uint32_t places;
	uint32_t high; /* entries ever used */
	uint32_t free;
	uint32_t first_dirty;
	uint32_t last_dirty;
	size_t n; /* that live */
	uint8_t mark;
};

/* --- memory --------------------------------------------------------------- */

static uint32_t
hash(struct ip6 prefix, unsigned len, bool is6)
{
	return ip6_hash(prefix, len * 2 + is6);
}

static uint32_t *
bucket_of(struct linux_routes *k, struct ip6 prefix, unsigned len, bool is6)
{
	return &k->bucket[hash(prefix, len, is6) & (k->places - 1)];
}

static void
chain(struct linux_routes *k, uint32_t i)
{
	struct entry *e = &k->entry[i];
	uint32_t *bucket = bucket_of(k, e->prefix, e->len, e->is6);

	/* at the end: of equal ones the older counts */
	while (*bucket != NONE)
		bucket = &k->entry[*bucket].next;
	e->next = NONE;
	*bucket = i;
}

static int
grow(struct linux_routes *k)
{
	uint32_t places = k->places ? k->places * 2 : FIRST_PLACES;
	struct entry *entry;
	uint32_t *bucket;

	if (places > LINUX_ROUTES_MAX)
		return -ENOSPC;
	entry = reallocarray(k->entry, places, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	k->entry = entry;
	bucket = reallocarray(NULL, places, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	free(k->bucket);
	k->bucket = bucket;
	k->places = places;
	memset(bucket, 0xff, places * sizeof(*bucket)); /* NONE */
	for (uint32_t i = 0; i < k->high; i++)
		if (entry[i].is_used)
			chain(k, i);
	return 0;
}

int
linux_routes_new(struct linux_routes **out)
{
	struct linux_routes *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return -ENOMEM;
	k->free = k->first_dirty = k->last_dirty = NONE;
	rc = grow(k);
	if (rc < 0)
		linux_routes_free(k);
	else
		*out = k;
	return rc;
}

void
linux_routes_free(struct linux_routes *k)
{
	if (!k)
		return;
	free(k->entry);
	free(k->bucket);
	free(k);
}

/* A place; growing keeps indices, not addresses. NONE: *rc says why. */
static uint32_t
take_place(struct linux_routes *k, int *rc)
{
	uint32_t i = k->free;

	if (i != NONE) {
		k->free = k->entry[i].next;
		return i;
	}
	if (k->high == k->places) {
		*rc = grow(k);
		if (*rc < 0)
			return NONE;
	}
	return k->high++;
}

static void
release(struct linux_routes *k, uint32_t i)
{
	struct entry *e = &k->entry[i];
	uint32_t *link = bucket_of(k, e->prefix, e->len, e->is6);

	while (*link != i)
		link = &k->entry[*link].next;
	*link = e->next;
	e->is_used = false;
	e->next = k->free;
	k->free = i;
}

/* --- changes -------------------------------------------------------------- */

static void
set_dirty(struct linux_routes *k, uint32_t i)
{
	struct entry *e = &k->entry[i];

	if (e->is_dirty)
		return;
	e->is_dirty = true;
	e->next_dirty = NONE;
	if (k->last_dirty == NONE)
		k->first_dirty = i;
	else
		k->entry[k->last_dirty].next_dirty = i;
	k->last_dirty = i;
}

static void
kill_entry(struct linux_routes *k, uint32_t i)
{
	struct entry *e = &k->entry[i];

	if (e->is_dead)
		return;
	e->is_dead = true;
	k->n--;
	set_dirty(k, i);
}

static bool
is_prefix(const struct entry *e, const struct nl_route *r)
{
	return e->is6 == r->is6 && e->len == r->len &&
	       ip6_is_equal(e->prefix, r->prefix);
}

static bool
is_same(const struct entry *e, const struct nl_route *r)
{
	return is_prefix(e, r) && e->metric == r->metric && e->way == r->way &&
	       e->link == r->link && ip6_is_equal(e->via, r->via);
}

static uint32_t
find(struct linux_routes *k, const struct nl_route *r)
{
	uint32_t i = *bucket_of(k, r->prefix, r->len, r->is6);

	while (i != NONE && !is_same(&k->entry[i], r))
		i = k->entry[i].next;
	return i;
}

static void
kill_others(struct linux_routes *k, const struct nl_route *r)
{
	uint32_t i = *bucket_of(k, r->prefix, r->len, r->is6);

	for (; i != NONE; i = k->entry[i].next) {
		const struct entry *e = &k->entry[i];

		if (is_prefix(e, r) && e->metric == r->metric && !is_same(e, r))
			kill_entry(k, i);
	}
}

int
linux_routes_put(struct linux_routes *k, const struct nl_route *r, bool instead)
{
	uint32_t i = find(k, r);
	struct entry *e;
	int rc = 0;

	if (i == NONE) {
		i = take_place(k, &rc);
		if (i == NONE)
			return rc;
		k->entry[i] = (struct entry){
			.prefix = r->prefix,
			.via = r->via,
			.metric = r->metric,
			.link = r->link,
			.len = r->len,
			.way = r->way,
			.is6 = r->is6,
			.is_dead = true,
			.is_used = true,
		};
		chain(k, i);
	}
	e = &k->entry[i];
	e->mark = k->mark;
	e->is_shared = r->is_shared;
	if (e->is_dead) {
		e->is_dead = false;
		k->n++;
		set_dirty(k, i);
	}
	if (instead)
		kill_others(k, r);
	return 0;
}

bool
linux_routes_remove(struct linux_routes *k, const struct nl_route *r)
{
	uint32_t i = find(k, r);
	bool was_shared;

	if (i == NONE || k->entry[i].is_dead)
		return false;
	was_shared = k->entry[i].is_shared;
	kill_entry(k, i);
	return was_shared;
}

void
linux_routes_begin(struct linux_routes *k)
{
	k->mark++; /* before this round all have another one */
	for (uint32_t i = 0; i < k->high; i++)
		k->entry[i].mark = (uint8_t)(k->mark - 1);
}

void
linux_routes_end(struct linux_routes *k)
{
	for (uint32_t i = 0; i < k->high; i++)
		if (k->entry[i].is_used && k->entry[i].mark != k->mark)
			kill_entry(k, i);
}

void
linux_routes_look_again(struct linux_routes *k, uint32_t link)
{
	for (uint32_t i = 0; i < k->high; i++)
		if (k->entry[i].is_used && k->entry[i].link == link)
			set_dirty(k, i);
}

/* --- what to tell --------------------------------------------------------- */

static bool
is_better(const struct entry *e, const struct entry *than)
{
	return !than || e->metric < than->metric;
}

bool
linux_routes_next(struct linux_routes *k, linux_vnic_of vnic_of,
    const void *arg, struct linux_route *out)
{
	const struct entry *first, *best = NULL;

	if (k->first_dirty == NONE)
		return false;
	first = &k->entry[k->first_dirty];
	*out = (struct linux_route){
		.prefix = first->prefix,
		.is6 = first->is6,
		.is_gone = true,
		.len = first->len,
		.vnic = LINUX_NO_VNIC,
	};
	for (uint32_t i = *bucket_of(k, out->prefix, out->len, out->is6);
	     i != NONE; i = k->entry[i].next) {
		const struct entry *e = &k->entry[i];
		uint8_t vnic = LINUX_NO_VNIC;

		if (e->is_dead || !is_better(e, best) || e->is6 != out->is6 ||
		    e->len != out->len || !ip6_is_equal(e->prefix, out->prefix))
			continue;
		if (e->way == NL_VIA)
			vnic = vnic_of(arg, e->link);
		if (e->way == NL_VIA && vnic == LINUX_NO_VNIC)
			continue;
		best = e;
		out->is_gone = false;
		out->via = e->via;
		out->way = e->way;
		out->vnic = vnic;
	}
	return true;
}

void
linux_routes_pop(struct linux_routes *k)
{
	uint32_t i = k->first_dirty;

	if (i == NONE)
		return;
	k->first_dirty = k->entry[i].next_dirty;
	if (k->first_dirty == NONE)
		k->last_dirty = NONE;
	k->entry[i].is_dirty = false;
	if (k->entry[i].is_dead)
		release(k, i);
}

size_t
linux_routes_count(const struct linux_routes *k)
{
	return k->n;
}
