/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_epoch: the control thread's side of a queue: its life, its epochs and
 * the number of its slots. See ledger.h and the table of states in vnic_abi.h.
 *
 * All trouble has one cure, a new epoch, in which both sides have forgotten
 * everything. The epoch number comes from h alone, which the router cannot
 * write. Nothing here waits for the router: a queue in WAITING costs one load
 * per control tick.
 */
#include "dataplane/ledger_internal.h"
#include "dataplane/lines.h"

#include <linux/futex.h>
#include <sys/syscall.h>

enum {
	MIN_SLOTS = 2,
	GRANT_SHARE = 4,
	WAKE_MOST = 2, /* one waits for a queue, and one that is about to end */
};

/* Holds, ns: the first, the last, and the RUN that is long enough to forget. */
static const struct hold {
	uint64_t first;
	uint64_t last;
	uint64_t calm;
} reset_hold = { 1000000, 1000000000, 1000000000 },
  quarantine_hold = { 100000000, 10000000000, 10000000000 };

/* --- slots -------------------------------------------------------------------- */

static uint32_t
reserve_of(uint32_t n_slots)
{
	uint32_t share = n_slots / GRANT_SHARE;

	return MIN(MAX(share, UINT32_C(1)), (uint32_t)LEDGER_MAX_RESERVE);
}

/* Every slot is EMPTY or RETIRED; the lowest are used first. */
static void
forget_slots(struct ledger *l)
{
	uint32_t n = ledger_number(&l->want_slots);

	ledger_set_number(&l->n_slots, n);
	ledger_set_number(&l->n_filled, 0);
	ledger_set_number(&l->n_granted, 0);
	l->surplus = l->old_grants = 0;
	l->reserve = reserve_of(n);
	memset(l->own, OWN_RETIRED, (size_t)l->slot_mask + 1);
	l->n_free = 0;
	for (uint32_t slot = n; slot > 0; slot--)
		ledger_put_free(l, slot - 1);
}

/* Takes n EMPTY slots out of use: those that were used longest ago. */
static void
retire_free(struct ledger *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		l->own[l->free_slots[i]] = OWN_RETIRED;
	l->n_free -= n;
	memmove(l->free_slots, l->free_slots + n,
	    l->n_free * sizeof(*l->free_slots));
}

/* Returns how many of n there were. */
static uint32_t
use_retired(struct ledger *l, uint32_t n)
{
	uint32_t left = n;

	for (uint32_t slot = 0; slot < l->max_slots && left > 0; slot++)
		if (l->own[slot] == OWN_RETIRED) {
			ledger_put_free(l, slot);
			left--;
		}
	return n - left;
}

/*
 * Which slots they are does not matter, only how many. Grants cannot be called
 * back: those beyond a reserve that became smaller count beside n_slots until
 * they come home, or traffic would have nothing left. Then
 *
 *	empty + filled + granted = n_slots + old_grants + surplus
 */
void
ledger_resize(struct ledger *l)
{
	uint32_t want = ledger_number(&l->want_slots);
	uint32_t granted = ledger_number(&l->n_granted);
	uint32_t there = l->n_free + ledger_number(&l->n_filled) + granted;
	uint32_t goal, n;

	l->reserve = reserve_of(want);
	l->old_grants = granted > l->reserve ? granted - l->reserve : 0;
	l->surplus = 0;
	ledger_set_number(&l->n_slots, want);
	goal = want + l->old_grants;
	if (there < goal) {
		n = goal - there - use_retired(l, goal - there);
		l->old_grants -= MIN(n, l->old_grants);
		return;
	}
	n = MIN(there - goal, l->n_free);
	retire_free(l, n);
	l->surplus = there - goal - n;
}

void
ledger_ask_slots(struct ledger *l, uint32_t n_slots)
{
	uint32_t n = MAX(n_slots, (uint32_t)MIN_SLOTS);

	ledger_set_number(&l->want_slots, MIN(n, l->max_slots));
}

/* --- life ---------------------------------------------------------------------- */

