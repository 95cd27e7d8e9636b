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

/*
 * Returns 0 and a plan to the caller, -E2BIG (too many gateways), -ENOTSUP (it
 * wants DPDK, and nobody has called dpdk_start()) or -ENOMEM.
 * Routes whose gateway is on no network of ours, or whose vNIC is not there,
 * are left out and counted.
 */
int plan_make(const struct routerconf *c, struct plan **out);
void plan_free(struct plan *p); /* NULL is allowed */

/*
 * Adds a static route to a plan that is in use, or gives it another way, or takes
 * it away (its way out does not matter). Lookups in tables of this plan see it at
 * once, and never half of it. Returns
 *
 *	0        it is done
 *	1        it will be when tables_make() has made tables anew
 *	-EAGAIN  its gateway is new: make tables, publish them, call again
 *
 * or -ENOENT (no such route), -EINVAL, -ENETUNREACH (it leads nowhere), -E2BIG
 * (too many gateways) or -ENOMEM. Memory comes back by fib4_seal(p->fib) before
 * tables are published and fib4_release(p->fib) when no older ones are in use.
 */
int plan_change(struct plan *p, const struct routerconf_route *r, bool add);

/* A neighbour that answered; of IPv6 if ip is 0. */
struct neighbour {
	uint32_t ip;
	uint16_t vnic;
	uint16_t index; /* into used[] */
	uint8_t mac[6];
	struct ip6 ip6;
};

/* What of IPv6 is in c; the gateways of IPv4 are there. For plan_make(). */
int plan_make6(struct plan *p, const struct routerconf *c);

/*
 * Joins a plan, ports (VNIC_MAX_VNICS) and n neighbours; used is borrowed.
 * Returns the tables to the caller, or NULL if there is no memory.
 */
struct tables *tables_make(const struct plan *p, const struct port *ports,
    const struct neighbour *nb, unsigned n, uint8_t *used);
void tables_free(const struct tables *t); /* NULL is allowed */

#endif
