/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_routes: see kernel_routes.h.
 */
#include "router/kernel_routes.h"

#include "lib/base.h"

static int
compare(const void *a, const void *b)
{
	const struct nl_route *x = a, *y = b;

	if (x->is6 != y->is6)
		return x->is6 ? 1 : -1;
	if (x->prefix.hi != y->prefix.hi)
		return x->prefix.hi < y->prefix.hi ? -1 : 1;
	if (x->prefix.lo != y->prefix.lo)
		return x->prefix.lo < y->prefix.lo ? -1 : 1;
	return (int)x->len - (int)y->len;
}

/* The index of the link that a statement names; false: it is not there. */
static bool
find_link(const uint32_t *link, uint8_t dev, uint32_t *out)
{
	*out = dev < VNIC_MAX_VNICS ? link[dev] : 0;
	return dev == ROUTERCONF_NO_DEV || *out > 0;
}

/* All routes of c that have a link. Returns how many. */
static size_t
gather(const struct routerconf *c, const uint32_t *link, struct nl_route *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_routes; i++) {
		const struct routerconf_route *r = &c->route[i];

		out[n] = (struct nl_route){ .len = r->len };
		out[n].prefix = ip6_of_ip4(r->prefix);
		if (r->via)
			out[n].via = ip6_of_ip4(r->via);
		n += find_link(link, r->dev, &out[n].link);
	}
	for (size_t i = 0; i < c->n_routes6; i++) {
		const struct routerconf_route6 *r = &c->route6[i];

		out[n] = (struct nl_route){ .is6 = true, .len = r->len };
		out[n].prefix = r->prefix;
		out[n].via = r->via;
		n += find_link(link, r->dev, &out[n].link);
	}
	return n;
}

/* Those whose prefix is in none of next[n]. */
static void
delete_old(const struct kernel_routes *k, const struct nl_route *next, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < k->n; i++) {
		while (at < n && compare(&next[at], &k->is[i]) < 0)
			at++;
		/* the kernel may have been faster */
		if (at == n || compare(&next[at], &k->is[i]) != 0)
			(void)k->delete (k->netlink, &k->is[i]);
	}
}

int
kernel_routes_set(struct kernel_routes *k, const struct routerconf *c,
    const uint32_t link[VNIC_MAX_VNICS], int *why)
{
	struct nl_route *next =
	    calloc(c->n_routes + c->n_routes6 + 1, sizeof(*next));
	int n_refused = 0;
	size_t n;

	if (!next)
		return -ENOMEM;
	n = gather(c, link, next);
	qsort(next, n, sizeof(*next), compare);
	for (size_t i = 0; i < n; i++) {
		int rc = k->add(k->netlink, &next[i]);

		if (rc < 0)
			*why = rc;
		n_refused += rc < 0;
	}
	delete_old(k, next, n);
	kernel_routes_clear(k);
	k->is = next;
	k->n = n;
	return n_refused;
}

void
kernel_routes_clear(struct kernel_routes *k)
{
	free(k->is);
	k->is = NULL;
	k->n = 0;
}
