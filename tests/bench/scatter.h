/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scatter: three ways to take packets out of a batch that are not to be
 * forwarded (MoonRoute paper, section 4.3 and figure 5), around the modules of
 * the router, so that they can be compared. The router has the last of them.
 *
 *	arrays    each step gives arrays: of those that go on, which close ranks,
 *	          and of those that do not, one for each fate
 *	masks     nothing is moved: each step gives masks, one for each fate
 *	drop-out  nothing is moved: a mask of those that go on, and beside it a
 *	          mark for each that does not, looked at once in the end
 *
 * What comes in is the same, and what comes out but for the order of packets of
 * different families, which are different batches to the arrays.
 */
#ifndef TESTS_BENCH_SCATTER_H
#define TESTS_BENCH_SCATTER_H

#include "router/batch.h"
#include "router/tables.h"

enum scatter_way {
	SCATTER_ARRAYS,
	SCATTER_MASKS,
	SCATTER_DROP_OUT,
	N_SCATTER_WAYS,
};

/* Whom batches are given to: those that leave, and those of one fate. */
struct scatter_sink {
	void (*send)(
	    void *arg, unsigned vnic, const struct vnic_frame *f, unsigned n);
	void (*end)(
	    void *arg, enum fate fate, const struct vnic_frame *f, unsigned n);
	void *arg;
};

/* Up to BATCH_MAX frames through all modules. Context: one thread. */
void scatter(enum scatter_way way, const struct tables *t,
    const struct vnic_frame *f, unsigned n, const struct scatter_sink *to);

#endif
