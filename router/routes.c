/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes: see routes.h. An entry is the bytes of its prefix as on the wire, its
 * length, a zero and the number of its way: memcmp() sorts them, for both
 * families.
 */
#include "router/routes.h"

enum {
	BUCKETS = 1 << 16,
	WAYS_AT_ONCE = 64,
	MAX_ENTRY = 16 + 4,
};

struct routes_bucket {
	uint8_t *entry;
	uint32_t n;
	uint32_t max;
};

struct routes_way {
	struct ip6 via;
	uint32_t n_routes; /* 0 = free */
	uint8_t dev;
};

static size_t
address_bytes(const struct routes_table *t)
{
	return t->is6 ? 16 : 4;
}

static size_t
entry_bytes(const struct routes_table *t)
{
	return address_bytes(t) + 4;
}

/* The address and the length: what entries are sorted by. */
static size_t
key_bytes(const struct routes_table *t)
{
	return address_bytes(t) + 1;
}

static void
make_key(const struct routes_table *t, const struct route *r, uint8_t *key)
{
	if (t->is6)
		ip6_store(key, r->prefix);
	else
		store_be32(key, (uint32_t)r->prefix.lo); /* all of it */
	key[address_bytes(t)] = r->len;
}

static void
read_entry(const struct routes_table *t, const uint8_t *e, struct route *r)
{
	size_t n = address_bytes(t);
	const struct routes_way *w = &t->way[load_be16(e + n + 2)];

	r->prefix = t->is6 ? ip6_load(e) : ip6_of_ip4(load_be32(e));
	r->len = e[n];
	r->via = w->via;
	r->dev = w->dev;
	r->is6 = t->is6;
}

static uint8_t *
entry_at(const struct routes_table *t, const struct routes_bucket *b, size_t i)
{
	return b->entry + i * entry_bytes(t);
}

