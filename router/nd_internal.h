/* SPDX-License-Identifier: Apache-2.0 */
/* nd_internal: what nd.c (who says what) and nd_frame.c (frames) share. */
#ifndef ROUTER_ND_INTERNAL_H
#define ROUTER_ND_INTERNAL_H

#include "router/nd.h"

enum nd_type {
	ND_ROUTER_SOLICITATION = 133,
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_SOLICITATION = 135,
	ND_ADVERTISEMENT = 136,
	ND_REDIRECT = 137,
};

/* A message about the neighbour target, understood or to be made. */
struct nd_msg {
	enum nd_type type;
	bool solicited;
	bool override;
	bool has_mac;
	uint8_t mac[6]; /* of the option: source's or target's */
	struct ip6 src;
	struct ip6 dst;
	struct ip6 target;
};

/*
 * The message in a frame whose IPv6 header is right. Returns 0, -EBADMSG: what
 * RFC 4861, 7.1 forbids, or -ENOMSG: of a type that is not for us.
 */
int nd_parse(const uint8_t *frame, struct nd_msg *out);

/*
 * Makes a frame of ours for vNIC vnic, with our MAC in its option; to is the MAC
 * it goes to if dst is no group. Returns it to the caller, or NULL.
 */
struct packet *nd_frame(const struct iface *iface, unsigned vnic,
    const struct nd_msg *m, const uint8_t *to);

#endif
