/* SPDX-License-Identifier: Apache-2.0 */
/*
 * impair: one direction of a link that is worse than a wire: it delays, loses,
 * doubles, lets overtake, and has a rate. Packets wait here in host memory,
 * copied: the slot they came in is free again at once.
 *
 *	offered --> lost? --> room? --> rate --> [express: overtakes  ] --> due
 *	                                 |       [ | | | |  in order  ]
 *	                                 \-- a copy of it, right behind
 *
 * What happens to packet n follows from (seed, n) alone: each question that is
 * asked of chance hashes both and its own name, so that a change of the delay
 * does not move the losses. A new seed begins at packet 0.
 *
 * Order is kept but by what is to overtake: jitter alone never reorders, so what
 * waits is two queues and not a heap. The number that waits is bounded; memory
 * is touched when it is first needed, and what was used last is used next. What
 * a longer queue needed goes back as soon as nothing waits in a shorter one.
 *
 * One thread uses an impair: the worker at home. Knows no DPDK.
 */
#ifndef DATAPLANE_IMPAIR_H
#define DATAPLANE_IMPAIR_H

#include "lib/wire.h"

#include <stdbool.h>

enum impair_fate {
	IMPAIR_KEPT,
	IMPAIR_LOST, /* impair_loss */
	IMPAIR_FULL, /* impair_queue */
};

#define IMPAIR_NEVER UINT64_MAX

struct impair;

struct impair_frame {
	const uint8_t *bytes;
	uint32_t slot; /* to be given back */
	uint16_t len;
	bool is_copy; /* the link has made it */
};

/* Does it do anything at all? */
bool impair_is_active(const struct wire_impair *spec);

/* Returns why this cannot be, or NULL. */
const char *impair_flaw(const struct wire_impair *spec);

/*
 * One for packets of up to frame_bytes, of which up to n wait, and as a rule
 * WIRE_MAX_IMPAIR_PACKETS: a queue that becomes longer keeps its packets.
 * Returns 0 or -ENOMEM. Context: control.
 */
int impair_new(uint32_t n, uint32_t frame_bytes, struct impair **out);
void impair_free(struct impair *im); /* NULL is allowed */

uint32_t impair_capacity(const struct impair *im);
uint32_t impair_frame_bytes(const struct impair *im);
/* Packets that wait and that somebody has sent, copies apart. */
uint32_t impair_waiting(const struct impair *im);

/*
 * A packet of len <= frame_bytes bytes enters at now_ns. If it is kept, *to is
 * where its bytes belong before anything else is called.
 */
enum impair_fate impair_offer(struct impair *im, const struct wire_impair *spec,
    uint64_t now_ns, uint16_t len, uint8_t **to);

/*
 * Gives memory back that a queue of n packets never needs, some at a time, once
 * what was in it has left: the queue has become shorter. Costs nothing if there
 * is none. true: there is more to give back.
 */
bool impair_trim(struct impair *im, uint32_t n);

/* When the next one is due, IMPAIR_NEVER if nothing waits. */
uint64_t impair_due(const struct impair *im);

/*
 * Takes up to max that are due, in order. Their bytes stay until they are given
 * back, each once.
 */
unsigned impair_take(
    struct impair *im, uint64_t now_ns, struct impair_frame *out, unsigned max);
void impair_give_back(
    struct impair *im, const struct impair_frame *f, unsigned n);

#endif
