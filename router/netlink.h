/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink: the language of the kernel about links, routes and neighbours
 * (rtnetlink(7)), both ways; the only place that knows its headers. It keeps
 * nothing and decides nothing: linux_feed.c does with what is heard, and taps.c
 * says what the twins should be.
 *
 * The kernel of the container is trusted, but what it says was typed in by the
 * tenant, and a socket may hand out anything: every length is checked before
 * what it counts is read, and a message that is not understood is skipped as a
 * whole. IPv4 addresses are ::ffff:a.b.c.d.
 */
#ifndef ROUTER_NETLINK_H
#define ROUTER_NETLINK_H

#include "router/ip6.h"

enum netlink_limits {
	NETLINK_BUFFER = 32768,    /* a kernel's message is not longer */
	NETLINK_RECEIVE = 1 << 20, /* bytes of events that may wait */
	NETLINK_NAME = 16,
};

enum nl_kind {
	NL_SKIPPED, /* of no concern to us, or not understood */
	NL_ROUTE,
	NL_NEIGHBOUR,
	NL_LINK,
	NL_ADDRESS, /* of a link; with it may go routes, without a word */
	NL_DONE,    /* of a dump; error is what went wrong, or 0 */
	NL_ERROR,   /* the answer to a request: error, 0 = it is done */
};

/* What becomes of a packet. */
enum nl_way {
	NL_VIA,         /* to a gateway, or on the link if via is zero */
	NL_LOCAL,       /* it is for us */
	NL_BLACKHOLE,   /* dropped without a word */
	NL_UNREACHABLE, /* dropped; its sender is told */
};

/* Of the tables main and local. */
struct nl_route {
	struct ip6 prefix; /* no bits behind len */
	struct ip6 via;
	uint32_t metric; /* the lowest wins */
	uint32_t link;   /* index; 0 = none */
	bool is6;
	bool is_shared; /* it has more ways than this one */
	uint8_t len;    /* 0..32, 0..128 */
	uint8_t way;    /* enum nl_way */
};

struct nl_neighbour {
	struct ip6 ip;
	uint32_t link;
	uint8_t mac[6];
	bool is_usable; /* confirmed, or typed in; has a MAC */
	bool is_static; /* typed in: it does not age */
};

struct nl_link {
	uint32_t index;
	bool is_up; /* administratively */
	char name[NETLINK_NAME];
};

struct nl_msg {
	enum nl_kind kind;
	bool is_gone;    /* deleted */
	bool is_instead; /* of all with the same prefix and metric */
	bool is_cut;     /* the dump that it is of has changed meanwhile */
	uint32_t sequence;
	int error; /* 0 or negative errno */
	union {
		struct nl_route route;
		struct nl_neighbour neighbour;
		struct nl_link link;
	} u;
};

/* Bytes that came, in which messages lie one after the other. */
struct nl_reader {
	const uint8_t *at;
	size_t left;
};

/*
 * The next message. Returns 1, 0 = that was all, or -EBADMSG: the bytes are no
 * netlink messages from here on.
 */
int netlink_next(struct nl_reader *r, struct nl_msg *out);

/* --- sockets -------------------------------------------------------------- */

/*
 * A socket, non-blocking; events: it hears of changes of links, routes and
 * neighbours. Returns its descriptor or negative errno.
 */
int netlink_open(bool events);

/*
 * Reads what has come into buf[NETLINK_BUFFER]. Returns its bytes, -EAGAIN,
 * -ENOBUFS (something was lost) or another negative errno.
 */
int netlink_receive(int fd, uint8_t *buf);

enum nl_table { NL_LINKS, NL_ROUTES4, NL_ROUTES6, NL_NEIGHBOURS };

/* Asks for a whole table. Returns 0 or negative errno. */
int netlink_dump(int fd, enum nl_table which, uint32_t sequence);

/* --- changes of links, each answered by the kernel ------------------------ */

struct nl_address {
	struct ip6 ip;
	bool is6;
	uint8_t len;
};

/* What a link should be. */
struct nl_setting {
	uint32_t index;
	uint32_t mtu;
	uint8_t mac[6];
	bool is_up;
	bool has_ip6; /* a link-local address is made from the MAC, or none */
};

/* All wait for the answer. Return 0 or negative errno. */
int netlink_set_link(int fd, const struct nl_setting *s);
int netlink_add_address(int fd, uint32_t link, const struct nl_address *a);
int netlink_delete_address(int fd, uint32_t link, const struct nl_address *a);

/*
 * A route of the table main, by a gateway or (via is zero) on its link; link 0:
 * the kernel finds it by the gateway. It takes the place of one of the same
 * prefix. Its way and metric do not matter.
 */
int netlink_add_route(int fd, const struct nl_route *r);
int netlink_delete_route(int fd, const struct nl_route *r);

#endif