static uint32_t
power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static void
bind_maps(struct ledger *l, const struct ledger_maps *m, unsigned q)
{
	l->max_vnics = m->l.g.max_vnics;
	l->log2 = m->l.g.ring_log2;
	l->rx_rings = vnic_rx_ring(&m->l, m->host, q, 0);
	l->tx_rings = vnic_tx_ring(&m->l, m->router, q, 0);
	l->pool = vnic_slot(&m->l, m->pool, q, 0);
	l->max_slots = m->l.g.max_slots;
	l->stride = m->l.g.stride;
	l->slot_bytes = (uint16_t)m->l.g.slot_bytes; /* <= 2^14 */
	l->headroom = (uint16_t)m->l.g.headroom;     /* < 2^12 */
	l->host = vnic_host_line(&m->l, m->host, q);
	l->beat = vnic_host_beat(&m->l, m->host, q);
	l->router = vnic_router_line(&m->l, m->router, q);
	l->counters = vnic_counters(&m->l, m->host, q, 0);
}

int
ledger_new(const struct ledger_maps *m, unsigned q, uint32_t n_slots,
    struct ledger **out)
{
	struct ledger *l;
	uint32_t size;

	if (q >= m->l.g.n_queues || n_slots < MIN_SLOTS ||
	    n_slots > m->l.g.max_slots)
		return -EINVAL;
	l = lines_alloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	bind_maps(l, m, q);
	if (vnic_h_state(vnic_epoch_load(&l->host->h)) == VNIC_STATE_GONE) {
		ledger_free(l);
		return -ESTALE;
	}
	size = power_of_two(m->l.g.max_slots);
	l->slot_mask = size - 1;
	l->own = lines_alloc(size, sizeof(*l->own));
	l->free_slots = lines_alloc(m->l.g.max_slots, sizeof(*l->free_slots));
	if (!l->own || !l->free_slots) {
		ledger_free(l);
		return -ENOMEM;
	}
	ledger_set_number(&l->want_slots, n_slots);
	forget_slots(l);
	atomic_store_explicit(&l->phase, LEDGER_STOPPED, memory_order_relaxed);
	vnic_sleep_end(&l->host->asleep); /* a predecessor may have slept */
	*out = l;
	return 0;
}

void
ledger_free(struct ledger *l)
{
	if (!l)
		return;
	free(l->own);
	free(l->free_slots);
	free(l);
}

enum ledger_phase
ledger_phase(const struct ledger *l)
{
	/* pairs with the releases of the phase: its owner's stores are seen */
	return (enum ledger_phase)atomic_load_explicit(
	    &l->phase, memory_order_acquire);
}

/* --- epochs --------------------------------------------------------------------- */

void
ledger_nudge(const struct ledger *l)
{
	/* shared, not PRIVATE: the sleeper is another process */
	syscall(
	    SYS_futex, &l->host->wake, FUTEX_WAKE, WAKE_MOST, NULL, NULL, 0);
}

void
ledger_wake_router(struct ledger *l)
{
	vnic_wake_bump(&l->host->wake);
	ledger_nudge(l);
}

/* From shared counters alone: they outlive this process. */
static void
settle_doubt(struct ledger *l)
{
	for (unsigned v = 0; v < l->max_vnics; v++) {
		struct vnic_counters *c = &l->counters[v];
		uint64_t doubt = vnic_count(&c->filled) - vnic_count(&c->back) -
				 vnic_count(&c->in_doubt);

		vnic_count_add(&c->in_doubt, doubt);
	}
}

static void
forget_rings(struct ledger *l)
{
	/* the ring after the last vNIC's is the grant ring */
	for (unsigned v = 0; v <= l->max_vnics; v++)
		vnic_ring_blank(ledger_rx_ring(l, v), l->log2);
	memset(l->rx_pos, 0, sizeof(l->rx_pos));
	memset(l->tx_pos, 0, sizeof(l->tx_pos));
}

