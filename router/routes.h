/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes: all routes that are not those of our own networks, by source. It is
 * what the configuration, clients and the kernel have said, whether or not it
 * leads anywhere now; a plan (plan.h) is made from it, and is changed with it:
 *
 *	routes_add(), routes_delete()    here at once, in the plan by update.h
 *	a whole table of one source      routes_set_new(), routes_set_add() ...,
 *	                                 routes_replace(): a new plan is made, and
 *	                                 the fast paths see all of it or none
 *
 * Of equal prefixes static wins over api over linux: what the node's owner wrote
 * down stays in force whatever runs in the container, and who speaks to the
 * router itself knows more than a routing daemon's view in the kernel.
 *
 * A route takes 8 bytes (IPv6: 20). It belongs to the main thread and knows no
 * other; IPv4 addresses are ::ffff:a.b.c.d.
 */
#ifndef ROUTER_ROUTES_H
#define ROUTER_ROUTES_H

#include "router/ip6.h"

enum route_source {
	ROUTE_LINUX,
	ROUTE_API,
	ROUTE_STATIC,
	N_ROUTE_SOURCES,
};

enum routes_limits {
	ROUTES_MAX_WAYS = 4096, /* gateways of each family */
	ROUTES_MAX = 2 << 20,   /* of one source and family */
	ROUTES_TO_VIA = 0xff,   /* dev: by the network that via is in */
	ROUTES_LOST_DEV = 0xfe, /* dev: it is not there */
};

struct route {
	struct ip6 prefix; /* no bits behind len */
	struct ip6 via;    /* zero = on the link of dev */
	bool is6;
	uint8_t len;    /* 0..32, 0..128 */
	uint8_t dev;    /* index of a vNIC, or as above */
	uint8_t source; /* enum route_source */
};

struct routes;
struct routes_set;

int routes_new(struct routes **out);
void routes_free(struct routes *r); /* NULL is allowed */

/*
 * Returns 0 = new, 1 = it was there and has another way now (or the same), or
 * -EINVAL, -E2BIG (too many gateways), -ENOSPC (too many routes), -ENOMEM.
 */
int routes_add(struct routes *r, const struct route *t);

/* Its way does not matter. Returns 0 or -ENOENT. */
int routes_delete(struct routes *r, const struct route *t);

/* The route of t's source and prefix, filled in; false: there is none. */
bool routes_find(const struct routes *r, struct route *t);

/*
 * The next one of t's source behind t in the order of family, prefix and length;
 * t->len = ROUTES_BEFORE_ALL: the first of its family. False: that was all of
 * its family; t is unspecified then.
 */
enum { ROUTES_BEFORE_ALL = 0xff };
bool routes_next(const struct routes *r, struct route *t);

size_t routes_count(const struct routes *r, enum route_source s, bool is6);

/* A whole table that nobody sees; source and errors as of routes_add(). */
int routes_set_new(struct routes_set **out);
void routes_set_free(struct routes_set *s); /* NULL is allowed */
int routes_set_add(struct routes_set *s, const struct route *t);
size_t routes_set_count(const struct routes_set *s);

/* Its routes (taken) are all of source from now on. Returns 0 or -E2BIG. */
int routes_replace(
    struct routes *r, enum route_source source, struct routes_set *s);

#endif
