/* SPDX-License-Identifier: Apache-2.0 */
/*
 * distribute: packets that leave, gathered into larger batches for each vNIC
 * (MoonRoute paper, section 5.1.5, "rebatching"): a batch leaves when it has so
 * many packets, or when its first one has waited so long. A router with many
 * vNICs, whose bursts fall apart into few packets for each, hands them to the
 * host in fewer turns; who has few vNICs has no use for it.
 *
 * What is gathered leaves in the order in which it came, and before anything
 * that comes later for the same vNIC, also if there is no more to gather. The
 * frames belong to a queue of shared memory: its owner sends them before it
 * sleeps or ends, and forgets them with the epoch (distribute_forget()). Who
 * sends, and what the time is, is the owner's; nothing here waits or allocates
 * but distribute_new().
 */
#ifndef ROUTER_DISTRIBUTE_H
#define ROUTER_DISTRIBUTE_H

#ifndef VNIC_FFI
#include "lib/vnic_abi.h"
#include "lib/vnic_frame.h"

#include <stdbool.h>
#endif

enum distribute_limits {
	DISTRIBUTE_MAX = 256,      /* packets of a batch, */
	DISTRIBUTE_MAX_US = 10000, /* and how long its first may wait */
};

/* How batches are made. */
struct gather {
	uint32_t size; /* packets; 0 and 1: they leave as they come */
	uint32_t us;
};

#ifndef VNIC_FFI
struct distribute_out {
	uint64_t until_ns; /* if n > 0 */
	unsigned n;
	struct vnic_frame frame[DISTRIBUTE_MAX];
};

typedef void (*distribute_send)(
    void *arg, unsigned vnic, const struct vnic_frame *f, unsigned n);

struct distribute {
	uint32_t waiting; /* bit v: out[v].n > 0 */
	uint64_t next_ns; /* if any waits: no batch is due before */
	distribute_send send;
	void *arg;
	struct distribute_out out[VNIC_MAX_VNICS];
};

/* Returns it to the caller, or NULL. Pages that no packet needs take no memory. */
struct distribute *distribute_new(distribute_send send, void *arg);
void distribute_free(struct distribute *d); /* NULL is allowed */

/* Takes n frames for vnic; sends, if there are enough of them. */
void distribute_put(struct distribute *d, const struct gather *how,
    unsigned vnic, const struct vnic_frame *f, unsigned n, uint64_t now_ns);

/* Sends the batches that have waited long enough. */
void distribute_turn(struct distribute *d, uint64_t now_ns);

/* Sends all. */
void distribute_flush(struct distribute *d);

/* The slots are nobody's any more. Returns how many frames are lost. */
unsigned distribute_forget(struct distribute *d);

static inline bool
distribute_holds(const struct distribute *d)
{
	return d && d->waiting;
}
#endif

#endif
