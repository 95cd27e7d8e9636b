/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ledger: the input is a sequence of moves of a host and of a tenant that
 * also moves between each load and its use (ledger_hook.h). The regions are of
 * the heap, of their exact sizes, so that a sanitizer sees each byte too far.
 *
 * The shadow is what an onlooker knows: a slot in a frame must be one that went
 * to the router after it came back last.
 */
#include "tests/fuzz/fuzz.h"

#include "dataplane/ledger.h"
#include "lib/base.h"
#include "lib/vnic_ring.h"
#include "tests/fuzz/ledger_hook.h"

enum { SLOTS = 12, VNICS = 2, LOG2 = 4 };

static struct world {
	struct fuzz_input in;
	struct ledger_maps maps;
	struct ledger *l;
	uint64_t now_ns;
	uint64_t pos[VNICS]; /* of the tenant */
	bool is_out[SLOTS];
} w;

static uint64_t n_mutations;

uint64_t
fuzz_count(void)
{
	return n_mutations;
}

/* --- the tenant ------------------------------------------------------------------ */

static uint64_t
any_descriptor(void)
{
	uint32_t how = fuzz_u8(&w.in);
	uint32_t slot = fuzz_u8(&w.in) % SLOTS;
	uint32_t len = 14 + fuzz_u8(&w.in) % 120;

	if (how < 100)
		return vnic_desc(slot, how % 20, len, VNIC_KIND_PACKET, 0);
	if (how < 140)
		return vnic_desc(slot, 0, 0, VNIC_KIND_DONE, how % 16);
	if (how < 200) /* the edges of a slot, and of 16 bits */
		return vnic_desc(slot, fuzz_u16(&w.in) & 0xfff, fuzz_u16(&w.in),
		    how % 16, how < 160 ? 0 : how & 0xff);
	return fuzz_u64(&w.in) & ~(UINT64_C(3) << VNIC_DESC_TURN_SHIFT);
}

static vnic_desc_t *
tx_ring(unsigned v)
{
	return vnic_tx_ring(&w.maps.l, w.maps.router, 0, v);
}

static void
send_descriptors(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned v = fuzz_u8(&w.in) % VNICS;
		uint64_t pos = w.pos[v]++;

		atomic_store_explicit(&tx_ring(v)[pos % (1 << LOG2)],
		    any_descriptor() | vnic_turn(pos, LOG2),
		    memory_order_relaxed);
	}
}

/* One store at the worst moment. */
void
fuzz_tenant(void)
{
	struct vnic_router_line *line =
	    vnic_router_line(&w.maps.l, w.maps.router, 0);
	uint32_t how = fuzz_u8(&w.in);
	unsigned v = how & 1;

	n_mutations++;
	if (how < 200) {
		uint64_t turn = (uint64_t)(how & 2) << VNIC_DESC_TURN_SHIFT;

		/* every entry at once: the one in use is among them */
		uint64_t d = any_descriptor() | turn |
			     UINT64_C(1) << VNIC_DESC_TURN_SHIFT;

		for (unsigned i = 0; i < 1 << LOG2; i++)
			atomic_store_explicit(
			    &tx_ring(v)[i], d, memory_order_relaxed);
	} else if (how < 220) {
		vnic_epoch_store(&line->r, how);
	} else {
		atomic_store_explicit(&line->asleep, how, memory_order_relaxed);
	}
}

/* --- the host --------------------------------------------------------------------- */

static void
take(unsigned v, unsigned max)
{
	const struct vnic_geometry *g = &w.maps.l.g;
	struct ledger_frame f[VNIC_BURST];
	uint8_t copy[512];
	unsigned n_taken, n;

	n = ledger_take(w.l, v, f, max, &n_taken);
	FUZZ_MUST(n <= n_taken && n_taken <= max && n_taken <= VNIC_BURST);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *slot;

		FUZZ_MUST(f[i].slot < SLOTS && f[i].vnic == v);
		FUZZ_MUST(w.is_out[f[i].slot]);
		w.is_out[f[i].slot] = false;
		slot = vnic_slot(&w.maps.l, w.maps.pool, 0, f[i].slot);
		FUZZ_MUST(f[i].len >= VNIC_MIN_FRAME && f[i].bytes >= slot &&
			  f[i].bytes + f[i].len <= slot + g->slot_bytes);
		memcpy(copy, f[i].bytes, f[i].len);
		vnic_count_add(&ledger_counters(w.l, v)->sent, 1);
	}
	ledger_release(w.l, f, n);
}

static void
fill(unsigned v, unsigned n)
{
	uint32_t slots[SLOTS];
	uint16_t lens[SLOTS];

	n = MIN(n, ledger_room(w.l));
	ledger_claim(w.l, v, slots, n);
	for (unsigned i = 0; i < n; i++) {
		FUZZ_MUST(slots[i] < SLOTS);
		for (unsigned k = 0; k < i; k++)
			FUZZ_MUST(slots[i] != slots[k]);
		w.is_out[slots[i]] = true;
		lens[i] = (uint16_t)(14 + fuzz_u8(&w.in) % 50);
		memset(ledger_buffer(w.l, slots[i]), 1, lens[i]);
	}
	ledger_publish(w.l, v, slots, lens, n);
}

