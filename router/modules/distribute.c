/* SPDX-License-Identifier: Apache-2.0 */
/*
 * distribute: see router/distribute.h. A batch that is large enough by itself
 * is not copied; one that the next packets would make too large leaves first.
 */
#include "router/distribute.h"

#include "lib/base.h"

struct distribute *
distribute_new(distribute_send send, void *arg)
{
	struct distribute *d = calloc(1, sizeof(*d));

	if (d) {
		d->send = send;
		d->arg = arg;
	}
	return d;
}

void
distribute_free(struct distribute *d)
{
	free(d);
}

static void
send_out(struct distribute *d, unsigned vnic)
{
	struct distribute_out *o = &d->out[vnic];

	if (o->n == 0)
		return;
	d->send(d->arg, vnic, o->frame, o->n);
	o->n = 0;
	d->waiting &= ~(UINT32_C(1) << vnic);
}

void
distribute_put(struct distribute *d, const struct gather *how, unsigned vnic,
    const struct vnic_frame *f, unsigned n, uint64_t now_ns)
{
	struct distribute_out *o = &d->out[vnic];
	/* both numbers may be a script's */
	unsigned size = MIN(how->size, (uint32_t)DISTRIBUTE_MAX);
	uint64_t us = MIN(how->us, (uint32_t)DISTRIBUTE_MAX_US);

	if (size <= n || o->n + n > DISTRIBUTE_MAX) {
		send_out(d, vnic);
		if (size <= n) {
			d->send(d->arg, vnic, f, n);
			return;
		}
	}
	if (o->n == 0) {
		o->until_ns = now_ns + us * 1000;
		if (!d->waiting || o->until_ns < d->next_ns)
			d->next_ns = o->until_ns;
		d->waiting |= UINT32_C(1) << vnic;
	}
	memcpy(o->frame + o->n, f, n * sizeof(*f));
	o->n += n;
	if (o->n >= size)
		send_out(d, vnic);
}

void
distribute_turn(struct distribute *d, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	if (!d->waiting || now_ns < d->next_ns)
		return;
	for (uint32_t mask = d->waiting; mask; mask &= mask - 1) {
		unsigned vnic = (unsigned)__builtin_ctz(mask);
		const struct distribute_out *o = &d->out[vnic];

		if (o->until_ns <= now_ns)
			send_out(d, vnic);
		else
			next_ns = MIN(next_ns, o->until_ns);
	}
	d->next_ns = next_ns;
}

void
distribute_flush(struct distribute *d)
{
	for (uint32_t mask = d->waiting; mask; mask &= mask - 1)
		send_out(d, (unsigned)__builtin_ctz(mask));
}

unsigned
distribute_forget(struct distribute *d)
{
	unsigned n = 0;

	for (uint32_t mask = d->waiting; mask; mask &= mask - 1) {
		struct distribute_out *o = &d->out[__builtin_ctz(mask)];

		n += o->n;
		o->n = 0;
	}
	d->waiting = 0;
	return n;
}
