/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icmp: what a router says about packets (RFC 792, RFC 1812 section 4.3), as
 * bytes. It decides nothing about routes and sends nothing.
 */
#ifndef ROUTER_ICMP_H
#define ROUTER_ICMP_H

#include "router/packet.h"

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
};

enum icmp_unreachable {
	ICMP_NET_UNREACHABLE = 0,
	ICMP_HOST_UNREACHABLE = 1,
	ICMP_PROTOCOL_UNREACHABLE = 2,
	ICMP_PORT_UNREACHABLE = 3,
	ICMP_FRAG_NEEDED = 4,
	ICMP_SOURCE_ROUTE_FAILED = 5,
	ICMP_PROHIBITED = 13, /* RFC 1812, 5.2.7.1 */
};

enum icmp_time { ICMP_TTL_EXPIRED = 0, ICMP_REASSEMBLY_TIME = 1 };

enum { ICMP_REDIRECT_HOST = 1 }; /* the only code of it, RFC 1812 5.2.7.2 */

enum icmp_limits {
	ICMP_BYTES = 8,
	ICMP_MAX_ERROR = 576, /* bytes of IP, RFC 1812 4.3.2.3 */
	ICMP_TTL = 64,
};

struct icmp_error {
	uint8_t type; /* enum icmp_type */
	uint8_t code;
	uint32_t rest; /* second word: MTU, pointer << 24, or a gateway */
	uint32_t src;  /* of the error, an address of ours */
	uint16_t id;
};

/*
 * May an error be sent about this packet? Not about ICMP errors, fragments but
 * the first, broadcasts, multicasts and sources that are no hosts (4.3.2.7).
 * ip has a valid header and len >= its total length.
 */
bool icmp_may_report(const uint8_t *ip);

/*
 * Makes the error about the packet at ip. Returns it to the caller, with room
 * for an Ethernet header, or NULL.
 */
struct packet *icmp_error_make(const struct icmp_error *e, const uint8_t *ip);

/*
 * Makes the reply to the echo request at ip, with its options; NULL if it is no
 * right one, or there is no memory. The caller has checked that it is ICMP and
 * whole.
 */
struct packet *icmp_reply_make(const uint8_t *ip, uint16_t id);

#endif
