/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mover: the thread of europa-taps that moves every frame between a vNIC and its
 * twin in the container's kernel, both ways; what is in a frame is no matter.
 *
 *	mover                                   main (taps_main.c)
 *	vnic_rx()  -> write() to the twin       makes the twins, mover_show()
 *	read() of all twins -> vnic_tx()        before one goes, mover_hide()
 *	sleeps on its queues and its bell       listens to the twins meanwhile
 *	                                        (ear), and rings: mover_wake()
 *
 * The kernel forwards a frame within the write() that brings it. So the frames
 * that it sends are read right after, into the slots of those that came, and
 * nothing waits in memory of ours. What the kernel says by itself takes granted
 * slots; while there are none, it waits in the twin's queue, which is bounded
 * by the kernel, and its oldest frames stay.
 *
 * Invariant: between two turns the mover holds at most one granted slot of each
 * queue, and no frame.
 */
#ifndef ROUTER_MOVER_H
#define ROUTER_MOVER_H

#include "lib/vnic.h"
#include "router/bell.h"
#include "router/share.h"

#include <stdatomic.h>

enum mover_limits {
	MOVER_BURST = 64, /* frames of one vNIC or twin at a time */
};

enum mover_count {
	MOVER_RX,            /* frames that came by vNICs: the next three */
	MOVER_UP,            /* handed to the kernel */
	MOVER_UP_ABSENT,     /* dropped: the vNIC has no twin */
	MOVER_UP_REFUSED,    /* dropped: the twin is down, or no memory */
	MOVER_DOWN,          /* sent by the kernel, through the vNIC */
	MOVER_DOWN_RUNT,     /* dropped: no Ethernet header */
	MOVER_DOWN_OVERSIZE, /* dropped: longer than a slot */
	MOVER_NO_GRANT,      /* turns that left frames for want of a slot */
	MOVER_N_COUNTS,
};

struct mover {
	struct vnic *vnic;
	unsigned n; /* queues; the last is the control queue */
	struct vnic_queue *queue[VNIC_MAX_QUEUES];
	struct bell bell;        /* (mover) sleeps, main rings */
	_Atomic(bool) stop;      /* (main) */
	_Atomic(bool) gone;      /* (mover) the set is over */
	_Atomic(uint64_t) turns; /* (mover) begun */
	_Atomic(uint32_t) lost;  /* (mover) sets, main clears: deleted twins */
	_Atomic(int) fd[VNIC_MAX_VNICS]; /* (main) of the twins, -1: none */
	_Atomic(uint64_t) count[MOVER_N_COUNTS]; /* (mover) */
	int twins; /* epoll: those that have frames for us */
	int ear;   /* epoll: twins, while the mover sleeps; main listens */
	int news;  /* eventfd: main is to look at lost, gone, the vNICs */

	/* (mover) */
	unsigned n_vnics, room; /* of the layout; bytes for a frame */
	uint32_t config;        /* last seen of vnic_config() */
	bool waits;             /* no queue of this turn may run */
	bool starved;           /* frames are left for want of slots */
	bool hears;             /* what the kernel says could be sent */
	bool has_spare[VNIC_MAX_QUEUES];
	struct vnic_frame spare[VNIC_MAX_QUEUES]; /* granted, not used yet */
	unsigned n_held;
	struct vnic_frame held[MOVER_BURST]; /* came by a vNIC, now empty */
	struct share share;
};

/* Opens all queues of v. Returns 0 or negative errno. Context: main. */
int mover_open(struct mover *m, struct vnic *v);
/* Context: main, when mover_run() has ended. */
void mover_close(struct mover *m);

/* Works until the set is over or mover_stop(). Context: mover. */
void mover_run(struct mover *m);

/* --- Context: main -------------------------------------------------------- */

void mover_stop(struct mover *m);

/* fd, non-blocking, is the twin of vNIC i. Returns 0 or negative errno. */
int mover_show(struct mover *m, unsigned i, int fd);
/* It is not used any more when this returns. */
void mover_hide(struct mover *m, unsigned i);

/* The ear has something. */
void mover_wake(struct mover *m);

static inline uint64_t
mover_count(const struct mover *m, enum mover_count which)
{
	/* relaxed: a counter */
	return atomic_load_explicit(&m->count[which], memory_order_relaxed);
}

/* The name that statistics use. */
const char *mover_count_name(enum mover_count which);

#endif
