/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count: what the router counts. Each thread has a set of its own, written by
 * it alone and read by anybody; statistics are sums over the sets. The first
 * counters are the fates of batch.h, under the same numbers.
 *
 * At rest, over all threads:
 *	rx = forwarded + the sum of all fates + gathered_lost
 * A packet for the slow path counts under its fate also if it then finds the
 * queue full (slow_overflow).
 */
#ifndef ROUTER_COUNT_H
#define ROUTER_COUNT_H

#include "router/batch.h"

#include <stdatomic.h>

enum counter {
	COUNT_RX = N_FATES,
	COUNT_FORWARDED,
	COUNT_SLOW_OVERFLOW, /* dropped: the slow path's queue was full */
	COUNT_GATHERED_LOST, /* their epoch ended before they were sent */

	COUNT_ARP_REQUEST_RECEIVED,
	COUNT_ARP_REPLY_RECEIVED,
	COUNT_ARP_BAD,      /* not understood, or no sane addresses */
	COUNT_ARP_IGNORED,  /* not for us, or not asked for */
	COUNT_ARP_CONFLICT, /* somebody else has our address */
	COUNT_ARP_REPLY_SENT,
	COUNT_ARP_ANNOUNCED,       /* our addresses, told to everybody */
	COUNT_ARP_REQUEST_SENT,    /* this and the next: enum neigh_counter */
	COUNT_ARP_LIMITED,         /* requests put off by the rate limit */
	COUNT_ARP_FAILED,          /* neighbours that did not answer */
	COUNT_ARP_TABLE_FULL,      /* packets: no room for the neighbour */
	COUNT_ARP_PENDING_DROPPED, /* packets: too many wait already */

	COUNT_ND_SOLICITATION_RECEIVED,
	COUNT_ND_ADVERTISEMENT_RECEIVED,
	COUNT_ND_BAD,
	COUNT_ND_IGNORED,
	COUNT_ND_CONFLICT,
	COUNT_ND_ADVERTISEMENT_SENT,
	COUNT_ND_ANNOUNCED,
	COUNT_ND_SOLICITATION_SENT, /* as of ARP */
	COUNT_ND_LIMITED,
	COUNT_ND_FAILED,
	COUNT_ND_TABLE_FULL,
	COUNT_ND_PENDING_DROPPED,

	COUNT_ICMP_ECHO_REPLY,
	COUNT_ICMP_TIME_EXCEEDED,
	COUNT_ICMP_NET_UNREACHABLE,
	COUNT_ICMP_HOST_UNREACHABLE,
	COUNT_ICMP_PROTOCOL_UNREACHABLE,
	COUNT_ICMP_PORT_UNREACHABLE,
	COUNT_ICMP_FRAG_NEEDED,
	COUNT_ICMP_SOURCE_ROUTE_FAILED,
	COUNT_ICMP_PROHIBITED, /* by the filter */
	COUNT_ICMP_PARAMETER_PROBLEM,
	COUNT_ICMP_REDIRECT,
	COUNT_ICMP_LIMITED,    /* errors not sent: rate limit */
	COUNT_ICMP_SUPPRESSED, /* errors not sent: RFC 1812, 4.3.2.7 */

	COUNT_ICMP6_ECHO_REPLY,
	COUNT_ICMP6_NO_ROUTE,
	COUNT_ICMP6_PROHIBITED,
	COUNT_ICMP6_BEYOND_SCOPE,
	COUNT_ICMP6_ADDRESS_UNREACHABLE,
	COUNT_ICMP6_PORT_UNREACHABLE,
	COUNT_ICMP6_PACKET_TOO_BIG,
	COUNT_ICMP6_TIME_EXCEEDED,
	COUNT_ICMP6_PARAMETER_PROBLEM,
	COUNT_ICMP6_REDIRECT,
	COUNT_ICMP6_LIMITED,
	COUNT_ICMP6_SUPPRESSED, /* RFC 4443, 2.4 (e) */

	COUNT_LOCAL_BAD,      /* to us, but malformed */
	COUNT_LOCAL_FRAGMENT, /* pieces to us */
	COUNT_REASSEMBLED,    /* packets to us that they made */
	COUNT_PIECES_REFUSED, /* they overlap, or are too many */
	COUNT_REASSEMBLY_TIMEOUT,
	COUNT_LOCAL_IGNORED, /* to us, and no answer is due */
	COUNT_SOURCE_ROUTE,  /* dropped: such options are not obeyed */
	COUNT_FRAGMENTED,    /* packets cut into pieces */
	COUNT_FRAGMENTS_MADE,

	COUNT_SLOW_FORWARDED, /* forwarded by the slow path */
	COUNT_SLOW_SENT,      /* all that it sent, its own ones too */
	COUNT_SLOW_DROPPED,   /* its packets without a way */
	COUNT_OVERTAKEN,      /* dropped: the fast path has the flow now */
	COUNT_NO_GRANT,       /* turns that found no empty slot to send in */
	COUNT_SLOW_TX_FULL,   /* dropped: too many wait for slots */

	COUNT_TWIN_UP,           /* handed to the kernel's twin */
	COUNT_TWIN_UP_DROPPED,   /* for it, but it had no room */
	COUNT_TWIN_DOWN,         /* sent by the kernel through its twin */
	COUNT_TWIN_DOWN_DROPPED, /* from it, and we had no room or no link */
	COUNT_TWIN_ANSWERED, /* its answers to what we have answered already */

	COUNT_TABLES, /* tables published */
	N_COUNTERS,
};

struct counters {
	_Atomic(uint64_t) n[N_COUNTERS];
};

/* Context: the thread that owns c. */
static inline void
count(struct counters *c, unsigned which, uint64_t n)
{
	/* one writer, no order: no read-modify-write instruction is needed */
	atomic_store_explicit(&c->n[which],
	    atomic_load_explicit(&c->n[which], memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* Context: any thread. */
static inline uint64_t
count_read(const struct counters *c, unsigned which)
{
	return atomic_load_explicit(&c->n[which], memory_order_relaxed);
}

/* The name that statistics use, at most 31 characters. */
const char *count_name(unsigned which);

#endif
