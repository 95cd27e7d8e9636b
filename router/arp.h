/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp: ARP for IPv4 over Ethernet (RFC 826) on a table of neighbours of its
 * own, see neigh.h. It answers for our addresses, asks for those of others,
 * and tells everybody when an address becomes ours.
 *
 * It knows no clock, no queue and no other thread: time is an argument, and
 * frames leave through struct neigh_io.
 */
#ifndef ROUTER_ARP_H
#define ROUTER_ARP_H

#include "router/neigh.h"
#include "router/plan.h"

struct arp;

/*
 * Borrows io, count and used, NEIGH_MAX marks that fast paths set with relaxed
 * stores. Returns 0 or -ENOMEM.
 */
int arp_new(const struct neigh_io *io, void *arg, struct counters *count,
    uint8_t *used, struct arp **out);
void arp_free(struct arp *a); /* NULL is allowed */

/* VNIC_MAX_VNICS of them, borrowed; forgets neighbours of those not up. */
void arp_set_ifaces(struct arp *a, const struct iface *ifaces);

/*
 * Tells everybody at vNIC i that ip is ours (RFC 5227, 2.3), so that hosts
 * which knew it by another MAC do not send there until their entry is old.
 */
void arp_announce(struct arp *a, unsigned i, uint32_t ip);

/* An ARP frame that came in through vNIC i. */
void arp_input(struct arp *a, unsigned i, const uint8_t *frame, unsigned len,
    uint64_t now_ms);

/* Sends p (taken, p->vnic set) to the neighbour ip, now or when it is known. */
void arp_output(struct arp *a, uint32_t ip, struct packet *p, uint64_t now_ms);

/* As neigh_tell() and neigh_snapshot(). */
int arp_tell(struct arp *a, unsigned vnic, struct ip6 ip, const uint8_t *mac,
    uint64_t now_ms);
unsigned arp_snapshot(
    const struct arp *a, struct snapshot_neighbour *out, uint64_t now_ms);

/* Does what is due. Returns ms until more is, or UINT64_MAX. */
uint64_t arp_tick(struct arp *a, uint64_t now_ms);

/* True once after the resolved neighbours have changed. */
bool arp_changed(struct arp *a);

/* Copies the resolved ones, at most NEIGH_MAX. Returns how many. */
unsigned arp_list(const struct arp *a, struct neighbour *out);

#endif
