/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scatter: see scatter.h. The last step, to different vNICs, is the same for
 * all: there the paths divide whatever came before.
 */
#include "tests/bench/scatter.h"

#include "lib/base.h"
#include "router/modules.h"

#include <assert.h>

typedef bool (*step)(const struct tables *t, struct batch *b);

static void
begin(struct batch *b, const struct vnic_frame *f, unsigned n)
{
	assert(n <= BATCH_MAX);
	memcpy(b->frame, f, n * sizeof(*f));
	b->came = 0;
	batch_begin(b, n);
}

/* As transmit() of router/pipeline.c. */
static void
send_alive(const struct tables *t, const struct batch *b,
    const struct scatter_sink *to)
{
	struct vnic_frame out[BATCH_MAX];

	for (uint64_t left = b->alive; left;) {
		unsigned vnic = t->hop[b->hop[__builtin_ctzll(left)]].vnic;
		unsigned n = 0;

		for (uint64_t mask = left; mask;) {
			unsigned i = batch_pop(&mask);

			if (t->hop[b->hop[i]].vnic != vnic)
				continue;
			out[n++] = b->frame[i];
			left &= ~(UINT64_C(1) << i);
		}
		to->send(to->arg, vnic, out, n);
	}
}

/* --- drop-out batching ---------------------------------------------------- */

static void
run_drop_out(const struct tables *t, struct batch *b)
{
	static const step steps[] = { ether_in, check_ip4, check_ip6, filter,
		lookup4, lookup6, ttl4, hop_limit6, rewrite };

	for (unsigned k = 0; k < ARRAY_SIZE(steps); k++)
		if (!steps[k](t, b))
			return;
}

/* As pipeline_give_back(): those of one fate in a row are one batch. */
static void
end_marked(const struct batch *b, uint64_t dead, const struct scatter_sink *to)
{
	struct vnic_frame out[BATCH_MAX];
	enum fate fate = N_FATES;
	unsigned n = 0;

	while (dead) {
		unsigned i = batch_pop(&dead);

		if (n > 0 && b->fate[i] != fate) {
			to->end(to->arg, fate, out, n);
			n = 0;
		}
		fate = (enum fate)b->fate[i];
		out[n++] = b->frame[i];
	}
	if (n > 0)
		to->end(to->arg, fate, out, n);
}

/* --- bit masks ------------------------------------------------------------ */

struct masks {
	uint64_t used; /* fates, of whose masks some are set */
	uint64_t of[N_FATES];
};

/* What a step has taken out, into the mask of its fate. */
static void
mask_out(struct masks *m, const struct batch *b, uint64_t dead)
{
	while (dead) {
		unsigned i = batch_pop(&dead);
		unsigned fate = b->fate[i];

		if (!(m->used >> fate & 1))
			m->of[fate] = 0;
		m->used |= UINT64_C(1) << fate;
		m->of[fate] |= UINT64_C(1) << i;
	}
}

static void
run_masks(const struct tables *t, struct batch *b, struct masks *m)
{
	static const step steps[] = { ether_in, check_ip4, check_ip6, filter,
		lookup4, lookup6, ttl4, hop_limit6, rewrite };

	m->used = 0;
	for (unsigned k = 0; k < ARRAY_SIZE(steps); k++) {
		uint64_t before = b->alive | b->alive6;
		bool any = steps[k](t, b);

		mask_out(m, b, before & ~(b->alive | b->alive6));
		if (!any)
			return;
	}
}

static void
end_masked(
    const struct batch *b, const struct masks *m, const struct scatter_sink *to)
{
	struct vnic_frame out[BATCH_MAX];

	for (uint64_t used = m->used; used;) {
		unsigned fate = batch_pop(&used);
		unsigned n = 0;

		for (uint64_t mask = m->of[fate]; mask;)
			out[n++] = b->frame[batch_pop(&mask)];
		to->end(to->arg, (enum fate)fate, out, n);
	}
}

