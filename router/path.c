/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: the book-keeping of held. Masks and fates come from a script: they are
 * cut to what is held, and to what is a fate.
 */
#include "router/path.h"

#include "lib/base.h"
#include "router/clock.h"

void
path_abandon(struct path *p, enum fate fate)
{
	uint64_t left = p->held;

	p->held = 0;
	p->batch.alive = p->batch.alive6 = 0;
	for (uint64_t mask = left; mask;)
		p->batch.fate[batch_pop(&mask)] = (uint8_t)fate;
	if (left)
		p->ops->give_back(p, left);
}

unsigned
path_receive(struct path *p)
{
	unsigned n;

	if (unlikely(p->held))
		path_abandon(p, FATE_PIPELINE);
	n = p->ops->receive(p);
	if (n > 0)
		p->held = p->batch.alive;
	return n;
}

void
path_transmit(struct path *p)
{
	uint64_t which = p->held & p->batch.alive;

	p->held &= ~which;
	p->ops->transmit(p, which, -1);
}

void
path_send(struct path *p, unsigned vnic)
{
	uint64_t which = p->held & p->batch.alive;

	if (vnic >= VNIC_MAX_VNICS)
		return;
	/* in case that it is none of this router's */
	for (uint64_t mask = which; mask;)
		p->batch.fate[batch_pop(&mask)] = FATE_VNIC_DOWN;
	p->held &= ~which;
	p->ops->transmit(p, which, (int)vnic);
}

void
path_give_back(struct path *p)
{
	uint64_t which = p->held & ~(p->batch.alive | p->batch.alive6);

	if (likely(!which))
		return;
	p->held &= ~which;
	for (uint64_t mask = which; mask;) {
		unsigned i = batch_pop(&mask);

		if (p->batch.fate[i] >= N_FATES)
			p->batch.fate[i] = FATE_PIPELINE;
	}
	p->ops->give_back(p, which);
}

unsigned
path_gathered(struct path *p, unsigned vnic)
{
	if (!p->ops->gathered || vnic >= VNIC_MAX_VNICS)
		return 0;
	return p->ops->gathered(p, vnic);
}

void
path_flush(struct path *p)
{
	if (p->ops->flush)
		p->ops->flush(p);
}

double
path_now_us(const struct path *p)
{
	uint64_t ns = p->ops->now_ns ? p->ops->now_ns(p) : clock_now_ns();

	return (double)ns / 1000;
}

static unsigned
next_in(uint64_t mask, unsigned from)
{
	mask = from < BATCH_MAX ? mask >> from << from : 0;
	return mask ? (unsigned)__builtin_ctzll(mask) : BATCH_MAX;
}

unsigned
batch_next(const struct batch *b, unsigned from)
{
	return next_in(b->alive, from);
}

unsigned
batch_next6(const struct batch *b, unsigned from)
{
	return next_in(b->alive6, from);
}

void
batch_take_out(struct batch *b, unsigned i, unsigned fate)
{
	if (i >= BATCH_MAX || fate >= N_FATES)
		fate = FATE_PIPELINE;
	if (i < BATCH_MAX && (b->alive | b->alive6) >> i & 1) {
		batch_drop(b, i, fate);
		batch_drop6(b, i, fate);
	}
}
