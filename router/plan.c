/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: from statements to the lookup table. A connected network gives three
 * kinds of routes: the network itself (glean), its two broadcast addresses,
 * and our own address; of equal prefixes our own wins over a connected one
 * over a static one.
 */
#include "router/plan.h"

#include "lib/base.h"
#include "router/dpdk.h"

enum { GATEWAYS_AT_ONCE = 16 };

struct maker {
	struct plan *plan;
	struct fib4_route *route;
	size_t n;
	enum fib4_rank rank; /* of the routes that come */
};

_Static_assert((int)ROUTE_NO_DEV == (int)ROUTERCONF_NO_DEV &&
		   (int)ROUTE_LOST_DEV == (int)ROUTERCONF_LOST_DEV &&
		   (int)ROUTE_LINUX == (int)FIB4_LINUX &&
		   (int)ROUTE_API == (int)FIB4_API &&
		   (int)ROUTE_STATIC == (int)FIB4_STATIC,
    "one is used as the other");

static struct routerconf_route
of_route(const struct route *r)
{
	return (struct routerconf_route){
		.prefix = (uint32_t)r->prefix.lo, /* all of it */
		.via = (uint32_t)r->via.lo,
		.len = r->len,
		.dev = r->dev,
	};
}

static uint32_t
mask_of(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

static void
add(struct maker *m, struct address4 to, enum fib4_rank rank, unsigned result)
{
	m->route[m->n++] = (struct fib4_route){
		.prefix = to.ip & mask_of(to.len),
		.len = to.len,
		.rank = (uint8_t)rank,
		.result = (uint16_t)result,
	};
}

static void
add_connected(struct maker *m, unsigned vnic, struct address4 a)
{
	uint32_t host_bits = ~mask_of(a.len);

	add(m, (struct address4){ a.ip, 32 }, FIB4_OWN, HOP_I_LOCAL);
	add(m, a, FIB4_CONNECTED, HOP_I_GLEAN + vnic);
	if (a.len > 30) /* RFC 3021: no broadcast addresses */
		return;
	add(m, (struct address4){ a.ip | host_bits, 32 }, FIB4_CONNECTED,
	    HOP_I_BROADCAST);
	add(m, (struct address4){ a.ip & ~host_bits, 32 }, FIB4_CONNECTED,
	    HOP_I_BROADCAST);
}

/* Is ip a possible neighbour at vNIC i? */
static bool
is_connected(const struct routerconf_vnic *v, uint32_t ip)
{
	for (unsigned k = 0; k < v->n_addresses; k++)
		if (((v->address[k].ip ^ ip) & mask_of(v->address[k].len)) ==
			0 &&
		    v->address[k].ip != ip)
			return true;
	return false;
}

/* The vNIC that a route leaves by, or VNIC_MAX_VNICS. */
static unsigned
way_out(const struct routerconf_vnic *vnics, unsigned n,
    const struct routerconf_route *r)
{
	if (r->dev < VNIC_MAX_VNICS)
		return r->dev;
	if (r->dev == ROUTERCONF_LOST_DEV)
		return VNIC_MAX_VNICS;
	for (unsigned i = 0; i < n; i++)
		if (is_connected(&vnics[i], r->via))
			return i;
	return VNIC_MAX_VNICS;
}

unsigned
plan_way_out(const struct routerconf_vnic *vnics, const struct route *r)
{
	struct routerconf_route route = of_route(r);

	if (r->dev < VNIC_MAX_VNICS && !vnics[r->dev].present)
		return VNIC_MAX_VNICS;
	return r->is6 ? plan_way_out6(vnics, r)
		      : way_out(vnics, VNIC_MAX_VNICS, &route);
}

/* The number of a gateway, a new one if need be; or -E2BIG, -ENOMEM. */
static int
gateway_of(struct plan *p, uint32_t ip, unsigned vnic)
{
	struct gateway *more;

	/* neighbouring routes often share theirs: the latest first */
	for (unsigned i = p->n_gateways; i-- > 0;)
		if (p->gateway[i].ip == ip && p->gateway[i].vnic == vnic)
			return (int)i;
	if (p->n_gateways == PLAN_MAX_GATEWAYS)
		return -E2BIG;
	if (p->n_gateways % GATEWAYS_AT_ONCE == 0) {
		more = reallocarray(p->gateway,
		    p->n_gateways + GATEWAYS_AT_ONCE, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->gateway = more;
	}
	p->gateway[p->n_gateways] =
	    (struct gateway){ .ip = ip, .vnic = (uint16_t)vnic };
	return (int)p->n_gateways++;
}

/* The result of a route: its hop. May need a new gateway. */
static int
result_of(struct plan *p, const struct routerconf_route *r, unsigned *result)
{
	unsigned vnic = way_out(p->vnic, p->n_vnics, r);
	int gateway;

	*result = plan_end_of(r->dev);
	if (*result != 0)
		return 0;
	if (vnic == VNIC_MAX_VNICS)
		return -ENETUNREACH;
	*result = HOP_I_GLEAN + vnic;
	if (r->via == 0)
		return 0;
	gateway = gateway_of(p, r->via, vnic);
	if (gateway < 0)
		return gateway;
	*result = HOP_I_GATEWAY + (unsigned)gateway;
	return 0;
}

static int
add_static(struct maker *m, const struct routerconf_route *r)
{
	unsigned result;
	int rc = result_of(m->plan, r, &result);

	if (rc == -ENETUNREACH) {
		m->plan->n_inactive++;
		return 0;
	}
	if (rc == 0)
		add(m, (struct address4){ r->prefix, r->len }, m->rank, result);
	return rc;
}

static int
add_one_more(void *arg, const struct route *r)
{
	struct routerconf_route route = of_route(r);

	return add_static(arg, &route);
}

static int
add_all(struct maker *m, const struct routerconf *c, const struct routes *more)
{
	int rc = 0;

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		for (unsigned k = 0; k < c->vnic[i].n_addresses; k++)
			add_connected(m, i, c->vnic[i].address[k]);
		if (c->vnic[i].present)
			m->plan->n_vnics = i + 1;
	}
	m->rank = FIB4_STATIC;
	for (size_t k = 0; k < c->n_routes && rc == 0; k++)
		rc = add_static(m, &c->route[k]);
	for (unsigned s = 0; more && s < N_ROUTE_SOURCES && rc == 0; s++) {
		m->rank = s; /* as asserted */
		rc = routes_set_each(&more->of[s], false, add_one_more, m);
	}
	return rc;
}

/* How many routes of a family they have. */
size_t
plan_count(const struct routes *more, bool is6)
{
	size_t n = 0;

	for (unsigned s = 0; more && s < N_ROUTE_SOURCES; s++)
		n += more->of[s].table[is6].n;
	return n;
}

int
plan_build(
    const struct routerconf *c, const struct routes *more, struct plan **out)
{
	enum { PER_ADDRESS = 4 };
	size_t max = c->n_routes + plan_count(more, false) +
		     VNIC_MAX_VNICS * PER_ADDRESS * ROUTERCONF_MAX_ADDRESSES;
	struct plan *p = calloc(1, sizeof(*p));
	scoped_free struct fib4_route *route = calloc(max, sizeof(*route));
	struct maker m = { .plan = p, .route = route };
	const struct dpdk *dpdk = dpdk_get();
	int rc = -ENOMEM;

	if (!p || !route)
		goto fail;
	if (!dpdk && (c->rte_fib || routerconf_wants_acl(c))) {
		rc = -ENOTSUP;
		goto fail;
	}
	p->generation = c->generation;
	p->twins = c->twins == ROUTERCONF_ON;
	p->gather = c->gather;
	memcpy(p->vnic, c->vnic, sizeof(p->vnic));
	rc = add_all(&m, c, more);
	if (rc == 0)
		rc = fib4_build_by(
		    c->rte_fib ? &dpdk->fib4 : NULL, route, m.n, &p->fib);
	if (rc == 0)
		rc = plan_build6(p, c, more);
	if (rc == 0)
		rc = filter_make_by(routerconf_wants_acl(c) ? &dpdk->acl : NULL,
		    c->rule, c->n_rules, &p->filter);
	if (rc < 0)
		goto fail;
	*out = p;
	return 0;
fail:
	plan_free(p);
	return rc;
}

int
plan_make(const struct routerconf *c, struct plan **out)
{
	return plan_build(c, NULL, out);
}

/* --- changes -------------------------------------------------------------- */

int
plan_prepare(struct plan *p, const struct route *r)
{
	struct routerconf_route route = of_route(r);
	unsigned n = p->n_gateways, result;
	int rc;

	if (r->is6)
		return plan_prepare6(p, r);
	rc = result_of(p, &route, &result);
	return rc < 0 ? rc : p->n_gateways != n;
}

static int
change4(struct plan *p, const struct route *r, bool add)
{
	struct routerconf_route from = of_route(r);
	struct fib4_route route = {
		.prefix = from.prefix & mask_of(r->len),
		.len = r->len,
		.rank = r->source, /* as asserted */
		.result = HOP_I_GATEWAY,
	};
	unsigned n_gateways = p->n_gateways, result;
	int rc;

	if (!add)
		return fib4_delete(p->fib, &route);
	rc = result_of(p, &from, &result);
	if (rc < 0)
		return rc;
	/* the tables in force do not have its hop */
	if (p->n_gateways != n_gateways)
		return -EAGAIN;
	route.result = (uint16_t)result;
	return fib4_add(p->fib, &route);
}

static void
drop_fib(struct plan *p)
{
	if (p->fib && --p->fib->n_refs == 0)
		fib4_free(p->fib);
	p->fib = NULL;
}

/* Of an engine: the next of its tables, quickly. */
static int
renew4(struct plan *p)
{
	struct fib4 *more;

	if (!p->fib->fib.engine || fib4_rebuild(p->fib, &more) < 0)
		return -ENOSPC;
	drop_fib(p);
	p->fib = more;
	return 1;
}

int
plan_change(struct plan *p, const struct route *r, bool add)
{
	int (*change)(struct plan *, const struct route *, bool) =
	    r->is6 ? plan_change6 : change4;
	int rc;

	if (r->len > (r->is6 ? 128 : 32) || r->source >= N_ROUTE_SOURCES)
		return -EINVAL;
	rc = change(p, r, add);
	/* what led elsewhere before must not do so now */
	if (add && rc == -ENETUNREACH && change(p, r, false) == -ENOSPC)
		rc = -ENOSPC;
	if (rc == -ENOSPC)
		rc = r->is6 ? plan_renew6(p) : renew4(p);
	return rc;
}

void
plan_seal(struct plan *p)
{
	fib4_seal(p->fib);
	fib6_seal(p->fib6);
}

void
plan_release(struct plan *p)
{
	fib4_release(p->fib);
	fib6_release(p->fib6);
}

void
plan_free(struct plan *p)
{
	if (!p)
		return;
	drop_fib(p);
	if (p->fib6 && --p->fib6->n_refs == 0)
		fib6_free(p->fib6);
	filter_put(p->filter);
	free(p->gateway);
	free(p->gateway6);
	free(p);
}
