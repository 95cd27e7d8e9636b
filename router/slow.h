/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow: the slow path, one thread: ARP and ND, ICMP, packets to ourselves, with
 * options, to be cut in pieces, that wait for a MAC, and the tables that the
 * fast paths use. It serves the control queue with the same pipeline as a fast
 * path; exceptions of all pipelines, its own included, come to it through their
 * punt queues.
 *
 * It sleeps on the control queue and its bell; while nothing is pending that is
 * one wake-up per second.
 */
#ifndef ROUTER_SLOW_H
#define ROUTER_SLOW_H

#include "router/arp.h"
#include "router/bucket.h"
#include "router/filter_rules.h"
#include "router/icmp.h"
#include "router/nd.h"
#include "router/pipeline.h"
#include "router/publish.h"
#include "router/reassemble.h"
#include "router/snapshot.h"
#include "router/twins.h"
#include "router/update.h"

enum slow_limits {
	SLOW_MAX_TX = 256, /* frames that wait for empty slots */
	SLOW_BURST = 64,   /* exceptions per pipeline and turn */
	SLOW_ICMP_PER_SECOND = 100,
	SLOW_ICMP_BURST = 50,
};

struct slow {
	/* shared; by whom is at each field */
	struct publish publish;          /* (slow) writes, fast paths read */
	struct bell bell;                /* (slow) sleeps, all ring */
	_Atomic(struct plan *) new_plan; /* (main) gives, (slow) takes */
	struct update *update;           /* borrowed; NULL: nobody has any */
	struct snapshot *snapshot;       /* likewise */
	_Atomic(uint64_t) generation;    /* (slow) of the plan in force */
	_Atomic(bool) stop;              /* (main) */
	struct filter_hits hits;         /* all add, main reads */
	_Atomic(struct twins *) twins;   /* (main) NULL: none wanted yet */
	uint8_t used[2 * NEIGH_MAX];     /* marks: of ARP's, then of ND's */

	/* (slow) */
	struct vnic *vnic;
	struct vnic_queue *queue; /* the control queue */
	struct pipeline *paths;   /* of all queues; the last is our own */
	unsigned n_paths;
	struct counters *count; /* of our own pipeline */
	struct plan *plan;
	const struct tables *tables;
	struct arp *arp;
	struct nd *nd;
	struct iface iface[VNIC_MAX_VNICS];
	struct bucket icmp_errors;
	struct bucket icmp6_errors;
	const struct punt_record *came; /* what slow_input() looks at */
	struct reassembly *pieces;      /* of packets to us */
	bool stale;                     /* tables are to be made anew */
	bool running;                   /* the epoch runs: slots may be used */
	unsigned n_changed; /* routes, since the last new tables for them */
	uint32_t config;    /* last seen of vnic_config() */
	uint64_t now_ms;
	uint16_t ip_id;
	uint32_t ip6_id;   /* of packets of ours in pieces */
	struct packet *tx; /* frames that wait for slots */
	struct packet **tx_tail;
	unsigned n_tx;
	unsigned tx_wait_ms; /* grows while there are no slots */
};

/*
 * Prepares s for the control queue of v and paths[n]; the last of these becomes
 * its own. Publishes tables without routes. Returns 0 or negative errno.
 */
int slow_init(
    struct slow *s, struct vnic *v, struct pipeline *paths, unsigned n);
void slow_destroy(struct slow *s);

/* Hands over a plan (taken). Context: main thread. */
void slow_give_plan(struct slow *s, struct plan *p);

/* Ends slow_run() soon. Context: any thread. */
void slow_stop(struct slow *s);

/* Works until the set is over or slow_stop(). Context: slow. */
void slow_run(struct slow *s);

/* --- slow_twins.c: what concerns Linux beside us -------------------------- */

/* After new tables: the twins that there should be. */
void slow_twins_update(struct slow *s);

/* A copy for Linux of what is ours as well, if it is there. */
void slow_twins_copy(struct slow *s, const uint8_t *frame);

/* The packet at ip, which came to us: true if it is Linux's and not ours. */
bool slow_twins_take4(struct slow *s, const uint8_t *ip);
bool slow_twins_take6(struct slow *s, const uint8_t *ip);

/* An IPv4 packet to a group of the link; it has not been looked at yet. */
void slow_twins_control(struct slow *s, const uint8_t *frame);

/* Sends what Linux says. Returns how many. */
unsigned slow_twins_drain(struct slow *s);
bool slow_twins_have_work(const struct slow *s);

/* --- between slow.c and slow_update.c ------------------------------------- */

/* The gateways of the next changes of a batch; s->stale: some are new. */
void slow_update_begin(struct slow *s);

/* Carries these changes out; the tables in force have their gateways. */
void slow_update(struct slow *s);

/* --- between slow.c, slow_*.c and slow6*.c ------------------ */

/* What a pipeline has taken out; frame is r->len bytes. */
void slow_input(
    struct slow *s, const struct punt_record *r, const uint8_t *frame);
void slow_input6(
    struct slow *s, const struct punt_record *r, const uint8_t *frame);

/* The fate of one that was taken out before its rules were asked. */
unsigned slow_judge(
    struct slow *s, unsigned fate, unsigned vnic, const uint8_t *ip);

/* A copy on the heap of the datagram at ip, behind room for Ethernet. */
struct packet *slow_copy(const uint8_t *ip, unsigned total, unsigned type);

/*
 * Routes p (taken), a complete IP packet at ETH_BYTES, and sends it, in pieces if
 * it is too long.
 */
void slow_route(struct slow *s, struct packet *p);

/*
 * The same for IPv6; vnic is the link of a link-local destination. Only a packet
 * of ours may be too long.
 */
void slow_route6(struct slow *s, struct packet *p, unsigned vnic);

/* Nobody has the MAC for p. */
void slow_unreachable6(struct slow *s, const struct packet *p);

/* The address of ours that speaks through vNIC i to dst; 0 = none at all. */
uint32_t slow_source(const struct slow *s, unsigned i, uint32_t dst);

/* Is ip ours? arg is a struct slow. */
bool slow_owns(void *arg, uint32_t ip);

/* An error about the packet at ip, if one is allowed. which counts it. */
void slow_icmp_error(struct slow *s, const uint8_t *ip,
    const struct icmp_error *e, enum counter which);

/*
 * A piece of a packet to us, IPv4 at ip or at w's fragment header: returns the
 * whole packet to the caller if it was the last one that was missing, or NULL.
 */
struct packet *slow_join4(struct slow *s, const uint8_t *ip, unsigned vnic);
struct packet *slow_join6(
    struct slow *s, const struct ip6_walk *w, unsigned vnic);

/* Gives up pieces that have waited too long. Returns ms to the next time. */
uint64_t slow_expire_pieces(struct slow *s);

/* Queues a complete frame (taken) for p->vnic. */
void slow_send(struct slow *s, struct packet *p);

/* Sends what waits, as far as there are empty slots. */
void slow_flush(struct slow *s);

/*
 * Drops what waits of flows that the fast path forwards from now on: lost is
 * better than late, the order within a flow is kept.
 */
void slow_drop_early(struct slow *s);

#endif
