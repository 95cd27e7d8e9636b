/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_lab: router_rig.h with a configuration and two hosts: A, 198.18.0.2,
 * at eth0, and B, 198.18.1.7, at eth1, the gateway to 198.19.0.0/16.
 */
#ifndef TESTS_ROUTER_LAB_H
#define TESTS_ROUTER_LAB_H

#include "tests/unit/router_rig.h"

#define ETH0 "0a:00:00:00:00:01"
#define ETH1 "0a:00:00:00:00:02"
#define HOST_A "0e:00:00:00:00:aa" /* 198.18.0.2 at eth0 */
#define HOST_B "0e:00:00:00:00:bb" /* 198.18.1.7 at eth1 */
#define CONF                                   \
	"generation 7\nhostname r1\n"          \
	"vnic 0 eth0 mac " ETH0 " mtu 1500\n"  \
	"address eth0 198.18.0.1/24\n"         \
	"address eth0 2001:db8::1/64\n"        \
	"vnic 1 eth1 mac " ETH1 " mtu 1500\n"  \
	"address eth1 198.18.1.1/24\n"         \
	"route 198.19.0.0/16 via 198.18.1.7\n" \
	"route 192.0.2.0/24 via 198.18.0.2 dev eth0\n"
#define END "end\n"

enum { IP = 0x0800, ARP = 0x0806, IP6 = 0x86dd, SOON_MS = 3000 };

/* For cmocka; *state is a struct router_rig. The MTU of eth1 is 1400. */
int lab_set_up(void **state);
int lab_tear_down(void **state);

/* Starts the router and takes its announcements. */
void lab_start(struct router_rig *r);

/* Answers the request for ip that must be waiting at vNIC i. */
void lab_answer_arp(
    struct router_rig *r, unsigned i, const char *ip, const char *mac);

/*
 * Takes the next IPv6 frame out of vNIC i: a message of this type, 135 asks and
 * 136 tells, about the neighbour target.
 */
void lab_expect_nd(
    struct router_rig *r, unsigned i, unsigned type, const char *target);

/* Asserts that o is in, forwarded: TTL, checksum, and these MACs. */
void lab_expect_forwarded(const struct rig_out *o, const struct frame *in,
    const char *dst, const char *src);

/* A packet from A to behind B. */
struct frame_spec lab_towards_b(void);

/* Makes host B's MAC known to the fast path. */
void lab_resolve_b(struct router_rig *r);
/* Host A's MAC is asked for on the way of the first answer to it. */
void lab_resolve_a(struct router_rig *r);

/* The router must say type, code and rest about f to host A, and quote it. */
void lab_expect_error(struct router_rig *r, const struct frame *f,
    unsigned type, unsigned code, uint32_t rest);

#endif