/* --- arrays --------------------------------------------------------------- */

struct arrays {
	uint64_t used;
	unsigned n[N_FATES];
	struct vnic_frame of[N_FATES][BATCH_MAX];
};

static void
move_out(struct arrays *a, const struct batch *b, uint64_t dead)
{
	while (dead) {
		unsigned i = batch_pop(&dead);
		unsigned fate = b->fate[i];

		if (!(a->used >> fate & 1))
			a->n[fate] = 0;
		a->used |= UINT64_C(1) << fate;
		a->of[fate][a->n[fate]++] = b->frame[i];
	}
}

/* Those of stay move up to the first places. Returns how many. */
static unsigned
close_ranks(struct batch *b, uint64_t stay)
{
	unsigned n = 0;

	for (; stay; n++) {
		unsigned i = batch_pop(&stay);

		if (i == n)
			continue;
		b->frame[n] = b->frame[i];
		b->dst[n] = b->dst[i];
		b->hop[n] = b->hop[i];
	}
	return n;
}

static uint64_t
first(unsigned n)
{
	return n == BATCH_MAX ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/* The steps of one family; those in *alive, one of the two masks of b. */
static void
run_array(const struct tables *t, struct batch *b, uint64_t *alive,
    const step *steps, struct arrays *a)
{
	enum { N_STEPS = 5 };

	for (unsigned k = 0; k < N_STEPS && b->n > 0; k++) {
		uint64_t before = first(b->n);
		uint64_t dead;

		steps[k](t, b);
		dead = before & ~(b->alive | b->alive6);
		if (likely(!dead))
			continue;
		move_out(a, b, dead);
		b->n = close_ranks(b, before & ~dead);
		*alive = first(b->n);
	}
}

static void
run_arrays(const struct tables *t, struct batch *b, struct arrays *a,
    const struct scatter_sink *to)
{
	static const step steps4[] = { check_ip4, filter, lookup4, ttl4,
		rewrite };
	static const step steps6[] = { check_ip6, filter, lookup6, hop_limit6,
		rewrite };
	static struct batch b6;
	uint64_t all = b->alive;

	a->used = 0;
	ether_in(t, b);
	move_out(a, b, all & ~(b->alive | b->alive6));
	b6.n = 0;
	for (uint64_t mask = b->alive6; mask;)
		b6.frame[b6.n++] = b->frame[batch_pop(&mask)];
	if (b->alive != all)
		b->n = close_ranks(b, b->alive);
	b->alive = first(b->n);
	b->alive6 = 0;
	run_array(t, b, &b->alive, steps4, a);
	send_alive(t, b, to);
	if (b6.n == 0)
		return;
	b6.alive = 0;
	b6.alive6 = first(b6.n);
	run_array(t, &b6, &b6.alive6, steps6, a);
	send_alive(t, &b6, to);
}

static void
end_arrays(const struct arrays *a, const struct scatter_sink *to)
{
	for (uint64_t used = a->used; used;) {
		unsigned fate = batch_pop(&used);

		to->end(to->arg, (enum fate)fate, a->of[fate], a->n[fate]);
	}
}

void
scatter(enum scatter_way way, const struct tables *t,
    const struct vnic_frame *f, unsigned n, const struct scatter_sink *to)
{
	static struct batch b;
	static struct arrays arrays;
	static struct masks masks;
	uint64_t all;

	begin(&b, f, n);
	all = b.alive;
	if (way == SCATTER_ARRAYS) {
		run_arrays(t, &b, &arrays, to);
		end_arrays(&arrays, to);
		return;
	}
	if (way == SCATTER_MASKS)
		run_masks(t, &b, &masks);
	else
		run_drop_out(t, &b);
	send_alive(t, &b, to);
	if (way == SCATTER_MASKS)
		end_masked(&b, &masks, to);
	else
		end_marked(&b, all & ~b.alive, to);
}
