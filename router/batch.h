/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: up to 64 frames on their way through the modules, and what became of
 * each. Drop-out batching: nothing is moved; a frame that a module takes out
 * loses its bit in alive and gets a fate, the others stay where they are.
 *
 * Fates below FATE_N_DROPS end the packet here; the others hand a copy of it to
 * the slow path. A module must not change a frame to which it gives a fate:
 * the slow path wants to see the packet as it came.
 *
 * ether_in parts the two protocols: alive is IPv4 from there on, and alive6 is
 * IPv6, until rewrite joins them.
 *
 * Plain arrays and enums, so that the text is fit for a foreign function
 * interface (router/script_api.h).
 */
#ifndef ROUTER_BATCH_H
#define ROUTER_BATCH_H

#include "lib/vnic_frame.h"
#ifndef VNIC_FFI
#include "lib/vnic.h"
#endif

enum batch_limits {
	BATCH_MAX = 64, /* bits of alive */
};

enum fate {
	FATE_RUNT = 0,       /* shorter than an Ethernet header */
	FATE_FOREIGN_MAC,    /* to a MAC that is not ours */
	FATE_GROUP_MAC,      /* IP in a link-layer broadcast or multicast */
	FATE_ETHERTYPE,      /* neither IP nor ARP */
	FATE_SHORT,          /* RFC 1812 5.2.2 (1): less than a header */
	FATE_CHECKSUM,       /* (2) */
	FATE_VERSION,        /* (3) */
	FATE_IHL,            /* (4) */
	FATE_TOTAL_LENGTH,   /* (5), or more than the frame holds */
	FATE_MARTIAN_SOURCE, /* RFC 1812 5.3.7 */
	FATE_MARTIAN_DESTINATION,
	FATE_MULTICAST, /* no multicast routing */
	FATE_BROADCAST, /* limited or directed */
	FATE_VNIC_DOWN, /* the way out is down */
	FATE_DENIED,    /* by a rule of the filter, without a word */
	FATE_PIPELINE,  /* a step of the owner's took it out */
	FATE_THROW,     /* was in the batch when the owner's pipeline failed */
	FATE_N_DROPS,
	FATE_ARP = FATE_N_DROPS,
	FATE_ND,       /* ARP's successor */
	FATE_LOCAL,    /* to an address of ours */
	FATE_OPTIONS,  /* of the header, or a hop-by-hop header */
	FATE_REJECTED, /* by a rule of the filter, which says so */
	FATE_SCOPE,    /* from a link-local address to beyond the link */
	FATE_TTL,      /* TTL expired */
	FATE_NO_ROUTE,
	FATE_UNRESOLVED, /* the next hop's MAC is not known */
	FATE_OVERSIZE,   /* above the MTU, and may be fragmented */
	FATE_TOO_BIG,    /* above the MTU, and must not be fragmented */
	N_FATES,
	/* none of them: a copy of a packet that leaves where it came in */
	FATE_REDIRECT = N_FATES,
};

struct probe;

struct batch {
	uint64_t alive;  /* bit i: frame i goes on */
	uint64_t alive6; /* the same for IPv6, until rewrite() */
	uint32_t n;
	uint32_t came; /* bit v: some came in through vNIC v */
	struct vnic_frame frame[BATCH_MAX];
	uint32_t dst[BATCH_MAX]; /* check_ip4: destination, host order */
	uint16_t hop[BATCH_MAX]; /* lookup: index into tables->hop */
	uint8_t fate[BATCH_MAX]; /* enum fate, where alive is 0 */
	struct probe *probe;     /* NULL: nobody looks (probe.h) */
};

#ifndef VNIC_FFI
/* Starts over with the n frames that are in b->frame. */
static inline void
batch_begin(struct batch *b, unsigned n)
{
	b->n = n;
	b->alive = n == BATCH_MAX ? UINT64_MAX : (UINT64_C(1) << n) - 1;
	b->alive6 = 0;
}

static inline void
batch_drop(struct batch *b, unsigned i, enum fate fate)
{
	b->alive &= ~(UINT64_C(1) << i);
	b->fate[i] = (uint8_t)fate;
}

static inline void
batch_drop6(struct batch *b, unsigned i, enum fate fate)
{
	b->alive6 &= ~(UINT64_C(1) << i);
	b->fate[i] = (uint8_t)fate;
}

static inline bool
batch_any(const struct batch *b)
{
	return (b->alive | b->alive6) != 0;
}

/* Walks mask: the lowest frame, and mask without it. */
static inline unsigned
batch_pop(uint64_t *mask)
{
	unsigned i = (unsigned)__builtin_ctzll(*mask);

	*mask &= *mask - 1;
	return i;
}
#endif

#endif
