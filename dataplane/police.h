/* SPDX-License-Identifier: Apache-2.0 */
/*
 * police: how many packets and bits per second may pass. It drops, it never
 * delays: a packet that waits would hold a slot of everybody on its router.
 *
 * A limit is a token bucket: a tank that fills with the rate and is full with
 * burst_ms of it. A vNIC and its router each have a tank per direction; a
 * packet passes if every one of them has enough, and only then takes from them.
 * Over any time t at most rate * (t + burst_ms) passes; one packet that is more
 * than a whole burst passes when the tank is half full, and leaves a debt. The
 * last eighth of a tank is for urgent packets (the control queue's), so that a
 * flood of data does not make neighbours forget each other.
 *
 * The tanks outlive plans, so a change of a limit keeps their fill, and what is
 * above a lower brim is lost; a tank that is all zeros is full. What the limits
 * are is part of the plan and constant.
 *
 * Threads: every worker that serves a queue of the router uses the same tanks,
 * so that limits hold in sum. Time is claimed by one worker (an exchange of
 * last_us), tokens are subtracted at once; nobody waits. All workers may see the
 * same last tokens and take them: then the tank is in debt by a burst of each but
 * one at most, and pays it back. That a line is written by two workers is
 * the price of a limit in sum, paid once per burst and only under a limit.
 *
 * Tokens are packets or bits, times 10^6: whole microseconds times the rate per
 * second, so nothing is rounded and nothing is divided. Knows no DPDK.
 */
#ifndef DATAPLANE_POLICE_H
#define DATAPLANE_POLICE_H

#include "lib/wire.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum police_kind { POLICE_PPS, POLICE_BPS, POLICE_N_KINDS };
enum police_way { POLICE_RX, POLICE_TX, POLICE_N_WAYS };

enum police_limits {
	POLICE_MAX_BURST_MS = 1000,
	POLICE_MAX_LEVELS = 2, /* the vNIC's, and its router's */
	POLICE_MAX_PACKETS = 64,
};
#define POLICE_MAX_PPS UINT64_C(1000000000)
#define POLICE_MAX_BPS UINT64_C(1000000000000)

/* Of one vNIC or router in one direction; a cache line of its own. */
struct police_tank {
	/* (w) CLOCK_MONOTONIC up to which it is filled; 0 = never: full */
	_Alignas(64) _Atomic(uint64_t) last_us;
	_Atomic(int64_t) fill[POLICE_N_KINDS]; /* (w) < 0: a debt */
};

struct police_level {
	struct police_tank *tank;
	int64_t rate[POLICE_N_KINDS];  /* per second; 0 = no limit */
	int64_t depth[POLICE_N_KINDS]; /* tokens of a full tank */
};

/* All limits that a burst of one vNIC in one direction has to pass. */
struct police {
	unsigned n_levels;
	struct police_level level[POLICE_MAX_LEVELS];
};

struct police_burst {
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	const uint16_t *lens;
	unsigned n;   /* at most POLICE_MAX_PACKETS */
	unsigned max; /* how many there is room for behind */
	bool urgent;
};

struct police_verdict {
	uint64_t pass; /* a bit per packet */
	unsigned n_pass;
	unsigned n_drop[POLICE_N_KINDS];
	unsigned n_rest; /* that came after max: not judged */
};

/* Returns why these limits cannot be, or NULL. Zeros are no limit. */
const char *police_flaw(const struct wire_rates *r);

/* n tanks, all full, aligned; free() frees them. NULL without memory. */
struct police_tank *police_tanks(unsigned n);

/* One that was another's is full again. Context: no worker knows it. */
void police_fill(struct police_tank *t);

/*
 * The limits of one vNIC or router change from old to r: a kind that had none
 * begins full. Context: control; the plan with r is not in force yet, so no
 * worker looks at such a kind.
 */
void police_change(struct police_tank tank[POLICE_N_WAYS],
    const struct wire_rates *old, const struct wire_rates *r);

/* Adds a level if r has a limit in that direction; the tank is borrowed. */
void police_add(struct police *p, const struct wire_rates *r,
    enum police_way way, struct police_tank *tank);

/*
 * Judges the packets of a burst in order, and takes the tokens of those that
 * pass: none for one that finds no room. Context: worker, once per burst.
 */
void police_judge(const struct police *p, const struct police_burst *burst,
    struct police_verdict *out);

#endif
