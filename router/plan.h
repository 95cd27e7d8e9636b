/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: a configuration made ready: the lookup table with its routes, and the
 * gateways that they need. It does not depend on neighbours or on the state of
 * vNICs, so the main thread can build it while the others run.
 *
 * plan + what the host says of the vNICs + resolved neighbours = tables.
 */
#ifndef ROUTER_PLAN_H
#define ROUTER_PLAN_H

#include "router/filter_rules.h"
#include "router/routerconf.h"
#include "router/routes.h"
#include "router/tables.h"

enum plan_limits {
	PLAN_MAX_GATEWAYS = 4096, /* of each family */
	/* the hops of IPv6 gateways: behind all that there may yet be of IPv4 */
	PLAN_FIRST6 = HOP_I_GATEWAY + PLAN_MAX_GATEWAYS,
};

struct gateway {
	uint32_t ip;
	uint16_t vnic;
};

struct gateway6 {
	struct ip6 ip;
	uint16_t vnic;
};

struct plan {
	uint64_t generation;
	bool twins; /* vNICs have twins in the kernel */
	struct routerconf_vnic vnic[VNIC_MAX_VNICS];
	unsigned n_vnics; /* none is present from here on */
	struct fib4 *fib;
	struct fib6 *fib6;
	struct filter *filter; /* NULL: no rules */
	struct gather gather;
	unsigned n_gateways;
	unsigned n_gateways6;
	struct gateway *gateway;   /* hop HOP_I_GATEWAY + i */
	struct gateway6 *gateway6; /* hop PLAN_FIRST6 + i */
	size_t n_inactive;         /* routes that lead nowhere */
};

/* The hop of a route that ends here, by its dev; 0: it leads to a vNIC. */
static inline unsigned
plan_end_of(uint8_t dev)
{
	switch (dev) {
	case ROUTE_OURS_DEV:
		return HOP_I_LOCAL;
	case ROUTE_HOLE_DEV:
		return HOP_I_BLACKHOLE;
	case ROUTE_NONE_DEV:
		return HOP_I_UNREACHABLE;
	default:
		return 0;
	}
}

/*
 * Returns 0 and a plan to the caller, -E2BIG (too many gateways), -ENOTSUP (it
 * wants DPDK, and nobody has called dpdk_start()) or -ENOMEM.
 * Routes whose gateway is on no network of ours, or whose vNIC is not there,
 * are left out and counted. more: routes beside those of c; NULL: none.
 */
int plan_build(
    const struct routerconf *c, const struct routes *more, struct plan **out);
int plan_make(const struct routerconf *c, struct plan **out);
void plan_free(struct plan *p); /* NULL is allowed */

/*
 * Adds a route to a plan that is in use, or gives it another way, or takes it
 * away (its way does not matter). Lookups in tables of this plan see it at once,
 * and never half of it. Returns 0, or
 *
 *	1             lookups will know of it in tables made anew (engines)
 *	-EAGAIN       its gateway is new: publish tables made anew, call again
 *	-ENETUNREACH  it leads nowhere; if it was there, it is there no more
 *	-ENOENT       there is no such route
 *	-ENOSPC       lookups will know of it in a plan that is made anew
 *
 * or -EINVAL, -E2BIG (too many gateways) or -ENOMEM. Memory comes back by
 * plan_seal() before tables are published, and plan_release() when no older ones
 * are in use.
 */
int plan_change(struct plan *p, const struct route *r, bool add);
void plan_seal(struct plan *p);
void plan_release(struct plan *p);

/*
 * Makes sure that a route's gateway is in the plan. Returns 1 if it is new, 0, or
 * as plan_change().
 */
int plan_prepare(struct plan *p, const struct route *r);

/*
 * The vNIC that a route leaves by in a router that has these, VNIC_MAX_VNICS;
 * that number if it leads nowhere.
 */
unsigned plan_way_out(
    const struct routerconf_vnic *vnics, const struct route *r);

/* A neighbour that answered; of IPv6 if ip is 0. */
struct neighbour {
	uint32_t ip;
	uint16_t vnic;
	uint16_t index; /* into used[] */
	uint8_t mac[6];
	struct ip6 ip6;
};

/* --- plan6.c, for plan.c -------------------------------------------------- */

/* What of IPv6 is in c and more; the gateways of IPv4 are there. */
size_t plan_count(const struct routes *more, bool is6);
int plan_build6(
    struct plan *p, const struct routerconf *c, const struct routes *more);
int plan_change6(struct plan *p, const struct route *r, bool add);
int plan_renew6(struct plan *p);
int plan_prepare6(struct plan *p, const struct route *r);
unsigned plan_way_out6(
    const struct routerconf_vnic *vnics, const struct route *r);

/*
 * Joins a plan, ports (VNIC_MAX_VNICS) and n neighbours; used is borrowed.
 * Returns the tables to the caller, or NULL if there is no memory.
 */
struct tables *tables_make(const struct plan *p, const struct port *ports,
    const struct neighbour *nb, unsigned n, uint8_t *used);
void tables_free(const struct tables *t); /* NULL is allowed */

#endif
