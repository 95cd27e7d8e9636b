/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan6: the same as plan.c for IPv6. A connected network gives itself (glean),
 * our own address, and the anycast address of routers, the first of it
 * (RFC 4291, 2.6.1); there are no broadcasts. Link-local addresses are in no
 * table: they mean something else at each vNIC.
 */
#include "router/plan.h"

#include "router/dpdk.h"

enum { GATEWAYS_AT_ONCE = 16 };

struct maker {
	struct plan *plan;
	struct fib6_route *route;
	size_t n;
	enum fib6_rank rank; /* of the routes that come */
};

_Static_assert((int)ROUTE_LINUX == (int)FIB6_LINUX &&
		   (int)ROUTE_API == (int)FIB6_API &&
		   (int)ROUTE_STATIC == (int)FIB6_STATIC,
    "one is used as the other");

static struct routerconf_route6
of_route(const struct route *r)
{
	return (struct routerconf_route6){
		.prefix = r->prefix,
		.via = r->via,
		.len = r->len,
		.dev = r->dev,
	};
}

static void
add(struct maker *m, struct address6 to, enum fib6_rank rank, unsigned result)
{
	struct ip6 prefix = ip6_prefix(to.ip, to.len);

	m->route[m->n++] = (struct fib6_route){
		.prefix = { prefix.hi, prefix.lo },
		.len = to.len,
		.rank = (uint8_t)rank,
		.result = (uint16_t)result,
	};
}

static void
add_connected(struct maker *m, unsigned vnic, struct address6 a)
{
	struct address6 own = { a.ip, 128 };
	struct address6 anycast = { ip6_prefix(a.ip, a.len), 128 };

	if (ip6_is_link_local(a.ip))
		return;
	add(m, own, FIB6_OWN, HOP_I_LOCAL);
	add(m, a, FIB6_CONNECTED, HOP_I_GLEAN + vnic);
	if (a.len < 127) /* RFC 6164 */
		add(m, anycast, FIB6_OWN, HOP_I_LOCAL);
}

static bool
is_connected(const struct routerconf_vnic *v, struct ip6 ip)
{
	for (unsigned k = 0; k < v->n_addresses6; k++) {
		const struct address6 *a = &v->address6[k];

		if (ip6_is_within(ip, a->ip, a->len) &&
		    !ip6_is_equal(ip, a->ip))
			return true;
	}
	return false;
}

/* The vNIC that a route leaves by, or VNIC_MAX_VNICS. */
static unsigned
way_out(const struct routerconf_vnic *vnics, unsigned n,
    const struct routerconf_route6 *r)
{
	if (r->dev < VNIC_MAX_VNICS)
		return r->dev;
	if (r->dev == ROUTERCONF_LOST_DEV || ip6_is_link_local(r->via))
		return VNIC_MAX_VNICS;
	for (unsigned i = 0; i < n; i++)
		if (is_connected(&vnics[i], r->via))
			return i;
	return VNIC_MAX_VNICS;
}

unsigned
plan_way_out6(const struct routerconf_vnic *vnics, const struct route *r)
{
	struct routerconf_route6 route = of_route(r);

	return way_out(vnics, VNIC_MAX_VNICS, &route);
}

