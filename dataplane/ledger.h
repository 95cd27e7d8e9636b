/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: the host's side of one queue of one router; who owns each slot.
 *
 * The private array own[] is the only truth. Everything that the router wrote
 * is loaded once, checked against it, and only the private copy is used. This
 * file knows no DPDK, so that tests run it against hostile peers.
 *
 * Threads: in RUN the queue belongs to its worker; in every other phase to the
 * control thread. The word phase hands it over: the worker stores STOPPED and
 * does not touch the queue again before it loads RUN.
 *
 *	phase     owner     next
 *	STOPPED   control   reset -> WAITING
 *	WAITING   control   r == epoch and hold is over -> RUN
 *	RUN       worker    r != epoch, 64 faults, or asked to -> STOPPED
 *	GONE      control   the set is being removed
 */
#ifndef DATAPLANE_LEDGER_H
#define DATAPLANE_LEDGER_H

#include "lib/vnic_layout.h"

#include <stdatomic.h>
#include <stdbool.h>

enum ledger_limits {
	LEDGER_MAX_FAULTS = 64, /* in an epoch, then quarantine */
	LEDGER_MAX_RESERVE = 64,
};

enum ledger_phase {
	LEDGER_STOPPED,
	LEDGER_WAITING,
	LEDGER_RUN,
	LEDGER_GONE,
};

struct ledger; /* one queue */

/* The maps of a set, borrowed by its ledgers: host rw, router ro, pool rw. */
struct ledger_maps {
	struct vnic_layout l;
	void *host;
	void *router;
	void *pool;
};

/*
 * Makes the ledger of queue q with n_slots usable slots (<= max_slots). It
 * starts STOPPED: the first ledger_reset() begins an epoch. Returns 0 or
 * negative errno. Context: control.
 */
int ledger_new(const struct ledger_maps *m, unsigned q, uint32_t n_slots,
    struct ledger **out);
void ledger_free(struct ledger *l);

/* Any thread. */
enum ledger_phase ledger_phase(const struct ledger *l);

/* --- control thread ---------------------------------------------------------- */

/*
 * STOPPED or WAITING: ends the epoch: in_doubt, blank rings, WAIT(e + 1), wake.
 * now_ns is CLOCK_MONOTONIC; it begins the hold (vNIC protocol, part 4).
 */
void ledger_reset(struct ledger *l, uint64_t now_ns);

/*
 * WAITING: if the router has acknowledged and the hold is over, begins RUN and
 * hands the queue to its worker. Returns true if it did.
 */
bool ledger_try_run(struct ledger *l, uint64_t now_ns);

/* Asks the worker to let go (router reported dead, set removed). */
void ledger_ask_stop(struct ledger *l);

/* After the worker let go for good: GONE is written and everybody woken. */
void ledger_gone(struct ledger *l);

/* Why the last epoch ended: true = faults. */
bool ledger_was_quarantined(const struct ledger *l);

/*
 * Wakes a router that sleeps, so that it looks at what is no part of a ring:
 * config. A router about to sleep may miss it, its sleep ends within a second.
 */
void ledger_nudge(const struct ledger *l);

/* How long WAITING has lasted for an acknowledgement, ns; 0 in other phases. */
uint64_t ledger_waiting_ns(const struct ledger *l, uint64_t now_ns);

/* Changes the number of usable slots, live: asked here, done by the worker. */
void ledger_ask_slots(struct ledger *l, uint32_t n_slots);

/* --- worker, only while phase is RUN ------------------------------------------ */

/*
 * Begins a turn: checks r == epoch, faults and requests. Returns false if the
 * queue is not to be served any more (phase is then STOPPED).
 */
bool ledger_turn(struct ledger *l);

/* Brings what a turn will look at: r, and the next place of these tx rings. */
void ledger_turn_soon(const struct ledger *l, uint32_t rings);

struct ledger_frame {
	const uint8_t *bytes; /* in the pool: copy once, judge the copy */
	uint32_t slot;
	uint16_t len;
	uint16_t vnic; /* the tx ring it came through */
};

/*
 * Takes up to max (<= VNIC_BURST) descriptors from tx ring v. Valid packets
 * come out as frames; DONEs and faults are accounted for inside. The slots of
 * frames are EMPTY in the ledger but not yet on the free list. *n_taken is the
 * number of descriptors taken, frames or not. Returns the number of frames.
 */
unsigned ledger_take(struct ledger *l, unsigned v, struct ledger_frame *out,
    unsigned max, unsigned *n_taken);

/* Does a descriptor lie in one of these tx rings, a bit per vNIC? */
bool ledger_has_tx(struct ledger *l, uint32_t rings);
/* How many lie in tx ring v, up to VNIC_BURST, and where the first does. */
unsigned ledger_ready(struct ledger *l, unsigned v);
uint64_t ledger_tx_pos(const struct ledger *l, unsigned v);
/* Does one lie in tx ring v at position pos? Any thread, any phase. */
bool ledger_lies_at(const struct ledger *l, unsigned v, uint64_t pos);

/* After the copies: puts the slots of frames on the free list. */
void ledger_release(struct ledger *l, const struct ledger_frame *f, unsigned n);

/* Slots that may be filled now: free ones less what the reserve still wants. */
unsigned ledger_room(const struct ledger *l);

/*
 * Takes n <= ledger_room() slots for packets to vNIC v. Write exactly the
 * frame's bytes at ledger_buffer(), then publish all n in the same order.
 */
void ledger_claim(struct ledger *l, unsigned v, uint32_t *slots, unsigned n);
uint8_t *ledger_buffer(const struct ledger *l, uint32_t slot);
/* Those of n slots, on their way to our cache. */
void ledger_buffers(
    const struct ledger *l, const uint32_t *slots, uint8_t **out, unsigned n);
/* Bytes that fit at ledger_buffer(). */
unsigned ledger_buffer_bytes(const struct ledger *l);
void ledger_publish(struct ledger *l, unsigned v, const uint32_t *slots,
    const uint16_t *lens, unsigned n);

/* Tops up the grant ring to the reserve. Once per turn, before filling. */
void ledger_grant(struct ledger *l);

/*
 * Ends a turn: if something was published and the router sleeps, or a wake-up
 * is due, wakes it; at most once per 50 us (0 = no limit, for tests). Returns
 * true while a wake-up is owed: a worker that owes one does not sleep.
 */
bool ledger_ring(struct ledger *l, uint64_t now_ns);

/* Sleeping host, per queue: begin, look at everything, block, end. */
void ledger_sleep_begin(struct ledger *l);
/* rings as of ledger_has_tx(): those that are served */
bool ledger_has_work(struct ledger *l, uint32_t rings);
void ledger_sleep_end(struct ledger *l);

/* At most once per ms: a sign of life. */
void ledger_beat(struct ledger *l);

/* Outstanding now: filled slots, and grants. For occupancy and tests. */
uint32_t ledger_filled(const struct ledger *l);
uint32_t ledger_granted(const struct ledger *l);
uint32_t ledger_slots(const struct ledger *l);

/* The counters of vNIC v in this queue; written by the queue's owner. */
struct vnic_counters *ledger_counters(const struct ledger *l, unsigned v);

#endif
