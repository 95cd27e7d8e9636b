/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nd: Neighbour Discovery for IPv6 (RFC 4861) on a table of neighbours of its
 * own, see neigh.h: solicitations and advertisements of neighbours. It answers
 * for our addresses, asks for those of others, and tells everybody when an
 * address becomes ours. It sends no router advertisements, listens to none, and
 * does not look whether an address of ours is taken: conflicts are counted.
 *
 * It knows no clock, no queue and no other thread.
 */
#ifndef ROUTER_ND_H
#define ROUTER_ND_H

#include "router/neigh.h"
#include "router/plan.h"

struct nd;

/* As arp_new(). */
int nd_new(const struct neigh_io *io, void *arg, struct counters *count,
    uint8_t *used, struct nd **out);
void nd_free(struct nd *d); /* NULL is allowed */

/* VNIC_MAX_VNICS of them, borrowed; forgets neighbours of those not up. */
void nd_set_ifaces(struct nd *d, const struct iface *ifaces);

/* Tells everybody at vNIC i that ip is ours (RFC 4861, 7.2.6). */
void nd_announce(struct nd *d, unsigned i, struct ip6 ip);

/*
 * Tells the sender of the packet at ip, which came in through vNIC i and is to
 * leave there, that next is a shorter way (RFC 4861, 8.2); mac is next's.
 * Returns the frame to the caller, which has yet to know the sender's MAC, or
 * NULL.
 */
struct packet *nd_redirect_make(const struct iface *iface, unsigned i,
    const uint8_t *ip, struct ip6 next, const uint8_t *mac);

/* A message of ND, in a frame that check_ip6 found right, from vNIC i. */
void nd_input(struct nd *d, unsigned i, const uint8_t *frame, uint64_t now_ms);

/* Sends p (taken, p->vnic set) to the neighbour ip, now or when it is known. */
void nd_output(struct nd *d, struct ip6 ip, struct packet *p, uint64_t now_ms);

/* As neigh_tell() and neigh_snapshot(). */
int nd_tell(struct nd *d, unsigned vnic, struct ip6 ip, const uint8_t *mac,
    uint64_t now_ms);
unsigned nd_snapshot(
    const struct nd *d, struct snapshot_neighbour *out, uint64_t now_ms);

/* Does what is due. Returns ms until more is, or UINT64_MAX. */
uint64_t nd_tick(struct nd *d, uint64_t now_ms);

/* True once after the resolved neighbours have changed. */
bool nd_changed(struct nd *d);

/* Copies the resolved ones, at most NEIGH_MAX; base + their place in used. */
unsigned nd_list(const struct nd *d, unsigned base, struct neighbour *out);

#endif
