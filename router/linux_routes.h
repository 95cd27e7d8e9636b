/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_routes: what the kernel has in its tables, and which prefixes have
 * another way since we last told the fast path.
 *
 *	linux_routes_put(), _remove()     the kernel said so
 *	linux_routes_begin() ... _end()   it tells all that there is
 *	linux_routes_next()               a prefix that has changed, and its way
 *	                                  now; it stays the next one until
 *	linux_routes_pop()                it has been told
 *
 * Of the ways to a prefix the one with the lowest metric counts, among those
 * that lead to a vNIC; of equal ones it is one of them. A prefix is told
 * once however often it changes before, so that a storm of changes becomes no
 * queue: all memory is that of the table, LINUX_ROUTES_MAX at most.
 *
 * It belongs to the main thread and makes no system call.
 */
#ifndef ROUTER_LINUX_ROUTES_H
#define ROUTER_LINUX_ROUTES_H

#include "router/netlink.h"

enum linux_routes_limits {
	LINUX_ROUTES_MAX = 1 << 21,
	LINUX_NO_VNIC = 0xff,
};

struct linux_routes;

/* The vNIC whose twin has this index, or LINUX_NO_VNIC. */
typedef uint8_t (*linux_vnic_of)(const void *arg, uint32_t link);

/* As the fast path may know it. */
struct linux_route {
	struct ip6 prefix;
	struct ip6 via; /* zero = on the link */
	bool is6;
	bool is_gone;
	uint8_t len;
	uint8_t way;  /* enum nl_way */
	uint8_t vnic; /* of NL_VIA */
};

int linux_routes_new(struct linux_routes **out);
void linux_routes_free(struct linux_routes *k); /* NULL is allowed */

/*
 * A route is there; instead: in place of all with its prefix and metric. Returns
 * 0, -ENOSPC or -ENOMEM.
 */
int linux_routes_put(
    struct linux_routes *k, const struct nl_route *r, bool instead);

/*
 * It is gone. Returns true if the kernel has to be asked what there is now: it
 * was one of several ways, of which we know only this one.
 */
bool linux_routes_remove(struct linux_routes *k, const struct nl_route *r);

/* All that is put from here on is all that there is: what is not put goes. */
void linux_routes_begin(struct linux_routes *k);
void linux_routes_end(struct linux_routes *k);

/* The link is another vNIC than it was, or none. */
void linux_routes_look_again(struct linux_routes *k, uint32_t link);

/* The oldest change; false: there is none. */
bool linux_routes_next(struct linux_routes *k, linux_vnic_of vnic_of,
    const void *arg, struct linux_route *out);
void linux_routes_pop(struct linux_routes *k);

size_t linux_routes_count(const struct linux_routes *k);

#endif
