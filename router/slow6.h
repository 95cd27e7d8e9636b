/* SPDX-License-Identifier: Apache-2.0 */
/* slow6: what slow6.c (packets that came) and slow6_tx.c (that go) share. */
#ifndef ROUTER_SLOW6_H
#define ROUTER_SLOW6_H

#include "router/icmp6.h"
#include "router/slow.h"

/* The address of ours that speaks through vNIC i to dst; :: = none at all. */
struct ip6 slow6_source(const struct slow *s, unsigned i, struct ip6 dst);

/* An error about the packet at ip, which came in through vnic, if allowed. */
void slow6_error(struct slow *s, const uint8_t *ip, unsigned vnic,
    const struct icmp6_error *e);

/* The same where type and code say all of it. */
void slow6_say(struct slow *s, const uint8_t *ip, unsigned vnic, unsigned type,
    unsigned code);

/* Parameter problem: the octet at at, from ip. */
void slow6_problem(struct slow *s, const uint8_t *ip, unsigned vnic,
    unsigned code, unsigned at);

#endif
