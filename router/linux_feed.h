/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_feed: what the container's kernel knows, for the fast path: routes,
 * which daemons write there, and neighbours. It comes by events; nothing is
 * polled.
 *
 *	begin             ->  the whole table is asked for: links, routes of both
 *	                      families, neighbours; events wait meanwhile
 *	an event          ->  linux_routes.h, then told to the sink
 *	events are lost,  ->  the whole table again, compared with what we have:
 *	or may be            only what differs is told. That is when the socket
 *	                      was full, when a link went down or an address away
 *	                      (the kernel then removes routes without a word), and
 *	                      when one of several ways of a route has gone
 *
 * A link is the vNIC whose name it has. The sink may refuse: it is asked again
 * by linux_feed_push().
 *
 * It belongs to the main thread. Nothing in it blocks.
 */
#ifndef ROUTER_LINUX_FEED_H
#define ROUTER_LINUX_FEED_H

#include "lib/vnic_abi.h"
#include "router/linux_routes.h"

#include <poll.h>

enum linux_feed_limits {
	LINUX_FEED_FDS = 2,
	LINUX_FEED_MAX_LINKS = 64,
	LINUX_FEED_MAX_STATIC = 1024, /* neighbours that were typed in */
	LINUX_FEED_MAX_WAITING = 256, /* neighbours that nobody takes */
	LINUX_FEED_BURST = 64,        /* buffers of events in one turn */
	LINUX_FEED_AGAIN_MS = 50,     /* between two whole tables */
	LINUX_FEED_ANSWER_MS = 2000,  /* the kernel is silent: ask anew */
	LINUX_FEED_REPEAT_MS = 30000, /* static neighbours are told again */
};

struct linux_neighbour {
	struct ip6 ip; /* IPv4: ::ffff:a.b.c.d */
	uint8_t vnic;
	bool is_gone;
	uint8_t mac[6];
};

/* Both return false if they have no room now; then all is as before. */
struct linux_sink {
	bool (*route)(void *arg, const struct linux_route *r);
	bool (*neighbour)(void *arg, const struct linux_neighbour *n);
};

enum linux_dump {
	LINUX_DUMP_LINKS,
	LINUX_DUMP_ROUTES4,
	LINUX_DUMP_ROUTES6,
	LINUX_DUMP_NEIGHBOURS,
	LINUX_DUMP_NONE, /* there is none on its way */
};

struct linux_link {
	uint32_t index;
	uint8_t vnic; /* or LINUX_NO_VNIC */
	uint8_t mark; /* of the dump in which it was last seen */
	bool is_up;
	char name[NETLINK_NAME];
};

struct linux_static {
	uint32_t link;
	uint8_t mark;
	struct linux_neighbour neighbour;
};

struct linux_feed {
	int events;   /* -1: off */
	int requests; /* for whole tables */
	const struct linux_sink *sink;
	void *arg;
	struct linux_routes *routes;
	uint8_t *buf;
	char name[VNIC_MAX_VNICS][NETLINK_NAME]; /* "" = no vNIC */

	enum linux_dump dump;
	uint32_t sequence;
	bool again;        /* a whole table is wanted */
	bool is_spoilt;    /* the one on its way changed while it was told */
	bool was_full;     /* we could not keep a route, and said so */
	uint64_t asked_ms; /* the last question */
	uint64_t told_ms;  /* static neighbours, the last time */
	uint64_t n_dumps;
	uint64_t n_lost; /* times that events were lost */

	uint8_t mark;
	unsigned n_links;
	unsigned n_static;
	unsigned n_waiting;
	struct linux_link link[LINUX_FEED_MAX_LINKS];
	struct linux_static fixed[LINUX_FEED_MAX_STATIC];
	struct linux_neighbour waiting[LINUX_FEED_MAX_WAITING];
};

/*
 * Starts, from zeros or after a stop, with two descriptors (taken), of
 * netlink_open(true) and (false); -1 = opens them. Borrows sink. Returns 0 or
 * negative errno.
 */
int linux_feed_open(struct linux_feed *f, int events, int requests,
    const struct linux_sink *sink, void *arg);
void linux_feed_close(struct linux_feed *f);

/*
 * Listens no more: all that it has told is told to be gone. May be opened again.
 */
void linux_feed_stop(struct linux_feed *f);
static inline bool
linux_feed_is_open(const struct linux_feed *f)
{
	return f->routes && f->events >= 0;
}

/* The names of all vNICs, as configured. */
void linux_feed_set_names(
    struct linux_feed *f, char name[VNIC_MAX_VNICS][NETLINK_NAME]);

/* LINUX_FEED_FDS places for poll(), and for how long it may wait (-1 = ever). */
void linux_feed_poll(const struct linux_feed *f, struct pollfd *fds);
int linux_feed_timeout(const struct linux_feed *f, uint64_t now_ms);

/* Does what is due, after each poll(). */
void linux_feed_turn(struct linux_feed *f, uint64_t now_ms);

/* The sink has room again. */
void linux_feed_push(struct linux_feed *f);

#endif
