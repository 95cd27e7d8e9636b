/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic: a router's side of the shared memory; all that a data plane needs.
 *
 * The unit is the queue: one thread of the router, its own slots, its own
 * rings for every vNIC. A packet is taken with vnic_rx(), worked on in place,
 * and leaves with vnic_tx() through any vNIC of the same queue, or goes back
 * with vnic_done() and a reason. To send a packet of its own a router takes an
 * empty slot with vnic_grant(). A turn ends with vnic_flush(), an idle thread
 * waits in vnic_wait(). examples/vnic-echo.c is a complete router.
 *
 * All functions of one queue belong to one thread. Nothing here blocks but
 * vnic_wait(), and the epoch rules (vnic_abi.h) are followed inside vnic_poll().
 */
#ifndef VNIC_H
#define VNIC_H

#include "lib/vnic_frame.h"
#include "lib/vnic_layout.h"

#include <stdbool.h>

struct vnic;
struct vnic_queue;

/* The descriptors that belong together; a "set". */
struct vnic_fds {
	int host; /* O_RDONLY for a router */
	int router;
	int pool;
	unsigned n_bells;          /* = queues */
	int bell[VNIC_MAX_QUEUES]; /* eventfd, router to host, per queue */
};

void vnic_fds_init(struct vnic_fds *fds);  /* all -1 */
void vnic_fds_close(struct vnic_fds *fds); /* closes and sets all to -1 */

/*
 * Makes the three regions and the bells for geometry g and writes the header.
 * Returns 0 and the fds to the caller, or negative errno. Context: europad.
 */
int vnic_create(const struct vnic_geometry *g, struct vnic_fds *out);

/*
 * Maps a set as its router, after checking seals, sizes and every number of the
 * header. Borrows the fds, which stay open while the handle lives. Returns 0,
 * -EPROTO, -EPROTONOSUPPORT, -EINVAL or another negative errno.
 */
int vnic_attach(const struct vnic_fds *fds, struct vnic **out);

/*
 * The same from the descriptors that a router's init hands to each process it
 * starts, named by the environment: EUROPA_VNIC_FDS="host,router,pool,bell..."
 * Returns -ENOENT if the variable is not there.
 */
int vnic_attach_env(struct vnic **out);

/* Unmaps; NULL is allowed. All queues must be closed before. */
void vnic_detach(struct vnic *v);

const struct vnic_layout *vnic_layout(const struct vnic *v);

/* What the host says of one vNIC. */
struct vnic_info {
	bool up;
	unsigned mtu; /* bytes */
	uint8_t mac[6];
	char name[VNIC_NAME_BYTES];
};

/* Reads entry i; false if i is no vNIC of this router. Context: any thread. */
bool vnic_info(const struct vnic *v, unsigned i, struct vnic_info *out);

/*
 * Opens queue q for this process; q = n_queues - 1 is the control queue.
 * Returns 0, -EBUSY if another process serves it, or negative errno.
 */
int vnic_queue_open(struct vnic *v, unsigned q, struct vnic_queue **out);
void vnic_queue_close(struct vnic_queue *q); /* NULL is allowed */

enum vnic_status {
	VNIC_RUN, /* serve it */
	VNIC_FRESH, /* a new epoch has begun: forget every frame held; then serve */
	VNIC_WAIT, /* not yet: forget every frame held, call vnic_wait() */
	VNIC_GONE, /* this set is over: detach, ask for another */
};

/* Call it once before each burst; does the router's part of the epochs. */
enum vnic_status vnic_poll(struct vnic_queue *q);

/* Grows when the host has changed the vNIC table. */
uint32_t vnic_config(const struct vnic_queue *q);

/* Takes up to max packets that came in by vNIC i. Returns how many. */
unsigned vnic_rx(
    struct vnic_queue *q, unsigned i, struct vnic_frame *out, unsigned max);

/*
 * Sends n frames through vNIC i. data may have moved within the first 4096
 * bytes of the slot and len may have changed. Always takes all: a ring cannot
 * overflow.
 */
void vnic_tx(
    struct vnic_queue *q, unsigned i, const struct vnic_frame *f, unsigned n);

/* Hands n slots back without a packet, because of an enum vnic_done. */
void vnic_done(struct vnic_queue *q, const struct vnic_frame *f, unsigned n,
    unsigned reason);

/*
 * Takes up to max empty slots for packets of the router's own; data points
 * behind the headroom, len is the room there. Returns how many, 0 is common.
 */
unsigned vnic_grant(struct vnic_queue *q, struct vnic_frame *out, unsigned max);

/* Ends a turn: rings the host if it sleeps and something was published. */
void vnic_flush(struct vnic_queue *q);

/*
 * Waits until one of the n queues of this thread has something, the epoch
 * changes, or timeout_ms (at most 1000) is over. It polls for 20 us before it
 * sleeps: a sleeper costs the host a wake-up per burst. Returns 0 or negative
 * errno.
 */
int vnic_wait(struct vnic_queue **qs, unsigned n, unsigned timeout_ms);

/*
 * The same without polling, for who polls himself; and it returns also when
 * *word is not seen any more: a private word
 * of this process by which other threads wake this one (add 1, FUTEX_WAKE with
 * FUTEX_PRIVATE_FLAG). Needs futex_waitv (Linux 5.16); word may be NULL. Returns 1
 * when the time was over.
 */
int vnic_wait_on(struct vnic_queue **qs, unsigned n, _Atomic(uint32_t) *word,
    uint32_t seen, unsigned timeout_ms);

#endif
