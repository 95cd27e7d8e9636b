/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp_internal: what arp.c (the state machine) and arp_frame.c (the frames)
 * share.
 */
#ifndef ROUTER_ARP_INTERNAL_H
#define ROUTER_ARP_INTERNAL_H

#include "router/arp.h"
#include "router/bucket.h"

enum arp_state {
	ARP_NONE = 0,
	ARP_ASKING,
	ARP_KNOWN,
	ARP_PROBING,
	ARP_FAILED,
};

struct entry {
	uint32_t ip;
	uint16_t vnic;
	uint16_t next; /* in the chain of its hash; ARP_MAX = end */
	uint8_t state; /* enum arp_state */
	uint8_t tries;
	uint8_t n_pending;
	uint8_t mac[6];
	uint64_t due_ms;
	uint64_t asked_ms; /* last request */
	struct packet *pending;
};

enum { ARP_CHAINS = 1024 };

struct arp {
	const struct arp_ops *ops;
	void *arg;
	struct counters *count;
	const struct iface *iface;
	struct bucket bucket;
	bool changed;
	uint64_t next_ms;   /* nothing is due before */
	unsigned high;      /* entries ever used: a scan ends there */
	unsigned n_pending; /* packets, of all entries */
	uint16_t chain[ARP_CHAINS];
	uint8_t used[ARP_MAX];
	struct entry entry[ARP_MAX];
};

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

/* An ARP frame, understood. */
struct arp_msg {
	enum arp_op op;
	uint8_t sender_mac[6];
	uint32_t sender_ip;
	uint32_t target_ip;
};

/* False: not ARP for IPv4 over Ethernet, or a sender that cannot be. */
bool arp_parse(const uint8_t *frame, unsigned len, struct arp_msg *out);

/*
 * Makes a frame of ours for vNIC vnic; to is the MAC it goes to, NULL =
 * everybody. Returns it to the caller, or NULL.
 */
struct packet *arp_frame(const struct iface *iface, unsigned vnic,
    const struct arp_msg *m, const uint8_t *to);

#endif