/* The first place in b that is not before key. */
static uint32_t
lower_bound(const struct routes_table *t, const struct routes_bucket *b,
    const uint8_t *key)
{
	size_t n = key_bytes(t);
	uint32_t low = 0, high = b->n;

	/* whole tables come sorted */
	if (high > 0 && memcmp(entry_at(t, b, high - 1), key, n) < 0)
		return high;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(entry_at(t, b, mid), key, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The entry with this key, or NULL; *at: where it is or would be. */
static uint8_t *
find(const struct routes_table *t, const uint8_t *key, uint32_t *at)
{
	const struct routes_bucket *b;
	uint8_t *e;

	if (!t->bucket)
		return NULL;
	b = &t->bucket[load_be16(key)];
	*at = lower_bound(t, b, key);
	if (*at == b->n)
		return NULL;
	e = entry_at(t, b, *at);
	return memcmp(e, key, key_bytes(t)) == 0 ? e : NULL;
}

/* --- ways ----------------------------------------------------------------- */

/* The number of a way, which has one route more; or -E2BIG, -ENOMEM. */
static int
take_way(struct routes_table *t, const struct route *r)
{
	unsigned unused = ROUTES_MAX_WAYS;
	struct routes_way *more;

	/* neighbouring routes often share theirs: the latest first */
	for (unsigned i = t->n_ways; i-- > 0;) {
		struct routes_way *w = &t->way[i];

		if (w->n_routes == 0) {
			unused = i;
		} else if (ip6_is_equal(w->via, r->via) && w->dev == r->dev) {
			w->n_routes++;
			return (int)i;
		}
	}
	if (unused == ROUTES_MAX_WAYS) {
		if (t->n_ways == ROUTES_MAX_WAYS)
			return -E2BIG;
		if (t->n_ways % WAYS_AT_ONCE == 0) {
			more = reallocarray(
			    t->way, t->n_ways + WAYS_AT_ONCE, sizeof(*more));
			if (!more)
				return -ENOMEM;
			t->way = more;
		}
		unused = t->n_ways++;
	}
	t->way[unused] = (struct routes_way){ r->via, 1, r->dev };
	return (int)unused;
}

static void
drop_way(struct routes_table *t, const uint8_t *entry)
{
	t->way[load_be16(entry + address_bytes(t) + 2)].n_routes--;
}

/* --- a table -------------------------------------------------------------- */

/* Room for one entry more at place at of b. */
static int
make_gap(struct routes_table *t, struct routes_bucket *b, uint32_t at)
{
	size_t size = entry_bytes(t);

	if (b->n == b->max) {
		uint32_t max = b->n + b->n / 2 + 4;
		void *more = reallocarray(b->entry, max, size);

		if (!more)
			return -ENOMEM;
		b->entry = more;
		b->max = max;
	}
	memmove(b->entry + (at + 1) * size, b->entry + at * size,
	    (b->n - at) * size);
	b->n++;
	return 0;
}

static int
insert(struct routes_table *t, const uint8_t *key, uint32_t at, int way)
{
	struct routes_bucket *b = &t->bucket[load_be16(key)];
	size_t n = key_bytes(t);
	uint8_t *e;
	int rc = t->n == ROUTES_MAX ? -ENOSPC : make_gap(t, b, at);

	if (rc < 0)
		return rc;
	e = entry_at(t, b, at);
	memcpy(e, key, n);
	e[n] = 0;
	store_be16(e + n + 1, (uint16_t)way);
	t->n++;
	return 0;
}

bool
route_is_valid(const struct route *t)
{
	struct ip6 bits = t->prefix;

	if (t->is6)
		return t->len <= 128 &&
		       ip6_is_equal(bits, ip6_prefix(bits, t->len));
	return t->len <= 32 &&
	       ip6_is_equal(bits, ip6_of_ip4((uint32_t)bits.lo)) &&
	       (t->len == 32 ||
		   ((uint32_t)bits.lo & UINT32_MAX >> t->len) == 0);
}

int
routes_set_add(struct routes_set *s, const struct route *r)
{
	struct routes_table *t = &s->table[r->is6];
	uint8_t key[MAX_ENTRY], *e;
	uint32_t at = 0;
	int way, rc;

	if (!route_is_valid(r))
		return -EINVAL;
	t->is6 = r->is6;
	if (!t->bucket) {
		/* zeros that take memory when they are written to */
		t->bucket = calloc(BUCKETS, sizeof(*t->bucket));
		if (!t->bucket)
			return -ENOMEM;
	}
	way = take_way(t, r);
	if (way < 0)
		return way;
	make_key(t, r, key);
	e = find(t, key, &at);
	if (e) {
		drop_way(t, e);
		store_be16(e + key_bytes(t) + 1, (uint16_t)way);
		return 1;
	}
	rc = insert(t, key, at, way);
	if (rc < 0)
		t->way[way].n_routes--;
	return rc;
}

int
routes_set_delete(struct routes_set *s, const struct route *r)
{
	struct routes_table *t = &s->table[r->is6];
	uint8_t key[MAX_ENTRY], *e;
	struct routes_bucket *b;
	uint32_t at;

	make_key(t, r, key);
	e = find(t, key, &at);
	if (!e)
		return -ENOENT;
	drop_way(t, e);
	b = &t->bucket[load_be16(key)];
	b->n--;
	memmove(e, e + entry_bytes(t), (b->n - at) * entry_bytes(t));
	t->n--;
	return 0;
}

bool
routes_set_find(const struct routes_set *s, struct route *r)
{
	const struct routes_table *t = &s->table[r->is6];
	uint8_t key[MAX_ENTRY];
	const uint8_t *e;
	uint32_t at;

	make_key(t, r, key);
	e = find(t, key, &at);
	if (e)
		read_entry(t, e, r);
	return e != NULL;
}

bool
routes_set_next(const struct routes_set *s, struct route *r)
{
	const struct routes_table *t = &s->table[r->is6];
	uint8_t key[MAX_ENTRY] = { 0 };
	uint32_t at = 0, i = 0;

	if (!t->bucket)
		return false;
	if (r->len != ROUTES_BEFORE_ALL) {
		make_key(t, r, key);
		i = load_be16(key);
		at = find(t, key, &at) ? at + 1 : at;
	}
	for (; i < BUCKETS; i++, at = 0)
		if (at < t->bucket[i].n) {
			read_entry(t, entry_at(t, &t->bucket[i], at), r);
			return true;
		}
	return false;
}

int
routes_set_each(const struct routes_set *s, bool is6,
    int (*fn)(void *arg, const struct route *t), void *arg)
{
	const struct routes_table *t = &s->table[is6];
	struct route r = { .is6 = is6 };
	int rc = 0;

	if (!t->bucket)
		return 0;
	for (uint32_t i = 0; i < BUCKETS; i++)
		for (uint32_t k = 0; rc == 0 && k < t->bucket[i].n; k++) {
			read_entry(t, entry_at(t, &t->bucket[i], k), &r);
			rc = fn(arg, &r);
		}
	return rc;
}

size_t
routes_set_count(const struct routes_set *s)
{
	return s->table[0].n + s->table[1].n;
}

void
routes_set_clear(struct routes_set *s)
{
	for (unsigned f = 0; f < 2; f++) {
		struct routes_table *t = &s->table[f];

		for (uint32_t i = 0; t->bucket && i < BUCKETS; i++)
			free(t->bucket[i].entry);
		free(t->bucket);
		free(t->way);
	}
	*s = (struct routes_set){ .table[1].is6 = true };
}

void
routes_clear(struct routes *r)
{
	for (unsigned i = 0; i < N_ROUTE_SOURCES; i++)
		routes_set_clear(&r->of[i]);
}
