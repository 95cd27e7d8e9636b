/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline: the modules in a row, from the rings of one queue to the rings of
 * the same queue. It holds no frame between turns, but what its distributor
 * gathers, if it has one and is told to (distribute.h).
 *
 * pipeline_turn() is the whole of it in C: what the slow path uses for the
 * control queue, and what pipeline.lua is measured against. The three functions
 * behind it are the same in pieces, for a loop that is written elsewhere
 * (path.h); the batch is the caller's.
 */
#ifndef ROUTER_PIPELINE_H
#define ROUTER_PIPELINE_H

#include "router/batch.h"
#include "router/bell.h"
#include "router/count.h"
#include "router/distribute.h"
#include "router/path.h"
#include "router/probe.h"
#include "router/punt.h"
#include "router/tables.h"

struct pipeline {
	const struct vnic *vnic;
	struct vnic_queue *queue;
	struct punt punt;       /* exceptions, to the slow path */
	struct bell *slow_bell; /* whom to ring for them; NULL: itself */
	struct counters count;
	uint32_t config;     /* last seen of vnic_config() */
	unsigned n_vnics;    /* rings to serve */
	unsigned first_vnic; /* whose turn it is to be first */
	unsigned n_turned;   /* batches with packets back to where they came */
	struct distribute *distribute; /* NULL: packets leave as they come */
	struct gather
	    gather; /* of a script, instead of the tables'; 0 = none */
	struct batch batch;
};

/* Prepares p for queue of v. Returns 0 or -ENOMEM. */
int pipeline_init(
    struct pipeline *p, const struct vnic *v, struct vnic_queue *queue);
void pipeline_destroy(struct pipeline *p);

/* From now on it gathers, if its tables or its script say so. 0 or -ENOMEM. */
int pipeline_gather(struct pipeline *p);

/* Between two bursts: sends what has been gathered for too long, or all. */
void pipeline_late(struct pipeline *p);
void pipeline_send_gathered(struct pipeline *p);

/* The epoch is over: what is gathered is lost, and counted. */
void pipeline_forget(struct pipeline *p);

/*
 * One batch from all vNICs through all modules. Returns how many packets came
 * in; 0 = idle. The caller calls vnic_flush().
 */
unsigned pipeline_turn(struct pipeline *p, const struct tables *t);

/* Its steps, each ended by "\n" but the last. */
extern const char pipeline_step_names[];

/* All steps in a row on b, which has a probe. False: none is left. */
bool pipeline_probed(const struct tables *t, struct batch *b);

/* A batch from all vNICs, counted. Returns how many, 0 = idle. */
unsigned pipeline_receive(struct pipeline *p, struct batch *b);

/* Sends the frames in which, each to the hop that it has in b->hop. */
void pipeline_transmit(struct pipeline *p, const struct tables *t,
    struct batch *b, uint64_t which);

/*
 * The same, all through one vNIC, whatever b->hop says; given back by their
 * fates if there is no such vNIC.
 */
void pipeline_send(struct pipeline *p, const struct tables *t,
    const struct batch *b, uint64_t which, unsigned vnic);

/* pipeline.lua in C: the same modules over the same path, to compare with. */
void pipeline_run(struct path *path);

/* Ends the frames in dead by their fates: slots go back, exceptions to slow. */
void pipeline_give_back(
    struct pipeline *p, const struct batch *b, uint64_t dead);

#endif
