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
};

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
way_out(const struct plan *p, const struct routerconf_route *r)
{
	if (r->dev < VNIC_MAX_VNICS)
		return r->dev;
	if (r->dev == ROUTERCONF_LOST_DEV)
		return VNIC_MAX_VNICS;
	for (unsigned i = 0; i < p->n_vnics; i++)
		if (is_connected(&p->vnic[i], r->via))
			return i;
	return VNIC_MAX_VNICS;
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
	unsigned vnic = way_out(p, r);
	int gateway;

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
		add(m, (struct address4){ r->prefix, r->len }, FIB4_STATIC,
		    result);
	return rc;
}

static int
add_all(struct maker *m, const struct routerconf *c)
{
	int rc = 0;

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++) {
		for (unsigned k = 0; k < c->vnic[i].n_addresses; k++)
			add_connected(m, i, c->vnic[i].address[k]);
		if (c->vnic[i].present)
			m->plan->n_vnics = i + 1;
	}
	for (size_t k = 0; k < c->n_routes && rc == 0; k++)
		rc = add_static(m, &c->route[k]);
	return rc;
}

int
plan_make(const struct routerconf *c, struct plan **out)
{
	enum { PER_ADDRESS = 4 };
	size_t max = c->n_routes +
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
	p->gather = c->gather;
	memcpy(p->vnic, c->vnic, sizeof(p->vnic));
	rc = add_all(&m, c);
	if (rc == 0)
		rc = fib4_build_by(
		    c->rte_fib ? &dpdk->fib4 : NULL, route, m.n, &p->fib);
	if (rc == 0)
		rc = plan_make6(p, c);
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

static void
drop_fib(struct plan *p)
{
	if (p->fib && --p->fib->n_refs == 0)
		fib4_free(p->fib);
	p->fib = NULL;
}

int
plan_change(struct plan *p, const struct routerconf_route *r, bool add)
{
	struct fib4_route route = {
		.prefix = r->prefix & mask_of(r->len),
		.len = r->len,
		.rank = FIB4_STATIC,
		.result = HOP_I_GATEWAY,
	};
	unsigned n_gateways = p->n_gateways, result;
	struct fib4 *more;
	int rc;

	if (add) {
		rc = result_of(p, r, &result);
		if (rc < 0)
			return rc;
		/* the tables in force do not have its hop */
		if (p->n_gateways != n_gateways)
			return -EAGAIN;
		route.result = (uint16_t)result;
	}
	rc = add ? fib4_add(p->fib, &route) : fib4_delete(p->fib, &route);
	if (rc != -ENOSPC)
		return rc;
	rc = fib4_rebuild(p->fib, &more);
	if (rc < 0)
		return rc;
	drop_fib(p);
	p->fib = more;
	return 1;
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
