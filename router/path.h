/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: a fast path as its pipeline sees it, in Lua as in C.
 *
 *	while (path_receive(p) > 0) {
 *		modules on p->batch, with p->tables
 *		path_transmit(p);
 *		path_give_back(p);
 *	}
 *
 * path_receive() waits for packets and returns 0 when the loop must end: another
 * pipeline is to take over, or the router ends. What a loop forgets to send or
 * to give back is dropped when it asks for the next batch: held says which
 * frames these are, and no mistake of a script loses a slot.
 *
 * Packets that leave may be gathered into larger batches (distribute.h): a
 * script that wants other ones than router.conf says so in gather.
 *
 * Who is behind it is in ops: a fast path (fast.c), or a rehearsal without any
 * memory of a node (rehearse.c).
 */
#ifndef ROUTER_PATH_H
#define ROUTER_PATH_H

#include "router/batch.h"
#include "router/tables.h"
#ifndef VNIC_FFI
#include <stdbool.h>
#endif

struct path {
	struct batch batch;
	const struct tables *tables; /* for this batch; NULL before the first */
	uint64_t held;               /* frames that are not settled yet */
	struct gather gather; /* size 0: as the tables say, else instead */
	const struct path_ops *ops;
};

/* The next batch, in p->batch. Returns how many frames; 0 = end the loop. */
unsigned path_receive(struct path *p);

/* Sends the frames that are alive, each to its hop. */
void path_transmit(struct path *p);

/* Sends the frames that are alive through a vNIC, as they are. */
void path_send(struct path *p, unsigned vnic);

/* Ends the frames that are not alive, by their fates. */
void path_give_back(struct path *p);

/* How many packets wait for their batch to leave through a vNIC, of those that
 * came with this one. */
unsigned path_gathered(struct path *p, unsigned vnic);

/* Sends them, of all vNICs. */
void path_flush(struct path *p);

/* Microseconds that only grow. One question a batch is enough. */
double path_now_us(const struct path *p);

/* The first frame that is alive and not before from; BATCH_MAX: none. */
unsigned batch_next(const struct batch *b, unsigned from);
/* The same among those of IPv6, between ether_in and rewrite. */
unsigned batch_next6(const struct batch *b, unsigned from);

/* Step number step has looked at b, which has a probe. */
void probe_step(const struct batch *b, unsigned step);

/* Takes frame i out, if it is alive. */
void batch_take_out(struct batch *b, unsigned i, unsigned fate);

#ifndef VNIC_FFI
struct path_ops {
	unsigned (*receive)(struct path *p);
	/* which are held and are not any more; vnic < 0: each to its hop */
	void (*transmit)(struct path *p, uint64_t which, int vnic);
	void (*give_back)(struct path *p, uint64_t which);
	/* NULL: nothing is gathered */
	unsigned (*gathered)(struct path *p, unsigned vnic);
	void (*flush)(struct path *p);
	/* NULL: that of the machine */
	uint64_t (*now_ns)(const struct path *p);
};

/* Ends what is held, whatever it is, with fate. */
void path_abandon(struct path *p, enum fate fate);
#endif

#endif
