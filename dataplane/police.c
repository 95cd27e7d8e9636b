/* SPDX-License-Identifier: Apache-2.0 */
/*
 * police: see police.h. A burst is judged against private copies of the fills,
 * and what it took is added to each tank in one operation, together with what
 * has flowed in since the last one.
 */
#include "dataplane/police.h"

#include "lib/base.h"

/* Between the look into the tanks and the taking: tests play another worker. */
#ifndef POLICE_HOOK
#define POLICE_HOOK() ((void)0)
#endif

enum {
	TOKEN = 1000000,  /* of one packet or bit */
	URGENT_SHARE = 8, /* of a tank, kept for urgent packets: one in */
	US_PER_SEC = 1000000,
	US_PER_MS = 1000,
	NS_PER_US = 1000,
};

/* One tank's one kind, during one burst. */
struct bucket {
	_Atomic(int64_t) *shared;
	int64_t seen; /* in the tank, as loaded */
	int64_t fill; /* private, what is left */
	int64_t depth;
	int64_t reserve; /* not for this burst */
	int64_t packet;  /* tokens per packet, and per byte */
	int64_t byte;
	enum police_kind kind;
};

enum { MAX_BUCKETS = (int)POLICE_MAX_LEVELS * (int)POLICE_N_KINDS };

const char *
police_flaw(const struct wire_rates *r)
{
	bool any = r->rx_pps | r->tx_pps | r->rx_bps | r->tx_bps;

	if (r->rx_pps > POLICE_MAX_PPS || r->tx_pps > POLICE_MAX_PPS)
		return "more than 10^9 packets per second";
	if (r->rx_bps > POLICE_MAX_BPS || r->tx_bps > POLICE_MAX_BPS)
		return "more than 10^12 bits per second";
	if (r->burst_ms > POLICE_MAX_BURST_MS || (any && r->burst_ms == 0))
		return "a burst_ms that is not 1 to 1000";
	return NULL;
}

struct police_tank *
police_tanks(unsigned n)
{
	size_t bytes = n * sizeof(struct police_tank);
	struct police_tank *t =
	    aligned_alloc(_Alignof(struct police_tank), bytes);

	if (t)
		memset(t, 0, bytes);
	return t;
}

void
police_fill(struct police_tank *t)
{
	/* relaxed: published with the next plan */
	atomic_store_explicit(&t->last_us, 0, memory_order_relaxed);
	for (unsigned k = 0; k < POLICE_N_KINDS; k++)
		atomic_store_explicit(&t->fill[k], 0, memory_order_relaxed);
}

/* By enum police_kind. */
static void
rates_of(const struct wire_rates *r, enum police_way way,
    uint64_t out[POLICE_N_KINDS])
{
	out[POLICE_PPS] = way == POLICE_TX ? r->tx_pps : r->rx_pps;
	out[POLICE_BPS] = way == POLICE_TX ? r->tx_bps : r->rx_bps;
}

/* As police_flaw() allows: at most 10^12, and 10^18. */
static int64_t
depth_of(uint64_t rate, uint32_t burst_ms)
{
	return (int64_t)rate * (int64_t)burst_ms * US_PER_MS;
}

void
police_change(struct police_tank tank[POLICE_N_WAYS],
    const struct wire_rates *old, const struct wire_rates *r)
{
	for (unsigned way = 0; way < POLICE_N_WAYS; way++) {
		uint64_t before[POLICE_N_KINDS], now[POLICE_N_KINDS];

		rates_of(old, (enum police_way)way, before);
		rates_of(r, (enum police_way)way, now);
		for (unsigned k = 0; k < POLICE_N_KINDS; k++)
			if (before[k] == 0 && now[k] > 0)
				/* relaxed: published with the plan */
				atomic_store_explicit(&tank[way].fill[k],
				    depth_of(now[k], r->burst_ms),
				    memory_order_relaxed);
	}
}

void
police_add(struct police *p, const struct wire_rates *r, enum police_way way,
    struct police_tank *tank)
{
	struct police_level *l = &p->level[p->n_levels];
	uint64_t rate[POLICE_N_KINDS];

	rates_of(r, way, rate);
	if (rate[POLICE_PPS] == 0 && rate[POLICE_BPS] == 0)
		return;
	l->tank = tank;
	for (unsigned k = 0; k < POLICE_N_KINDS; k++) {
		l->rate[k] = (int64_t)rate[k];
		l->depth[k] = depth_of(rate[k], r->burst_ms);
	}
	p->n_levels++;
}

/* The time that flows into the tank by this burst: claimed by one worker. */
static uint64_t
claim_time(struct police_tank *t, uint64_t now_us)
{
	/* relaxed, all of it: numbers that publish nothing else */
	uint64_t last = atomic_load_explicit(&t->last_us, memory_order_relaxed);

	if (now_us == last)
		return 0;
	if (unlikely(now_us < last && last - now_us < US_PER_SEC))
		return 0; /* another worker's clock is a little ahead */
	if (!atomic_compare_exchange_strong_explicit(&t->last_us, &last, now_us,
		memory_order_relaxed, memory_order_relaxed))
		return 0; /* another worker has it */
	return now_us > last ? now_us - last : 0;
}

