/* SPDX-License-Identifier: Apache-2.0 */
/*
 * neigh: who has which MAC on the networks that we are connected to, for ARP
 * and for Neighbour Discovery (RFC 4861); a table of each. An IPv4 address is
 * in it as ::ffff:a.b.c.d.
 *
 *	state        leaves it by
 *	NONE         a packet for it -> ask -> ASKING
 *	ASKING       answer -> KNOWN; 3 requests 1 s apart, then 1 s -> FAILED
 *	KNOWN        60 s: unused -> NONE; used -> ask it alone -> PROBING
 *	PROBING      answer -> KNOWN; 3 requests 1 s apart, then 1 s -> FAILED
 *	FAILED       a packet, 1 s after the last one -> ASKING; 20 s -> NONE
 *
 * KNOWN and PROBING are in the tables of the fast paths. A MAC is learned only
 * from an answer to our question or from a neighbour that we already know, so
 * a stranger cannot fill the table. All is bounded: neighbours, packets that
 * wait (8 each, 256 in all), one request per second and neighbour, and 500
 * requests per second and vNIC. Who asks for all addresses of one network, or
 * answers for all of them, does not keep neighbours at other vNICs out: of a
 * full table each vNIC can have NEIGH_SHARE.
 *
 * It knows no protocol, no clock, no queue and no other thread: time is an
 * argument, and frames are made and leave through struct neigh_ops.
 */
#ifndef ROUTER_NEIGH_H
#define ROUTER_NEIGH_H

#include "router/bucket.h"
#include "router/count.h"
#include "router/iface.h"
#include "router/packet.h"
#include "router/snapshot.h"

enum neigh_limits {
	NEIGH_MAX = 2048,
	NEIGH_SHARE = NEIGH_MAX / VNIC_MAX_VNICS,
	NEIGH_MAX_PENDING = 8,
	NEIGH_MAX_ALL_PENDING = 256,
	NEIGH_TRIES = 3,
	NEIGH_RETRY_MS = 1000,
	NEIGH_REACHABLE_MS = 60000,
	NEIGH_FAILED_MS = 20000,
	NEIGH_PER_SECOND = 500, /* requests of a vNIC */
	NEIGH_BURST = 100,
	NEIGH_CHAINS = 1024,
};

enum neigh_state {
	NEIGH_NONE = 0,
	NEIGH_ASKING,
	NEIGH_KNOWN,
	NEIGH_PROBING,
	NEIGH_FAILED,
};

/* Both take the packet. */
struct neigh_io {
	/* Sends the frame through p->vnic; its Ethernet header is complete. */
	void (*send)(void *arg, struct packet *p);
	/* Nobody has the MAC for it. */
	void (*unreachable)(void *arg, struct packet *p);
};

/*
 * Makes the question for the MAC of ip, to everybody or to that MAC alone.
 * Returns 0 and the frame, -ENOMEM, or -EADDRNOTAVAIL: no address of ours to
 * ask with. self is the protocol's.
 */
typedef int (*neigh_question)(void *self, unsigned vnic, struct ip6 ip,
    const uint8_t *mac, struct packet **out);

struct neigh_entry {
	struct ip6 ip;
	uint16_t vnic;
	uint16_t next; /* in the chain of its hash; NEIGH_MAX = end */
	uint8_t state; /* enum neigh_state */
	uint8_t tries;
	uint8_t n_pending;
	uint8_t mac[6];
	uint64_t due_ms;
	uint64_t asked_ms; /* last request */
	struct packet *pending;
};

/* Set by the protocol: the first group; all else is private. */
struct neigh {
	const struct neigh_io *io;
	void *arg; /* of io */
	neigh_question question;
	void *self; /* of question */
	struct counters *count;
	unsigned first_counter; /* of five, see enum neigh_counter */
	uint8_t *used;          /* NEIGH_MAX marks, borrowed */

	const struct iface *iface;
	struct bucket bucket[VNIC_MAX_VNICS];
	bool changed;
	uint64_t next_ms;   /* nothing is due before */
	unsigned high;      /* entries ever used: a scan ends there */
	unsigned n_pending; /* packets, of all entries */
	uint16_t chain[NEIGH_CHAINS];
	struct neigh_entry entry[NEIGH_MAX];
};

/* From first_counter: COUNT_ARP_REQUEST_SENT or COUNT_ND_SOLICITATION_SENT. */
enum neigh_counter {
	NEIGH_COUNT_ASKED = 0,
	NEIGH_COUNT_LIMITED,
	NEIGH_COUNT_FAILED,
	NEIGH_COUNT_TABLE_FULL,
	NEIGH_COUNT_PENDING_DROPPED,
};

/* Prepares the private fields; the others are set and zero. */
void neigh_init(struct neigh *n);
void neigh_destroy(struct neigh *n);

/* VNIC_MAX_VNICS of them, borrowed; forgets neighbours of those not up. */
void neigh_set_ifaces(struct neigh *n, const struct iface *ifaces);

/* The entry, or NULL. */
struct neigh_entry *neigh_find(struct neigh *n, struct ip6 ip, unsigned vnic);

/* Is its MAC known? */
static inline bool
neigh_is_resolved(const struct neigh_entry *e)
{
	return e->state == NEIGH_KNOWN || e->state == NEIGH_PROBING;
}

/* The neighbour said what its MAC is; sends what waited. */
void neigh_learn(struct neigh *n, struct neigh_entry *e, const uint8_t *mac,
    uint64_t now_ms);

/* Sends p (taken, p->vnic set) to the neighbour ip, now or when it is known. */
void neigh_output(
    struct neigh *n, struct ip6 ip, struct packet *p, uint64_t now_ms);

/*
 * Somebody who knows says what the neighbour's MAC is; NULL: nobody knows any
 * more. It ages as if it had said so itself. Returns 0, -ENOSPC (all are good),
 * or -ENOENT.
 */
int neigh_tell(struct neigh *n, struct ip6 ip, unsigned vnic,
    const uint8_t *mac, uint64_t now_ms);

/* Copies all, at most NEIGH_MAX. Returns how many. */
unsigned neigh_snapshot(const struct neigh *n, bool is6,
    struct snapshot_neighbour *out, uint64_t now_ms);

/* Does what is due. Returns ms until more is, or UINT64_MAX. */
uint64_t neigh_tick(struct neigh *n, uint64_t now_ms);

/* True once after the resolved neighbours have changed. */
bool neigh_take_changed(struct neigh *n);

#endif
