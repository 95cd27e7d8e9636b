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
count_rule(struct run *r, unsigned number)
{
	if (r->number != number) {
		end_run(r);
		r->number = number;
		r->n = 0;
	}
	r->n++;
}

static const uint8_t fate_of_action[] = {
	[FILTER_PERMIT] = N_FATES,
	[FILTER_DENY] = FATE_DENIED,
	[FILTER_REJECT] = FATE_REJECTED,
};

static void
read_key(struct filter_key *k, const struct vnic_frame *p, bool is_ip4)
{
	if (is_ip4)
		filter_read4(k, p->data + ETH_BYTES, p->vnic);
	else
		filter_read6(k, p->data + ETH_BYTES, p->vnic);
}

/* The number of the rule of each frame in mask, 0 = none. */
static void
find_rules(const struct filter *f, const struct batch *b, uint64_t mask,
    bool is_ip4, uint8_t *number)
{
	struct filter_key k;

	for (unsigned n = 0; mask; n++) {
		const struct filter_rule *rule;

		read_key(&k, &b->frame[batch_pop(&mask)], is_ip4);
		rule = filter_find(f, &k);
		number[n] = rule ? rule->number : 0;
	}
}

static void
find_rules_at_once(const struct filter *f, const struct batch *b, uint64_t mask,
    bool is_ip4, uint8_t *number)
{
	struct filter_key key[BATCH_MAX];
	unsigned n = 0;

	while (mask)
		read_key(&key[n++], &b->frame[batch_pop(&mask)], is_ip4);
	f->engine->find(f->prepared, key, number, n);
}

/* Judges the frames of mask; returns those that are taken out. */
static uint64_t
run_rules(const struct filter *f, struct batch *b, uint64_t mask, bool is_ip4)
{
	struct run run = { .hits = f->hits };
	uint8_t number[BATCH_MAX];
	uint64_t out = 0;

	if (mask == 0)
		return 0;
	if (f->engine)
		find_rules_at_once(f, b, mask, is_ip4, number);
	else
		find_rules(f, b, mask, is_ip4, number);
	for (unsigned n = 0; mask; n++) {
		unsigned i = batch_pop(&mask);

		if (number[n] == 0)
			continue;
		count_rule(&run, number[n]);
		if (f->action[number[n]] == FILTER_PERMIT)
			continue;
		b->fate[i] = fate_of_action[f->action[number[n]]];
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
