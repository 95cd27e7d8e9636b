/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icmp6: what a router says about IPv6 packets (RFC 4443), as bytes. It decides
 * nothing about routes and sends nothing.
 */
#ifndef ROUTER_ICMP6_H
#define ROUTER_ICMP6_H

#include "router/packet.h"

enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_PACKET_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER_PROBLEM = 4,
	ICMP6_FIRST_INFORMATION = 128, /* errors are below */
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_REDIRECT = 137,
};

enum icmp6_unreachable {
	ICMP6_NO_ROUTE = 0,
	ICMP6_PROHIBITED = 1,
	ICMP6_BEYOND_SCOPE = 2,
	ICMP6_ADDRESS_UNREACHABLE = 3,
	ICMP6_PORT_UNREACHABLE = 4,
};

enum icmp6_time { ICMP6_HOPS_EXCEEDED = 0, ICMP6_REASSEMBLY_TIME = 1 };

enum icmp6_problem {
	ICMP6_WRONG_FIELD = 0,
	ICMP6_UNKNOWN_NEXT = 1,
	ICMP6_UNKNOWN_OPTION = 2,
};

enum icmp6_limits {
	ICMP6_BYTES = 8,
	ICMP6_MAX_ERROR = 1280, /* bytes of IPv6: the smallest MTU */
	ICMP6_HOP_LIMIT = 64,
};

struct icmp6_error {
	uint8_t type; /* enum icmp6_type */
	uint8_t code;
	uint32_t rest;  /* MTU, or offset of what is wrong */
	struct ip6 src; /* of the error, an address of ours */
};

/*
 * May this error be sent about this packet? Not about ICMPv6 errors and
 * redirects, nor about what came from no single host or went to a group, but
 * for two kinds (2.4 (e)). ip has a valid header, and all of the packet.
 */
bool icmp6_may_report(const struct icmp6_error *e, const uint8_t *ip);

/*
 * Makes the error about the packet at ip. Returns it to the caller, with room
 * for an Ethernet header, or NULL.
 */
struct packet *icmp6_error_make(const struct icmp6_error *e, const uint8_t *ip);

/*
 * Makes the reply from src to the packet at ip whose n bytes at echo are an echo
 * request, checksum right. Returns it to the caller, or NULL.
 */
struct packet *icmp6_reply_make(
    const uint8_t *ip, const uint8_t *echo, unsigned n, struct ip6 src);

/*
 * What is wrong with the options of the hop-by-hop or destination header at
 * at (from ip, bytes long)? Fills in e and returns -EBADMSG: an error is due,
 * or -ENOMSG: it is to be dropped without one; or returns 0.
 */
int icmp6_check_options(
    const uint8_t *ip, unsigned at, unsigned bytes, struct icmp6_error *e);

#endif
