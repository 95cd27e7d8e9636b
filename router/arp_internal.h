/* SPDX-License-Identifier: Apache-2.0 */
/* arp_internal: what arp.c (who says what) and arp_frame.c (frames) share. */
#ifndef ROUTER_ARP_INTERNAL_H
#define ROUTER_ARP_INTERNAL_H

#include "router/arp.h"

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
