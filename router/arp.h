/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp: who has which MAC on the networks that we are connected to.
 *
 *	state        leaves it by
 *	NONE         a packet for it -> ask -> ASKING
 *	ASKING       reply -> KNOWN; 3 requests 1 s apart, then 1 s -> FAILED
 *	KNOWN        60 s: unused -> NONE; used -> ask it alone -> PROBING
 *	PROBING      reply -> KNOWN; 3 requests 1 s apart, then 1 s -> FAILED
 *	FAILED       a packet, 1 s after the last one -> ASKING; 20 s -> NONE
 *
 * KNOWN and PROBING are in the tables of the fast paths. A MAC is learned only
 * from an answer to our question or from a neighbour that we already know, so
 * a stranger cannot fill the table. All is bounded: neighbours, packets that
 * wait (8 each, 256 in all), one request per second and neighbour, and 500
 * requests per second in all.
 *
 * It knows no clock, no queue and no other thread: time is an argument, and
 * frames leave through struct arp_ops.
 */
#ifndef ROUTER_ARP_H
#define ROUTER_ARP_H

#include "router/count.h"
#include "router/packet.h"
#include "router/plan.h"

enum arp_limits {
	ARP_MAX = 2048,
	ARP_MAX_PENDING = 8,
	ARP_MAX_ALL_PENDING = 256,
	ARP_TRIES = 3,
	ARP_RETRY_MS = 1000,
	ARP_REACHABLE_MS = 60000,
	ARP_FAILED_MS = 20000,
	ARP_PER_SECOND = 500,
	ARP_BURST = 100,
};

/* Both take the packet. */
struct arp_ops {
	/* Sends the frame through p->vnic; its Ethernet header is complete. */
	void (*send)(void *arg, struct packet *p);
	/* Nobody has the MAC for it. */
	void (*unreachable)(void *arg, struct packet *p);
};

/* A vNIC of ours, as ARP sees it. */
struct iface {
	bool up;
	uint8_t mac[6];
	unsigned n;
	struct address4 address[ROUTERCONF_MAX_ADDRESSES];
};

struct arp;

/* Borrows ops and count. Returns 0 or -ENOMEM. */
int arp_new(const struct arp_ops *ops, void *arg, struct counters *count,
    struct arp **out);
void arp_free(struct arp *a);

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

/* Does what is due. Returns ms until more is, or UINT64_MAX. */
uint64_t arp_tick(struct arp *a, uint64_t now_ms);

/* True once after the resolved neighbours have changed. */
bool arp_changed(struct arp *a);

/* Copies the resolved ones, at most ARP_MAX. Returns how many. */
unsigned arp_list(const struct arp *a, struct neighbour *out);

/* ARP_MAX marks, set by fast paths with relaxed stores. */
uint8_t *arp_used(struct arp *a);

#endif
