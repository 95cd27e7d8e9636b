/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan6: the same as plan.c for IPv6. A connected network gives itself (glean),
 * our own address, and the anycast address of routers, the first of it
 * (RFC 4291, 2.6.1); there are no broadcasts. Link-local addresses are in no
 * table: they mean something else at each vNIC.
 */
#include "router/plan.h"

#include "router/dpdk.h"

struct maker {
	struct plan *plan;
	struct fib6_route *route;
	size_t n;
};

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
way_out(const struct plan *p, const struct routerconf_route6 *r)
{
	if (r->dev < VNIC_MAX_VNICS)
		return r->dev;
	if (r->dev == ROUTERCONF_LOST_DEV || ip6_is_link_local(r->via))
		return VNIC_MAX_VNICS;
	for (unsigned i = 0; i < p->n_vnics; i++)
		if (is_connected(&p->vnic[i], r->via))
			return i;
	return VNIC_MAX_VNICS;
}

/* The number of a gateway, a new one if need be; PLAN_MAX_GATEWAYS: full. */
static unsigned
gateway_of(struct plan *p, struct ip6 ip, unsigned vnic)
{
	/* neighbouring routes often share theirs: the latest first */
	for (unsigned i = p->n_gateways6; i-- > 0;)
		if (ip6_is_equal(p->gateway6[i].ip, ip) &&
		    p->gateway6[i].vnic == vnic)
			return i;
	if (p->n_gateways6 == PLAN_MAX_GATEWAYS)
		return PLAN_MAX_GATEWAYS;
	p->gateway6[p->n_gateways6] =
	    (struct gateway6){ .ip = ip, .vnic = (uint16_t)vnic };
	return p->n_gateways6++;
}

static int
add_static(struct maker *m, const struct routerconf_route6 *r)
{
	struct address6 to = { r->prefix, r->len };
	unsigned vnic = way_out(m->plan, r);
	unsigned gateway;

	if (vnic == VNIC_MAX_VNICS) {
		m->plan->n_inactive++;
		return 0;
	}
	if (ip6_is_zero(r->via)) {
		add(m, to, FIB6_STATIC, HOP_I_GLEAN + vnic);
		return 0;
	}
	gateway = gateway_of(m->plan, r->via, vnic);
	if (gateway == PLAN_MAX_GATEWAYS)
		return -E2BIG;
	add(m, to, FIB6_STATIC, PLAN_FIRST6 + gateway);
	return 0;
}

int
plan_make6(struct plan *p, const struct routerconf *c)
{
	enum { PER_ADDRESS = 3 };
	size_t max = c->n_routes6 +
		     VNIC_MAX_VNICS * PER_ADDRESS * ROUTERCONF_MAX_ADDRESSES;
	size_t n_max = MIN(c->n_routes6 + 1, (size_t)PLAN_MAX_GATEWAYS);
	scoped_free struct fib6_route *route = calloc(max, sizeof(*route));
	struct maker m = { .plan = p, .route = route };
	int rc = 0;

	p->gateway6 = calloc(n_max, sizeof(*p->gateway6));
	if (!route || !p->gateway6)
		return -ENOMEM;
	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		for (unsigned k = 0; k < c->vnic[i].n_addresses6; k++)
			add_connected(&m, i, c->vnic[i].address6[k]);
	for (size_t k = 0; k < c->n_routes6 && rc == 0; k++)
		rc = add_static(&m, &c->route6[k]);
	if (rc < 0)
		return rc;
	return fib6_build_by(
	    c->rte_fib ? &dpdk_get()->fib6 : NULL, route, m.n, &p->fib6);
}
