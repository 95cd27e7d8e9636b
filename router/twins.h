/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twins: packets between the slow path and the twins of its vNICs in the
 * container's kernel (MoonRoute paper, section 5.4).
 *
 *	slow path                     twins (a thread)         kernel
 *	twins_give()   -> up    ->    write()            ->    as if received
 *	twins_take()   <- down  <-    read()             <-    sent by a daemon
 *	twins_want()   ------->       makes the devices
 *
 * Two bounded queues of one producer and one consumer each (punt.h): a full one
 * refuses, the packet is dropped and counted, and nobody waits for the other. A
 * thread of its own, because devices are waited for with poll() and rings of a
 * vNIC with a futex, and because making a device takes the kernel milliseconds.
 *
 * What is in the frames is no matter here; slow_twins.c decides what goes up and
 * what may come down.
 */
#ifndef ROUTER_TWINS_H
#define ROUTER_TWINS_H

#include "router/bell.h"
#include "router/punt.h"
#include "router/taps.h"

#include <pthread.h>

enum twins_limits {
	TWINS_BURST = 32,      /* frames of one twin in a turn */
	TWINS_RETRY_MS = 1000, /* a twin that could not be made */
	TWINS_MAX_FRAME = 65535,
};

struct twins {
	struct punt up;   /* (slow) puts, (twins) takes */
	struct punt down; /* (twins) puts, (slow) takes */
	struct bell *slow_bell;
	int event;                /* all wake the twins by it */
	_Atomic(uint32_t) asleep; /* (twins) 1 = write to event */
	_Atomic(bool) stop;       /* (main) */
	_Atomic(bool) is_new;     /* (slow) true, (twins) false: want */
	_Atomic(uint64_t)
	    up_lost; /* (twins) adds: the device did not take it */
	_Atomic(uint64_t) down_lost; /* (twins) adds: down was full */
	pthread_mutex_t lock;        /* of want; held for a copy */
	struct tap_want want[VNIC_MAX_VNICS];

	/* (twins) */
	struct taps taps;
	uint64_t retry_ms; /* when those that failed are tried again; 0: none */
	struct tap_want wanted[VNIC_MAX_VNICS];
	uint8_t frame[TWINS_MAX_FRAME];

	pthread_t thread;
};

/*
 * Starts the thread; netlink (taken) is for the devices. Returns 0 and the
 * twins to the caller, or negative errno. Context: main.
 */
int twins_start(const struct taps_io *io, int netlink, struct bell *slow_bell,
    struct twins **out);

/* Ends the thread; the devices go. NULL is allowed. Context: main. */
void twins_stop(struct twins *t);

/* What twins there should be, VNIC_MAX_VNICS. Context: slow. */
void twins_set(struct twins *t, const struct tap_want *want);

/* Hands a frame to the kernel. False: there is no room. Context: slow. */
bool twins_give(
    struct twins *t, unsigned vnic, const uint8_t *frame, unsigned len);

/* The oldest frame from the kernel, or NULL; then twins_taken(). Context: slow. */
static inline const struct punt_record *
twins_take(struct twins *t, const uint8_t **frame)
{
	return punt_peek(&t->down, frame);
}

static inline void
twins_taken(struct twins *t)
{
	punt_pop(&t->down);
}

#endif
