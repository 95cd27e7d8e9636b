/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables: all that the fast path knows, as one immutable object.
 *
 *	dst --fib4--> hop index --hop[]--> kind, vNIC, MACs
 *	                          kind GLEAN: (dst, vNIC) --host[]--> hop
 *
 * and the same for IPv6 with fib6 and host6[]; the hops are of one kind.
 *
 * The lookup table is apart from the next hops (MoonRoute paper, section 5.1):
 * when a neighbour is resolved only hop[] and host[] are built anew. A network
 * that is directly connected leads to a GLEAN hop, and each of its hosts that
 * has been resolved is an entry of host[], as if it were a /32 (section 5.3.1).
 *
 * The slow path builds, publish.h swaps. Nothing here is ever changed in place
 * but used[], marks of one byte by which the fast path says whom it needed.
 */
#ifndef ROUTER_TABLES_H
#define ROUTER_TABLES_H

#ifndef VNIC_FFI
#include "lib/vnic_abi.h"
#include "router/fib4.h"
#include "router/fib6.h"
#endif
#include "router/distribute.h"
#include "router/ip6.h"

enum hop_kind {
	HOP_NONE = 0,       /* no route */
	HOP_LOCAL = 1,      /* an address of ours */
	HOP_BROADCAST = 2,  /* of a connected network */
	HOP_DOWN = 3,       /* the vNIC is down */
	HOP_BLACKHOLE = 4,  /* nowhere, and nobody is told */
	HOP_GLEAN = 5,      /* connected: ask host[] */
	HOP_UNRESOLVED = 6, /* the gateway's MAC is not known */
	HOP_FORWARD = 7,
};

/* Fixed places in hop[]; then a GLEAN per vNIC, gateways of IPv4 and of IPv6,
 * hosts. */
enum hop_index {
	HOP_I_NONE = 0,
	HOP_I_LOCAL = 1,
	HOP_I_BROADCAST = 2,
	HOP_I_BLACKHOLE = 3,
	HOP_I_UNREACHABLE = 4, /* a route that says that there is none */
	HOP_I_GLEAN = 5,       /* + index of the vNIC */
	HOP_I_GATEWAY = HOP_I_GLEAN + VNIC_MAX_VNICS,
};

struct hop {
	uint8_t kind; /* enum hop_kind */
	uint8_t zero;
	uint16_t vnic;
	uint16_t mtu;    /* of the vNIC, bytes of layer 3 */
	uint16_t neigh;  /* index into used[] */
	uint8_t eth[12]; /* destination and source MAC */
	uint32_t ip;     /* of the neighbour, host order; GLEAN, IPv6: 0 */
};

struct host {
	uint32_t ip; /* 0 = free: no host has this address */
	uint16_t vnic;
	uint16_t hop;
};

struct host6 {
	struct ip6 ip;
	uint16_t vnic;
	uint16_t hop; /* 0 = free */
	uint32_t zero;
};

struct port {
	uint8_t up;
	uint8_t zero;
	uint8_t mac[6];
	uint32_t mtu;
};

struct tables {
	const struct fib4 *fib;
	const struct hop *hop;
	const struct host *host; /* open addressing, host_mask + 1 places */
	const struct fib6 *fib6;
	const struct host6 *host6;   /* open addressing, as host */
	const struct ip6 *gateway6;  /* of hop first6 .. first6 + n_gateways6 */
	const struct filter *filter; /* NULL: there are no rules */
	uint32_t n_hops;
	uint32_t host_mask;
	uint32_t host6_mask;
	uint32_t first6;
	uint32_t n_gateways6;
	uint32_t twins;       /* 1: Linux beside us hears what is for groups */
	struct gather gather; /* of packets that leave */
	uint8_t *used; /* by hop.neigh; relaxed bytes, set by fast paths */
	struct port vnic[VNIC_MAX_VNICS];
};

/* Longest match of one address: an index of t->hop. Context: any thread. */
uint16_t tables_route(const struct tables *t, uint32_t dst);
uint16_t tables_route6(const struct tables *t, struct ip6 dst);

#ifndef VNIC_FFI
/* The neighbour to hand a packet to that is for dst and has this hop. */
static inline struct ip6
tables_neighbour6(const struct tables *t, uint16_t hop, struct ip6 dst)
{
	unsigned i = hop - t->first6;

	return i < t->n_gateways6 ? t->gateway6[i] : dst;
}

static inline uint32_t
host_hash(uint32_t ip, uint32_t vnic)
{
	uint32_t h = (ip ^ vnic << 27) * UINT32_C(0x9e3779b1);

	return h ^ h >> 15;
}
#endif

#endif
