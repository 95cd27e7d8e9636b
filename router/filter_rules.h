/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter_rules: rules over the vNIC, the addresses, the protocol and the ports of a
 * packet. The first that matches decides; a packet that none matches passes. A
 * filter is built whole and never changed; what it counts is kept elsewhere, by
 * the numbers of the rules, and so outlives it.
 *
 * Rules are asked one after the other; many of them are better asked by an engine
 * that finds the rules of a burst at once (struct filter_engine).
 *
 * A piece of a packet that does not hold the ports matches no rule that asks for
 * them, and a packet whose protocol cannot be found none that asks for that.
 */
#ifndef ROUTER_FILTER_RULES_H
#define ROUTER_FILTER_RULES_H

#ifndef VNIC_FFI
#include "router/ip6.h"

#include <stdatomic.h>
#endif

enum filter_limits {
	FILTER_MAX_RULES = 128,
	FILTER_ANY_VNIC = 0xff,
	FILTER_ANY_PROTOCOL = 0xff,
};

enum filter_action {
	FILTER_PERMIT = 0,
	FILTER_DENY = 1,   /* without a word */
	FILTER_REJECT = 2, /* with ICMP: administratively prohibited */
};

struct filter_net {
	struct ip6 ip; /* IPv4: ::ffff:a.b.c.d, and len is 96 more */
	uint8_t len;
};

struct filter_rule {
	uint8_t number; /* 1..FILTER_MAX_RULES; the order, and its counter */
	uint8_t action; /* enum filter_action */
	uint8_t family; /* 4, 6, 0 = both */
	uint8_t vnic;   /* where it came in */
	uint8_t protocol;
	uint8_t zero;
	uint16_t sport[2]; /* first and last; 0..65535 = not asked for */
	uint16_t dport[2];
	struct filter_net src;
	struct filter_net dst;
};

#ifndef VNIC_FFI
/* All threads add, anybody reads; relaxed, they order nothing. */
struct filter_hits {
	_Atomic(uint64_t) packets[FILTER_MAX_RULES + 1];
};

struct filter_key;

/* Who finds rules otherwise, with the same answers. */
struct filter_engine {
	/* 0 and the rules prepared, or negative errno */
	int (*make)(const struct filter_rule *rules, unsigned n, void **out);
	void (*free)(void *prepared);
	/* number of the first match of each of 1 to 64 keys of one family, 0 =
	 * none */
	void (*find)(const void *prepared, const struct filter_key *keys,
	    uint8_t *numbers, unsigned n);
};

struct filter {
	unsigned n;
	unsigned n_refs;          /* the slow path's own book-keeping */
	struct filter_hits *hits; /* borrowed; NULL: nobody counts */
	const struct filter_engine *engine;   /* NULL: one after the other */
	void *prepared;                       /* the engine's */
	uint8_t action[FILTER_MAX_RULES + 1]; /* by number */
	struct filter_rule rule[];
};

/*
 * The n rules in the order of their numbers. Returns 0 and the filter with
 * n_refs = 1 to the caller, NULL if n is 0; or -ENOMEM. An engine NULL: none.
 */
int filter_make(
    const struct filter_rule *rules, unsigned n, struct filter **out);
int filter_make_by(const struct filter_engine *engine,
    const struct filter_rule *rules, unsigned n, struct filter **out);
void filter_put(struct filter *f); /* NULL is allowed */

/* What the rules ask of a packet. */
struct filter_key {
	struct ip6 src, dst;
	uint16_t sport, dport;
	uint8_t family;
	uint8_t vnic;
	uint8_t protocol; /* FILTER_ANY_PROTOCOL: not known */
	bool has_ports;
};

/* A packet whose header has been checked. */
void filter_read4(struct filter_key *k, const uint8_t *ip, unsigned vnic);
void filter_read6(struct filter_key *k, const uint8_t *ip, unsigned vnic);

/* The first rule that matches, or NULL. */
const struct filter_rule *filter_find(
    const struct filter *f, const struct filter_key *k);

/* Of a single packet: what its rule says, counted. Context: any thread. */
enum filter_action filter_judge(
    const struct filter *f, const uint8_t *ip, unsigned vnic);
#endif

#endif
