/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_routes: the routes of router.conf in the container's kernel, where it is
 * the one that forwards (europa-taps). Those that the owner has typed in are his:
 * only what was put there is taken away.
 *
 * The kernel drops routes without a word, when a link goes down or an address
 * away. So each time all of them are said again, and nothing is asked.
 */
#ifndef ROUTER_KERNEL_ROUTES_H
#define ROUTER_KERNEL_ROUTES_H

#include "router/netlink.h"
#include "router/routerconf.h"

struct kernel_routes {
	int netlink; /* borrowed */
	/* What is asked of the kernel; a test has others. */
	int (*add)(int netlink, const struct nl_route *r);
	int (*delete)(int netlink, const struct nl_route *r);
	struct nl_route *is; /* sorted by prefix */
	size_t n;
};

/*
 * The routes of c and no others that k knows; link[i] is the index of the twin of
 * vNIC i, 0: there is none. Returns how many the kernel did not take, with *why,
 * or -ENOMEM: nothing has changed.
 */
int kernel_routes_set(struct kernel_routes *k, const struct routerconf *c,
    const uint32_t link[VNIC_MAX_VNICS], int *why);

void kernel_routes_clear(struct kernel_routes *k);

#endif
