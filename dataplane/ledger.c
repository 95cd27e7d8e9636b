/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: a worker's turn on one queue: take, grant, fill, ring. See ledger.h;
 * the epochs are in ledger_epoch.c.
 *
 * What the router wrote is loaded once per visit: a descriptor by vnic_take(),
 * r by ledger_turn(), asleep by ledger_ring(). Checks and uses see the private
 * copy only, in the order range, owner, reclaim, form. A slot that fails range
 * or owner is not the router's to give: nothing is reclaimed.
 */
#include "dataplane/ledger_internal.h"

enum {
	PUT_BURST = 64,
	WAKE_GAP_NS = 50000, /* at most one wake-up per queue in this time */
};

/* --- accounting: runs of equal counters are added in one go ------------------ */

struct tally {
	struct ledger *l;
	unsigned vnic; /* of the slots in the ledger, not of the ring */
	uint64_t n_back;
	uint64_t n_originated; /* charged to the ring's vNIC */
};

static void
tally_flush(struct tally *t)
{
	if (t->n_back == 0)
		return;
	vnic_count_add(&t->l->counters[t->vnic].back, t->n_back);
	ledger_set_number(&t->l->n_filled,
	    ledger_number(&t->l->n_filled) - (uint32_t)t->n_back);
	t->n_back = 0;
}

static void
tally_back(struct tally *t, unsigned vnic, unsigned n)
{
	if (unlikely(vnic != t->vnic)) {
		tally_flush(t);
		t->vnic = vnic;
	}
	t->n_back += n;
}

static void
count_fault(struct ledger *l, unsigned v, enum vnic_fault fault)
{
	vnic_count_add(&l->counters[v].fault[fault], 1);
	l->n_faults++;
}

static void
take_grant_back(struct ledger *l)
{
	ledger_set_number(&l->n_granted, ledger_number(&l->n_granted) - 1);
	if (unlikely(l->old_grants > 0)) {
		l->old_grants--;
		l->surplus++;
	}
}

/* --- take --------------------------------------------------------------------- */

enum verdict {
	VERDICT_PACKET,
	VERDICT_DONE,
	VERDICT_BAD_LEN,
	VERDICT_BAD_KIND
};

/* The form of a descriptor; pure, on a private copy. */
static enum verdict
judge(uint64_t d, uint32_t slot_bytes)
{
	uint32_t kind = vnic_desc_kind(d);
	uint32_t len = vnic_desc_len(d);

	if (unlikely(vnic_desc_zero(d) != 0))
		return VERDICT_BAD_KIND;
	if (likely(kind == VNIC_KIND_PACKET)) {
		if (unlikely(vnic_desc_arg(d) != 0))
			return VERDICT_BAD_KIND;
		/* 32 bits wide: 16 would let the sum wrap */
		if (unlikely(len < VNIC_MIN_FRAME ||
			     vnic_desc_off(d) + len > slot_bytes))
			return VERDICT_BAD_LEN;
		return VERDICT_PACKET;
	}
	if (kind != VNIC_KIND_DONE)
		return VERDICT_BAD_KIND;
	return likely(len == 0) ? VERDICT_DONE : VERDICT_BAD_LEN;
}

/*
 * A slot that the router held is the host's again, whatever else is wrong with
 * the descriptor. A packet's slot is not free yet: its bytes are to be copied.
 */
static enum verdict
reclaim(struct tally *t, unsigned v, uint64_t d, uint32_t slot)
{
	struct ledger *l = t->l;
	uint8_t own = l->own[slot];
	enum verdict verdict = judge(d, l->slot_bytes);

	if (unlikely(own == OWN_GRANTED)) {
		take_grant_back(l);
		if (verdict != VERDICT_DONE)
			t->n_originated++;
	} else {
		unsigned home = (unsigned)own - OWN_FILLED;

		tally_back(t, home, 1);
		if (verdict == VERDICT_DONE)
			vnic_count_add(
			    &l->counters[home].done[MIN(
				vnic_desc_arg(d), (uint32_t)VNIC_DONE_OTHER)],
			    1);
	}
	if (verdict == VERDICT_BAD_LEN)
		count_fault(l, v, VNIC_FAULT_BAD_LEN);
	if (verdict == VERDICT_BAD_KIND)
		count_fault(l, v, VNIC_FAULT_BAD_KIND);
	if (verdict == VERDICT_PACKET)
		l->own[slot] = OWN_EMPTY;
	else
		ledger_put_free(l, slot);
	return verdict;
}