/* The number of a gateway, a new one if need be; or -E2BIG, -ENOMEM. */
static int
gateway_of(struct plan *p, struct ip6 ip, unsigned vnic)
{
	struct gateway6 *more;

	/* neighbouring routes often share theirs: the latest first */
	for (unsigned i = p->n_gateways6; i-- > 0;)
		if (ip6_is_equal(p->gateway6[i].ip, ip) &&
		    p->gateway6[i].vnic == vnic)
			return (int)i;
	if (p->n_gateways6 == PLAN_MAX_GATEWAYS)
		return -E2BIG;
	if (p->n_gateways6 % GATEWAYS_AT_ONCE == 0) {
		more = reallocarray(p->gateway6,
		    p->n_gateways6 + GATEWAYS_AT_ONCE, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->gateway6 = more;
	}
	p->gateway6[p->n_gateways6] =
	    (struct gateway6){ .ip = ip, .vnic = (uint16_t)vnic };
	return (int)p->n_gateways6++;
}

/* The result of a route: its hop. May need a new gateway. */
static int
result_of(struct plan *p, const struct routerconf_route6 *r, unsigned *result)
{
	unsigned vnic = way_out(p->vnic, p->n_vnics, r);
	int gateway;

	*result = plan_end_of(r->dev);
	if (*result != 0)
		return 0;
	if (vnic == VNIC_MAX_VNICS)
		return -ENETUNREACH;
	*result = HOP_I_GLEAN + vnic;
	if (ip6_is_zero(r->via))
		return 0;
	gateway = gateway_of(p, r->via, vnic);
	if (gateway < 0)
		return gateway;
	*result = PLAN_FIRST6 + (unsigned)gateway;
	return 0;
}

static int
add_static(struct maker *m, const struct routerconf_route6 *r)
{
	unsigned result;
	int rc = result_of(m->plan, r, &result);

	if (rc == -ENETUNREACH) {
		m->plan->n_inactive++;
		return 0;
	}
	if (rc == 0)
		add(m, (struct address6){ r->prefix, r->len }, m->rank, result);
	return rc;
}

static int
add_one_more(void *arg, const struct route *r)
{
	struct routerconf_route6 route = of_route(r);

	return add_static(arg, &route);
}

static int
add_all(struct maker *m, const struct routerconf *c, const struct routes *more)
{
	int rc = 0;

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		for (unsigned k = 0; k < c->vnic[i].n_addresses6; k++)
			add_connected(m, i, c->vnic[i].address6[k]);
	m->rank = FIB6_STATIC;
	for (size_t k = 0; k < c->n_routes6 && rc == 0; k++)
		rc = add_static(m, &c->route6[k]);
	for (unsigned s = 0; more && s < N_ROUTE_SOURCES && rc == 0; s++) {
		m->rank = s; /* as asserted */
		rc = routes_set_each(&more->of[s], true, add_one_more, m);
	}
	return rc;
}

int
plan_build6(
    struct plan *p, const struct routerconf *c, const struct routes *more)
{
	enum { PER_ADDRESS = 3 };
	size_t max = c->n_routes6 + plan_count(more, true) +
		     VNIC_MAX_VNICS * PER_ADDRESS * ROUTERCONF_MAX_ADDRESSES;
	scoped_free struct fib6_route *route = calloc(max, sizeof(*route));
	struct maker m = { .plan = p, .route = route };
	int rc;

	if (!route)
		return -ENOMEM;
	rc = add_all(&m, c, more);
	if (rc < 0)
		return rc;
	/* a large table of nothing is of no use */
	return fib6_build_by(c->rte_fib && m.n > 0 ? &dpdk_get()->fib6 : NULL,
	    route, m.n, &p->fib6);
}

/* --- changes -------------------------------------------------------------- */

int
plan_prepare6(struct plan *p, const struct route *r)
{
	struct routerconf_route6 route = of_route(r);
	unsigned n = p->n_gateways6, result;
	int rc = result_of(p, &route, &result);

	return rc < 0 ? rc : p->n_gateways6 != n;
}

int
plan_change6(struct plan *p, const struct route *r, bool add)
{
	struct routerconf_route6 from = of_route(r);
	struct ip6 prefix = ip6_prefix(r->prefix, r->len);
	struct fib6_route route = {
		.prefix = { prefix.hi, prefix.lo },
		.len = r->len,
		.rank = r->source, /* as asserted */
		.result = PLAN_FIRST6,
	};
	unsigned n_gateways = p->n_gateways6, result;
	int rc;

	if (!add)
		return fib6_delete(p->fib6, &route);
	rc = result_of(p, &from, &result);
	if (rc < 0)
		return rc;
	/* the tables in force do not have its hop */
	if (p->n_gateways6 != n_gateways)
		return -EAGAIN;
	route.result = (uint16_t)result;
	return fib6_add(p->fib6, &route);
}

int
plan_renew6(struct plan *p)
{
	struct fib6 *more;

	if (!p->fib6->fib.engine || fib6_rebuild(p->fib6, &more) < 0)
		return -ENOSPC;
	if (--p->fib6->n_refs == 0)
		fib6_free(p->fib6);
	p->fib6 = more;
	return 1;
}
