/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline: the modules in a row, from the rings of one queue to the rings of
 * the same queue. A fast path is a thread that calls pipeline_turn(); the slow
 * path calls it too, for the control queue. It holds no frame between turns.
 */
#ifndef ROUTER_PIPELINE_H
#define ROUTER_PIPELINE_H

#include "router/batch.h"
#include "router/bell.h"
#include "router/count.h"
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
	struct batch batch;
};

/* Prepares p for queue of v. Returns 0 or -ENOMEM. */
int pipeline_init(
    struct pipeline *p, const struct vnic *v, struct vnic_queue *queue);
void pipeline_destroy(struct pipeline *p);

/*
 * One batch from all vNICs through all modules. Returns how many packets came
 * in; 0 = idle. The caller calls vnic_flush().
 */
unsigned pipeline_turn(struct pipeline *p, const struct tables *t);

#endif