static void
grant(void)
{
	unsigned ring = VNICS;
	vnic_desc_t *grants = vnic_rx_ring(&w.maps.l, w.maps.host, 0, ring);

	ledger_grant(w.l);
	/* granted slots go out too: an onlooker sees them in the ring */
	for (unsigned i = 0; i < 1 << LOG2; i++) {
		uint64_t d =
		    atomic_load_explicit(&grants[i], memory_order_relaxed);

		if (d != 0)
			w.is_out[vnic_desc_slot(d)] = true;
	}
}

static void
check_account(void)
{
	uint64_t held = 0, in = 0, out = 0;

	for (unsigned v = 0; v < VNICS; v++) {
		struct vnic_counters *c = ledger_counters(w.l, v);

		held += vnic_count(&c->filled) - vnic_count(&c->back) -
			vnic_count(&c->in_doubt);
		in += vnic_count(&c->back) + vnic_count(&c->originated);
		out += vnic_count(&c->sent) +
		       vnic_count(&c->fault[VNIC_FAULT_BAD_LEN]) +
		       vnic_count(&c->fault[VNIC_FAULT_BAD_KIND]);
		for (unsigned i = 0; i < VNIC_N_DONE; i++)
			out += vnic_count(&c->done[i]);
	}
	FUZZ_MUST(held == ledger_filled(w.l));
	FUZZ_MUST(in == out);
	FUZZ_MUST(ledger_filled(w.l) + ledger_granted(w.l) + ledger_room(w.l) <=
		  SLOTS);
}

/* To RUN, with a tenant that plays along for once. */
static void
begin_epoch(void)
{
	struct vnic_router_line *line =
	    vnic_router_line(&w.maps.l, w.maps.router, 0);
	struct vnic_host_line *host = vnic_host_line(&w.maps.l, w.maps.host, 0);

	if (ledger_phase(w.l) == LEDGER_STOPPED)
		ledger_reset(w.l, w.now_ns);
	memset(w.pos, 0, sizeof(w.pos));
	memset(w.is_out, 0, sizeof(w.is_out));
	for (unsigned v = 0; v < VNICS; v++)
		vnic_ring_blank(tx_ring(v), LOG2);
	vnic_epoch_store(&line->r, vnic_h_epoch(vnic_epoch_load(&host->h)));
	w.now_ns += UINT64_C(20000000000);
	FUZZ_MUST(ledger_try_run(w.l, w.now_ns));
	FUZZ_MUST(ledger_filled(w.l) == 0 && ledger_granted(w.l) == 0);
}

static void
restart_host(void)
{
	ledger_free(w.l);
	FUZZ_MUST(ledger_new(&w.maps, 0, SLOTS, &w.l) == 0);
	begin_epoch();
}

static void
one_move(void)
{
	uint32_t move = fuzz_u8(&w.in);
	uint32_t arg = fuzz_u8(&w.in);

	if (move < 90)
		send_descriptors(arg % 8);
	else if (move < 150)
		take(move & 1, 1 + arg % VNIC_BURST);
	else if (move < 200)
		fill(move & 1, arg % 8);
	else if (move < 225)
		grant();
	else if (move < 240)
		fuzz_tenant();
	else if (move < 246)
		ledger_ask_slots(w.l, arg % (SLOTS + 4));
	else if (move < 250)
		ledger_ring(w.l, w.now_ns += arg * 1000);
	else if (move < 253)
		ledger_ask_stop(w.l);
	else
		restart_host();
	check_account();
	if (!ledger_turn(w.l))
		begin_epoch();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vnic_geometry g = {
		.n_queues = 2,
		.max_vnics = VNICS,
		.max_slots = SLOTS,
		.ring_log2 = LOG2,
		.stride = 3 * VNIC_LINE,
		.slot_bytes = 150,
		.headroom = 16,
	};

	w = (struct world){ .in = { data, size }, .now_ns = 1 };
	FUZZ_MUST(vnic_layout_make(&w.maps.l, &g) == 0);
	w.maps.host = aligned_alloc(4096, w.maps.l.host_bytes);
	w.maps.router = aligned_alloc(4096, w.maps.l.router_bytes);
	w.maps.pool = aligned_alloc(4096, w.maps.l.pool_bytes);
	memset(w.maps.host, 0, w.maps.l.host_bytes);
	memset(w.maps.router, 0, w.maps.l.router_bytes);
	memset(w.maps.pool, 0, w.maps.l.pool_bytes);
	FUZZ_MUST(ledger_new(&w.maps, 0, SLOTS, &w.l) == 0);
	begin_epoch();
	while (w.in.left > 0)
		one_move();
	/* whatever happened: the next epoch has all slots again */
	restart_host();
	while (ledger_room(w.l) > 0)
		fill(0, 1);
	grant();
	FUZZ_MUST(ledger_filled(w.l) + ledger_granted(w.l) == SLOTS);
	check_account();
	ledger_free(w.l);
	free(w.maps.host);
	free(w.maps.router);
	free(w.maps.pool);
	return 0;
}
