/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: what each step of a pipeline does to an imaginary packet, with the
 * tables that are in force. Nothing is sent, counted or learned.
 *
 * The steps that the router brings along are called where the caller is. Those
 * of an owner may do anything, so they run in a process of its own, a fork with
 * all that this one has; it is ended if it has not ended by itself soon.
 */
#ifndef ROUTER_TRACE_H
#define ROUTER_TRACE_H

#include "router/probe.h"
#include "router/script.h"

#include <sys/types.h>

enum trace_limits {
	TRACE_ROOM = 2048,    /* bytes of the frame, at most */
	TRACE_HEADROOM = 64,  /* before it */
	TRACE_MS = 3000,      /* for an owner's pipeline */
	TRACE_FORWARDED = 255 /* as a fate */
};

/* The packet after a step. */
struct trace_step {
	bool goes_on;
	bool changed; /* its bytes */
	uint8_t fate;
	uint8_t ttl;
	uint16_t hop;
};

/* All that is known at the end; without pointers, it goes through a pipe. */
struct trace_result {
	unsigned n_steps;
	struct trace_step step[PROBE_MAX_STEPS];
	uint8_t fate; /* or TRACE_FORWARDED */
	bool has_hop; /* the others are known */
	bool is6;
	uint16_t vnic;
	struct ip6 gateway; /* IPv4: ::ffff:a.b.c.d */
	uint8_t mac[6];
	char why[512]; /* it threw; "": it did not */
};

/* What the packet is. */
struct trace_packet {
	bool is6;
	struct ip6 src, dst; /* IPv4: ::ffff:a.b.c.d */
	unsigned vnic;       /* where it comes in */
	unsigned ttl;
	unsigned len; /* of the IP packet; 0 = as short as it can be */
	uint8_t protocol;
	uint16_t sport, dport;
	bool df;
};

struct trace {
	struct probe probe;
	struct path path;
	const struct tables *tables; /* borrowed */
	unsigned n_given;
	uint8_t room[TRACE_HEADROOM + TRACE_ROOM];
	uint8_t seen[TRACE_ROOM]; /* after the last step */
	struct trace_packet packet;
	struct trace_result result;

	pid_t pid; /* 0: it runs nowhere */
	int fd;
	uint64_t until_ms;
};

/*
 * Runs p through the steps of a pipeline in C (text NULL), at once, or through
 * the text, in another process: then trace_hear() says true when t->result is
 * there. Returns 0 or negative errno; -EMSGSIZE: len is too small or too large.
 */
int trace_begin(struct trace *t, const struct tables *tables,
    const struct trace_packet *p, const struct script_text *text);
bool trace_hear(struct trace *t);

/* Ends what runs. */
void trace_end(struct trace *t);

#endif