/* Returns true and the slot if descriptor d names one that the router holds. */
static bool
slot_is_held(struct ledger *l, unsigned v, uint64_t d, uint32_t *out)
{
	uint32_t slot = vnic_desc_slot(d);

	if (unlikely(slot >= l->max_slots)) {
		count_fault(l, v, VNIC_FAULT_BAD_SLOT);
		return false;
	}
	slot &= l->slot_mask; /* a mispredicted check overruns nothing */
	if (unlikely(
		l->own[slot] == OWN_EMPTY || l->own[slot] == OWN_RETIRED)) {
		count_fault(l, v, VNIC_FAULT_NOT_HELD);
		return false;
	}
	*out = slot;
	return true;
}

/* Of a queue, in registers: a store to own[] may change anything in memory. */
struct limits {
	uint8_t *own;
	const uint8_t *pool;
	size_t stride;
	uint32_t max_slots, slot_mask, slot_bytes;
};

/*
 * What nearly every descriptor is: a well-formed packet in a slot that was
 * filled. Says less than slot_is_held() and reclaim() together, never more.
 */
static inline bool
is_plain(const struct limits *m, uint64_t d)
{
	const uint64_t form = UINT64_C(0xf) << VNIC_DESC_KIND_SHIFT |
			      UINT64_C(0xff) << VNIC_DESC_ARG_SHIFT |
			      UINT64_C(0x3) << VNIC_DESC_ZERO_SHIFT;
	uint32_t slot = vnic_desc_slot(d);
	uint32_t len = vnic_desc_len(d);

	return (d & form) == (uint64_t)VNIC_KIND_PACKET
				 << VNIC_DESC_KIND_SHIFT &&
	       slot < m->max_slots &&
	       (uint8_t)(m->own[slot & m->slot_mask] - OWN_FILLED) <
		   VNIC_MAX_VNICS &&
	       len >= VNIC_MIN_FRAME && vnic_desc_off(d) + len <= m->slot_bytes;
}

/* Takes those of n descriptors that are packets. Returns how many. */
static inline unsigned
accept(struct tally *t, unsigned v, const uint64_t *d, unsigned n_taken,
    struct ledger_frame *out)
{
	struct ledger *l = t->l;
	const struct limits m = {
		.own = l->own,
		.pool = l->pool,
		.stride = l->stride,
		.max_slots = l->max_slots,
		.slot_mask = l->slot_mask,
		.slot_bytes = l->slot_bytes,
	};
	unsigned owner = OWN_FILLED + v, n = 0, n_back = 0;

	for (unsigned i = 0; i < n_taken; i++) {
		uint64_t x = d[i];
		uint32_t slot;

		LEDGER_HOOK(l);
		if (likely(is_plain(&m, x))) {
			slot = vnic_desc_slot(x) & m.slot_mask;
			if (unlikely(m.own[slot] != owner)) {
				tally_back(t, owner - OWN_FILLED, n_back);
				owner = m.own[slot];
				n_back = 0;
			}
			n_back++;
			m.own[slot] = OWN_EMPTY;
		} else if (!slot_is_held(l, v, x, &slot) ||
			   reclaim(t, v, x, slot) != VERDICT_PACKET) {
			continue;
		}
		out[n].bytes = m.pool + slot * m.stride + vnic_desc_off(x);
		out[n].slot = slot;
		out[n].len = (uint16_t)vnic_desc_len(x);
		out[n].vnic = (uint16_t)v;
		prefetch_write(out[n].bytes); /* it is filled again soon */
		n++;
	}
	tally_back(t, owner - OWN_FILLED, n_back);
	return n;
}

