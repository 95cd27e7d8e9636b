/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: the owner's rules, on the way in, for all that would be forwarded or
 * is to ourselves (MoonRoute paper, section 5.1). Without rules it does nothing.
 *
 * Packets of one flow come in a row, and most batches need few rules: a run of
 * packets with the same rule costs one addition to a shared counter.
 */
#include "router/modules.h"

#include "router/filter_rules.h"
#include "router/packet.h"

struct run {
	struct filter_hits *hits;
	unsigned number; /* 0: no rule yet */
	unsigned n;
};

static void
end_run(const struct run *r)
{
	/* relaxed: a counter */
	if (r->n > 0 && r->hits)
		atomic_fetch_add_explicit(
		    &r->hits->packets[r->number], r->n, memory_order_relaxed);
}

static void
count_rule(struct run *r, const struct filter_rule *rule)
{
	if (r->number != rule->number) {
		end_run(r);
		r->number = rule->number;
		r->n = 0;
	}
	r->n++;
}

static const uint8_t fate_of_action[] = {
	[FILTER_PERMIT] = N_FATES,
	[FILTER_DENY] = FATE_DENIED,
	[FILTER_REJECT] = FATE_REJECTED,
};

/* Judges the frames of mask; returns those that are taken out. */
static uint64_t
run_rules(const struct filter *f, struct batch *b, uint64_t mask, bool is_ip4)
{
	struct run run = { .hits = f->hits };
	uint64_t out = 0;

	while (mask) {
		unsigned i = batch_pop(&mask);
		const struct vnic_frame *p = &b->frame[i];
		const struct filter_rule *rule;
		struct filter_key k;

		if (is_ip4)
			filter_read4(&k, p->data + ETH_BYTES, p->vnic);
		else
			filter_read6(&k, p->data + ETH_BYTES, p->vnic);
		rule = filter_find(f, &k);
		if (!rule)
			continue;
		count_rule(&run, rule);
		if (rule->action == FILTER_PERMIT)
			continue;
		b->fate[i] = fate_of_action[rule->action];
		out |= UINT64_C(1) << i;
	}
	end_run(&run);
	return out;
}

bool
filter(const struct tables *t, struct batch *b)
{
	if (unlikely(t->filter)) {
		b->alive &= ~run_rules(t->filter, b, b->alive, true);
		b->alive6 &= ~run_rules(t->filter, b, b->alive6, false);
	}
	return batch_any(b);
}
