/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route6: routes in the order of their prefixes, shorter ones first, are a walk
 * through nested brackets. Where one opens its result begins; where it closes
 * that of the bracket around it goes on.
 */
#include "router/route6.h"

enum { MAX_NESTED = 129 }; /* lengths */

struct bracket {
	struct ip6 last; /* address in it */
	uint16_t result;
};

struct walk {
	struct route6_table *t;
	struct bracket open[MAX_NESTED];
	unsigned n_open;
};

static int
compare(const void *a, const void *b)
{
	const struct route6 *x = a, *y = b;

	if (!ip6_is_equal(x->prefix, y->prefix))
		return ip6_is_less(x->prefix, y->prefix) ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (int)x->rank - (int)y->rank;
}

static struct ip6
last_of(const struct route6 *r)
{
	struct ip6 m = ip6_mask(r->len);

	return (struct ip6){ r->prefix.hi | ~m.hi, r->prefix.lo | ~m.lo };
}

static void
begin_range(struct route6_table *t, struct ip6 start, uint16_t result)
{
	if (t->n > 0 && ip6_is_equal(t->start[t->n - 1], start))
		t->n--; /* nothing lies between */
	if (t->n > 0 && t->result[t->n - 1] == result)
		return;
	t->start[t->n] = start;
	t->result[t->n++] = result;
}

static void
close_last(struct walk *w)
{
	struct ip6 next = w->open[--w->n_open].last;
	uint16_t result = w->n_open ? w->open[w->n_open - 1].result : 0;

	if (++next.lo == 0 && ++next.hi == 0)
		return; /* the end of all addresses */
	begin_range(w->t, next, result);
}

static void
walk_routes(struct route6_table *t, const struct route6 *routes, size_t n)
{
	struct walk w = { .t = t };

	begin_range(t, (struct ip6){ 0, 0 }, 0);
	for (size_t i = 0; i < n; i++) {
		const struct route6 *r = &routes[i];

		if (i + 1 < n &&
		    ip6_is_equal(r->prefix, routes[i + 1].prefix) &&
		    r->len == routes[i + 1].len)
			continue; /* one that is preferred follows */
		while (w.n_open > 0 &&
		       ip6_is_less(w.open[w.n_open - 1].last, r->prefix))
			close_last(&w);
		w.open[w.n_open++] = (struct bracket){ last_of(r), r->result };
		begin_range(t, r->prefix, r->result);
	}
	while (w.n_open > 0)
		close_last(&w);
}

int
route6_build(struct route6 *routes, size_t n, struct route6_table **out)
{
	struct route6_table *t = calloc(1, sizeof(*t));
	size_t max = 2 * n + 1; /* each opens and closes once */

	if (!t)
		return -ENOMEM;
	t->n_refs = 1;
	t->start = calloc(max, sizeof(*t->start));
	t->result = calloc(max, sizeof(*t->result));
	if (!t->start || !t->result) {
		route6_free(t);
		return -ENOMEM;
	}
	if (n > 0)
		qsort(routes, n, sizeof(*routes), compare);
	walk_routes(t, routes, n);
	*out = t;
	return 0;
}

void
route6_free(struct route6_table *t)
{
	if (!t)
		return;
	free(t->start);
	free(t->result);
	free(t);
}

size_t
route6_bytes(const struct route6_table *t)
{
	return sizeof(*t) + t->n * (sizeof(*t->start) + sizeof(*t->result));
}