/* fill + rate * elapsed, not above the brim, whatever the clock says. */
static int64_t
refilled(int64_t fill, int64_t rate, uint64_t elapsed_us, int64_t depth)
{
	int64_t gain, sum;

	if (__builtin_mul_overflow(rate, elapsed_us, &gain) ||
	    __builtin_add_overflow(fill, gain, &sum))
		return depth;
	return MIN(sum, depth);
}

/*
 * What is in the tank. More than it holds is there when the limit was lowered;
 * that goes once, by one of all workers: each taking it off would leave a debt
 * of the old limit, to be paid at the rate of the new one.
 */
static int64_t
look_into(_Atomic(int64_t) *shared, int64_t depth)
{
	int64_t seen = atomic_load_explicit(shared, memory_order_relaxed);

	if (likely(seen <= depth))
		return seen;
	/* relaxed: see claim_time() */
	atomic_compare_exchange_strong_explicit(
	    shared, &seen, depth, memory_order_relaxed, memory_order_relaxed);
	return MIN(seen, depth);
}

static unsigned
open_buckets(
    const struct police *p, uint64_t now_ns, bool urgent, struct bucket *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_levels; i++) {
		const struct police_level *l = &p->level[i];
		uint64_t us = claim_time(l->tank, now_ns / NS_PER_US);

		for (unsigned k = 0; k < POLICE_N_KINDS; k++) {
			if (l->rate[k] == 0)
				continue;
			b[n].shared = &l->tank->fill[k];
			b[n].seen = look_into(b[n].shared, l->depth[k]);
			b[n].depth = l->depth[k];
			b[n].fill =
			    refilled(b[n].seen, l->rate[k], us, l->depth[k]);
			b[n].reserve = urgent ? 0 : l->depth[k] / URGENT_SHARE;
			b[n].packet = k == POLICE_PPS ? TOKEN : 0;
			b[n].byte = k == POLICE_BPS ? 8 * TOKEN : 0;
			b[n].kind = (enum police_kind)k;
			n++;
		}
	}
	return n;
}

static inline int64_t
cost(const struct bucket *b, uint64_t n, uint64_t bytes)
{
	return (int64_t)n * b->packet + (int64_t)bytes * b->byte;
}

/* The usual case: all of the burst, without a look at each packet. */
static bool
all_pass(struct bucket *b, unsigned n_buckets, unsigned n, uint64_t bytes)
{
	for (unsigned k = 0; k < n_buckets; k++)
		if (b[k].fill - b[k].reserve < cost(&b[k], n, bytes))
			return false;
	for (unsigned k = 0; k < n_buckets; k++)
		b[k].fill -= cost(&b[k], n, bytes);
	return true;
}

/* Returns who refuses a packet of this length; POLICE_N_KINDS: nobody. */
static inline enum police_kind
refusal(const struct bucket *b, unsigned n_buckets, uint16_t len)
{
	for (unsigned k = 0; k < n_buckets; k++) {
		int64_t need = MIN(cost(&b[k], 1, len), b[k].depth / 2);

		if (b[k].fill - b[k].reserve < need)
			return b[k].kind;
	}
	return POLICE_N_KINDS;
}

static void
judge_each(struct bucket *b, unsigned n_buckets,
    const struct police_burst *burst, struct police_verdict *out)
{
	for (unsigned i = 0; i < burst->n; i++) {
		enum police_kind why;

		if (unlikely(out->n_pass >= burst->max)) {
			out->n_rest = burst->n - i;
			return;
		}
		why = refusal(b, n_buckets, burst->lens[i]);
		if (why != POLICE_N_KINDS) {
			out->n_drop[why]++;
			continue;
		}
		for (unsigned k = 0; k < n_buckets; k++)
			b[k].fill -= cost(&b[k], 1, burst->lens[i]);
		out->pass |= UINT64_C(1) << i;
		out->n_pass++;
	}
}

void
police_judge(const struct police *p, const struct police_burst *burst,
    struct police_verdict *out)
{
	struct bucket b[MAX_BUCKETS];
	unsigned n_buckets = open_buckets(p, burst->now_ns, burst->urgent, b);
	unsigned n = burst->n;
	uint64_t bytes = 0;

	POLICE_HOOK();
	*out = (struct police_verdict){ 0 };
	for (unsigned i = 0; i < n; i++)
		bytes += burst->lens[i];
	if (n <= burst->max && all_pass(b, n_buckets, n, bytes)) {
		out->pass = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
		out->n_pass = n;
	} else {
		judge_each(b, n_buckets, burst, out);
	}
	/* relaxed: see claim_time(); what others took meanwhile stays taken */
	for (unsigned k = 0; k < n_buckets; k++)
		if (b[k].fill != b[k].seen)
			atomic_fetch_add_explicit(b[k].shared,
			    b[k].fill - b[k].seen, memory_order_relaxed);
}