static uint64_t
next_hold(const struct hold *h, uint64_t last, uint64_t lasted_ns)
{
	if (last == 0 || lasted_ns >= h->calm)
		return h->first;
	return MIN(2 * last, h->last);
}

/* A hold that is under way is never cut short by another reset. */
static void
begin_hold(struct ledger *l, uint64_t now_ns)
{
	uint64_t lasted = now_ns - l->run_ns;
	uint64_t hold = reset_hold.first;

	if (l->has_run && l->quarantined) {
		hold =
		    next_hold(&quarantine_hold, l->quarantine_hold_ns, lasted);
		l->quarantine_hold_ns = hold;
	} else if (l->has_run) {
		hold = next_hold(&reset_hold, l->reset_hold_ns, lasted);
		l->reset_hold_ns = hold;
	}
	l->hold_until_ns = MAX(l->hold_until_ns, now_ns + hold);
	l->reset_ns = now_ns;
	l->has_run = false;
}

/* Epochs have 30 bits; 0 is what r says when it serves none. */
static uint32_t
epoch_after(uint32_t h)
{
	uint32_t epoch = vnic_h_epoch(vnic_h(vnic_h_epoch(h) + 1, 0));

	return epoch == 0 ? 1 : epoch;
}

void
ledger_reset(struct ledger *l, uint64_t now_ns)
{
	uint32_t h = vnic_epoch_load(&l->host->h);
	bool faulty = l->has_run && l->quarantined;

	settle_doubt(l);
	forget_slots(l);
	forget_rings(l);
	begin_hold(l, now_ns);
	if (vnic_h_state(h) != VNIC_STATE_NONE)
		vnic_count_add(&l->beat->resets, 1);
	if (faulty)
		vnic_count_add(&l->beat->quarantines, 1);
	l->n_faults = 0;
	l->published = false;
	l->wake_owed = false;
	l->router_seen = 0;
	l->epoch = epoch_after(h);
	/* P3: rings are blank, all slots are home */
	vnic_epoch_store(&l->host->h, vnic_h(l->epoch, VNIC_STATE_WAIT));
	ledger_wake_router(l);
	/* pairs with ledger_phase() */
	atomic_store_explicit(&l->phase, LEDGER_WAITING, memory_order_release);
}

bool
ledger_try_run(struct ledger *l, uint64_t now_ns)
{
	if (ledger_phase(l) != LEDGER_WAITING || now_ns < l->hold_until_ns)
		return false;
	/* P3: pairs with the router's store of r: its rings are blank */
	if (vnic_epoch_load(&l->router->r) != l->epoch)
		return false;
	l->run_ns = now_ns;
	l->has_run = true;
	l->quarantined = false;
	/* what was asked of an earlier epoch is done by now */
	ledger_set_number(&l->stop_asked, 0);
	vnic_epoch_store(&l->host->h, vnic_h(l->epoch, VNIC_STATE_RUN));
	ledger_wake_router(l);
	/* pairs with ledger_phase(): the worker owns it now */
	atomic_store_explicit(&l->phase, LEDGER_RUN, memory_order_release);
	return true;
}

void
ledger_ask_stop(struct ledger *l)
{
	/* relaxed: a request, it publishes nothing */
	ledger_set_number(&l->stop_asked, 1);
}

void
ledger_gone(struct ledger *l)
{
	uint32_t epoch = vnic_h_epoch(vnic_epoch_load(&l->host->h));

	settle_doubt(l);
	/* P3: nobody touches the rings any more */
	vnic_epoch_store(&l->host->h, vnic_h(epoch, VNIC_STATE_GONE));
	ledger_wake_router(l);
	atomic_store_explicit(&l->phase, LEDGER_GONE, memory_order_release);
}

bool
ledger_was_quarantined(const struct ledger *l)
{
	return l->quarantined;
}

uint64_t
ledger_waiting_ns(const struct ledger *l, uint64_t now_ns)
{
	if (ledger_phase(l) != LEDGER_WAITING ||
	    vnic_epoch_load(&l->router->r) == l->epoch)
		return 0;
	return now_ns - l->reset_ns;
}