unsigned
ledger_take(struct ledger *l, unsigned v, struct ledger_frame *out,
    unsigned max, unsigned *n_taken)
{
	struct tally t = { .l = l, .vnic = v };
	uint64_t d[VNIC_BURST];
	unsigned n;

	*n_taken = 0;
	if (unlikely(l->n_faults >= LEDGER_MAX_FAULTS))
		return 0;
	*n_taken = vnic_take(ledger_tx_ring(l, v), l->log2, &l->tx_pos[v], d,
	    MIN(max, (unsigned)VNIC_BURST));
	n = accept(&t, v, d, *n_taken, out);
	/* before the frames are handed on: a crash leaves them in doubt there */
	tally_flush(&t);
	if (unlikely(t.n_originated > 0))
		vnic_count_add(&l->counters[v].originated, t.n_originated);
	return n;
}

void
ledger_release(struct ledger *l, const struct ledger_frame *f, unsigned n)
{
	uint32_t *to = l->free_slots + l->n_free;

	if (unlikely(l->surplus > 0)) {
		for (unsigned i = 0; i < n; i++)
			ledger_put_free(l, f[i].slot);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		to[i] = f[i].slot; /* EMPTY since ledger_take() */
	l->n_free += n;
}

/* --- grant and fill ------------------------------------------------------------ */

/* Grants that are still to be made: they come before traffic. */
static uint32_t
reserve_missing(const struct ledger *l)
{
	uint32_t granted = ledger_number(&l->n_granted);

	return granted < l->reserve ? l->reserve - granted : 0;
}

void
ledger_grant(struct ledger *l)
{
	unsigned ring = l->max_vnics;
	uint32_t n = MIN(reserve_missing(l), l->n_free);
	uint64_t d[LEDGER_MAX_RESERVE];

	if (n == 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = l->free_slots[--l->n_free];

		l->own[slot] = OWN_GRANTED;
		d[i] = vnic_desc(slot, 0, 0, VNIC_KIND_GRANT, 0);
	}
	ledger_set_number(&l->n_granted, ledger_number(&l->n_granted) + n);
	vnic_put(ledger_rx_ring(l, ring), l->log2, &l->rx_pos[ring], d, n);
	l->published = true;
}

unsigned
ledger_room(const struct ledger *l)
{
	uint32_t missing = reserve_missing(l);

	return l->n_free > missing ? l->n_free - missing : 0;
}

void
ledger_claim(struct ledger *l, unsigned v, uint32_t *slots, unsigned n)
{
	uint8_t *own = l->own;
	const uint32_t *from;

	if (n == 0)
		return;
	vnic_put_soon(ledger_rx_ring(l, v), l->log2, l->rx_pos[v], n);
	from = l->free_slots + l->n_free - 1; /* the last in first */
	for (unsigned i = 0; i < n; i++) {
		slots[i] = from[-(int)i];
		own[slots[i]] = (uint8_t)(OWN_FILLED + v);
	}
	l->n_free -= n;
	ledger_set_number(&l->n_filled, ledger_number(&l->n_filled) + n);
	/* before the descriptors: a crash in between leaves them in doubt */
	vnic_count_add(&l->counters[v].filled, n);
}

void
ledger_buffers(
    const struct ledger *l, const uint32_t *slots, uint8_t **out, unsigned n)
{
	uint8_t *pool = ledger_buffer(l, 0);
	size_t stride = l->stride;

	for (unsigned i = 0; i < n; i++) {
		out[i] = pool + slots[i] * stride;
		prefetch_write(out[i]);
	}
}

uint8_t *
ledger_buffer(const struct ledger *l, uint32_t slot)
{
	return l->pool + (size_t)slot * l->stride + l->headroom;
}

unsigned
ledger_buffer_bytes(const struct ledger *l)
{
	return l->slot_bytes - l->headroom;
}

void
ledger_publish(struct ledger *l, unsigned v, const uint32_t *slots,
    const uint16_t *lens, unsigned n)
{
	vnic_desc_t *ring = ledger_rx_ring(l, v);
	uint64_t form = vnic_desc(0, l->headroom, 0, VNIC_KIND_PACKET, 0);
	uint64_t d[PUT_BURST];

	while (n > 0) {
		unsigned m = MIN(n, (unsigned)PUT_BURST);
		uint64_t bytes = 0;

		for (unsigned i = 0; i < m; i++) {
			bytes += lens[i];
			d[i] = form | vnic_desc(slots[i], 0, lens[i], 0, 0);
		}
		vnic_count_add(&l->counters[v].filled_bytes, bytes);
		vnic_put(ring, l->log2, &l->rx_pos[v], d, m);
		l->published = true;
		slots += m;
		lens += m;
		n -= m;
	}
}

/* --- the turn ------------------------------------------------------------------- */

static bool
let_go(struct ledger *l, bool quarantined)
{
	l->quarantined = quarantined;
	/* pairs with the acquire in ledger_phase(): control owns it now */
	atomic_store_explicit(&l->phase, LEDGER_STOPPED, memory_order_release);
	return false;
}

void
ledger_turn_soon(const struct ledger *l, uint32_t rings)
{
	__builtin_prefetch((const void *)(uintptr_t)l->router);
	for (uint32_t left = rings; left; left &= left - 1) {
		unsigned v = (unsigned)__builtin_ctz(left);

		vnic_take_soon(ledger_tx_ring(l, v), l->log2, l->tx_pos[v]);
	}
}

bool
ledger_turn(struct ledger *l)
{
	if (unlikely(l->n_faults >= LEDGER_MAX_FAULTS))
		return let_go(l, true);
	/* P3: pairs with the router's store of r; equality is all that counts */
	if (unlikely(vnic_epoch_load(&l->router->r) != l->epoch ||
		     ledger_number(&l->stop_asked)))
		return let_go(l, false);
	if (unlikely(
		ledger_number(&l->want_slots) != ledger_number(&l->n_slots)))
		ledger_resize(l);
	return true;
}

bool
ledger_ring(struct ledger *l, uint64_t now_ns)
{
	if (l->published) {
		l->published = false;
		/* P2: after the heads of all bursts of this turn */
		if (vnic_peer_sleeps(&l->router->asleep, &l->router_seen))
			l->wake_owed = true;
	}
	if (likely(!l->wake_owed))
		return false;
	if (now_ns != 0 && now_ns - l->woken_ns < WAKE_GAP_NS)
		return true;
	l->wake_owed = false;
	l->woken_ns = now_ns;
	ledger_wake_router(l);
	return false;
}

/* --- the sleep of a worker -------------------------------------------------------- */

void
ledger_sleep_begin(struct ledger *l)
{
	vnic_sleep_begin(&l->host->asleep);
}

bool
ledger_has_tx(struct ledger *l, uint32_t rings)
{
	/* max_vnics is 1 to 32 */
	rings &= UINT32_MAX >> (32 - l->max_vnics);
	for (uint32_t left = rings; left; left &= left - 1) {
		unsigned v = (unsigned)__builtin_ctz(left);

		if (vnic_ring_has(ledger_tx_ring(l, v), l->log2, l->tx_pos[v]))
			return true;
	}
	return false;
}

bool
ledger_lies_at(const struct ledger *l, unsigned v, uint64_t pos)
{
	return vnic_ring_has(ledger_tx_ring(l, v), l->log2, pos);
}

unsigned
ledger_ready(struct ledger *l, unsigned v)
{
	unsigned n = 0;

	while (n < VNIC_BURST && ledger_lies_at(l, v, l->tx_pos[v] + n))
		n++;
	return n;
}

uint64_t
ledger_tx_pos(const struct ledger *l, unsigned v)
{
	return l->tx_pos[v];
}

bool
ledger_has_work(struct ledger *l, uint32_t rings)
{
	/* P2: all looks after asleep */
	if (vnic_epoch_look(&l->router->r) != l->epoch ||
	    ledger_number(&l->stop_asked) ||
	    ledger_number(&l->want_slots) != ledger_number(&l->n_slots))
		return true;
	return ledger_has_tx(l, rings);
}

void
ledger_sleep_end(struct ledger *l)
{
	vnic_sleep_end(&l->host->asleep);
}

void
ledger_beat(struct ledger *l)
{
	vnic_beat(&l->beat->beat);
}

/* --- numbers ------------------------------------------------------------------------ */

uint32_t
ledger_filled(const struct ledger *l)
{
	return ledger_number(&l->n_filled);
}

uint32_t
ledger_granted(const struct ledger *l)
{
	return ledger_number(&l->n_granted);
}

uint32_t
ledger_slots(const struct ledger *l)
{
	return ledger_number(&l->n_slots);
}

struct vnic_counters *
ledger_counters(const struct ledger *l, unsigned v)
{
	return &l->counters[v];
}
