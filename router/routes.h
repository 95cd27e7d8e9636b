/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes: all routes that are not those of our own networks, by source. It is
 * what the configuration, clients and the kernel have said, whether or not it
 * leads anywhere now; a plan (plan.h) is made from it, and is changed with it.
 * Who has routes to give says so to feed.h, which keeps both in step.
 *
 * Of equal prefixes static wins over api over linux: what the node's owner wrote
 * down stays in force whatever runs in the container, and who speaks to the
 * router itself knows more than a routing daemon's view in the kernel.
 *
 * A route takes 8 bytes (IPv6: 20), sorted by prefix in buckets by the first 16
 * bits. It belongs to the main thread.
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
	ROUTES_MAX = 2 << 20,    /* of one source and family */
	ROUTES_MAX_WAYS = 4096,  /* different ones, of one source and family */
	ROUTE_NO_DEV = 0xff,     /* dev: that of the network that via is in */
	ROUTE_LOST_DEV = 0xfe,   /* dev: it is not there */
	ROUTES_BEFORE_ALL = 255, /* len, for routes_next() */
};

struct route {
	struct ip6 prefix; /* no bits behind len; IPv4: ::ffff:a.b.c.d */
	struct ip6 via;    /* likewise; zero = on the link of dev */
	bool is6;
	uint8_t len;    /* 0..32, 0..128 */
	uint8_t dev;    /* index of a vNIC, or as above */
	uint8_t source; /* enum route_source */
};

/* All routes of one source and family; zeros are none. */
struct routes_table {
	struct routes_bucket *bucket; /* NULL: there are none */
	struct routes_way *way;
	unsigned n_ways;
	size_t n;
	bool is6;
};

struct routes_set {
	struct routes_table table[2]; /* [is6] */
};

/* All sources; zeros are none. */
struct routes {
	struct routes_set of[N_ROUTE_SOURCES];
};

void routes_clear(struct routes *r);
void routes_set_clear(struct routes_set *s);

/*
 * Returns 0 = new, 1 = the prefix was there, or -EINVAL, -E2BIG (too many
 * different ways), -ENOSPC (too many routes), -ENOMEM.
 */
int routes_set_add(struct routes_set *s, const struct route *t);

/* Its way does not matter. Returns 0 or -ENOENT. */
int routes_set_delete(struct routes_set *s, const struct route *t);

/* The route of t's prefix, filled in; false: there is none. */
bool routes_set_find(const struct routes_set *s, struct route *t);

/*
 * The next one of t's family behind t, by prefix and length; t->len =
 * ROUTES_BEFORE_ALL: the first. False: there is none.
 */
bool routes_set_next(const struct routes_set *s, struct route *t);

/* fn for all of one family, sorted, until it does not return 0: returns that. */
int routes_set_each(const struct routes_set *s, bool is6,
    int (*fn)(void *arg, const struct route *t), void *arg);

size_t routes_set_count(const struct routes_set *s);

/* Is it a prefix, without bits behind its length? */
bool route_is_valid(const struct route *t);

#endif
