/* SPDX-License-Identifier: Apache-2.0 */
/* vnic_rig: see vnic_rig.h. */
#include "tests/unit/vnic_rig.h"

#include "lib/base.h"
#include "lib/region.h"

static void
map_host(struct rig *r)
{
	const struct vnic_layout *l = &r->maps.l;

	assert_int_equal(
	    region_map(r->fds.host, l->host_bytes, REGION_RW, &r->maps.host),
	    0);
	assert_int_equal(region_map(r->fds.router, l->router_bytes, REGION_RO,
			     &r->maps.router),
	    0);
	assert_int_equal(
	    region_map(r->fds.pool, l->pool_bytes, REGION_RW, &r->maps.pool),
	    0);
}

static void
unmap_host(struct rig *r)
{
	region_unmap(r->maps.host, r->maps.l.host_bytes);
	region_unmap(r->maps.router, r->maps.l.router_bytes);
	region_unmap(r->maps.pool, r->maps.l.pool_bytes);
}

void
rig_open(struct rig *r, uint32_t max_slots, uint32_t ring_log2,
    uint32_t max_vnics, uint32_t n_slots)
{
	struct vnic_geometry g = {
		.n_queues = 2,
		.max_vnics = max_vnics,
		.max_slots = max_slots,
		.ring_log2 = ring_log2,
		.stride = 5 * VNIC_LINE,
		.slot_bytes = 300,
		.headroom = 64,
	};

	*r = (struct rig){ .now_ns = 1000000000 };
	assert_int_equal(vnic_layout_make(&r->maps.l, &g), 0);
	assert_int_equal(vnic_create(&g, &r->fds), 0);
	map_host(r);
	assert_int_equal(region_map(r->fds.router, r->maps.l.router_bytes,
			     REGION_RW, &r->router_rw),
	    0);
	assert_int_equal(ledger_new(&r->maps, 0, n_slots, &r->l), 0);
	assert_int_equal(vnic_attach(&r->fds, &r->v), 0);
	assert_int_equal(vnic_queue_open(r->v, 0, &r->q), 0);
}

void
rig_close(struct rig *r)
{
	vnic_queue_close(r->q);
	vnic_detach(r->v);
	ledger_free(r->l);
	region_unmap(r->router_rw, r->maps.l.router_bytes);
	unmap_host(r);
	vnic_fds_close(&r->fds);
}

void
rig_router_restart(struct rig *r)
{
	vnic_queue_close(r->q);
	vnic_detach(r->v);
	assert_int_equal(vnic_attach(&r->fds, &r->v), 0);
	assert_int_equal(vnic_queue_open(r->v, 0, &r->q), 0);
}

void
rig_host_restart(struct rig *r, uint32_t n_slots)
{
	ledger_free(r->l);
	unmap_host(r);
	map_host(r);
	assert_int_equal(ledger_new(&r->maps, 0, n_slots, &r->l), 0);
}

void
rig_run(struct rig *r)
{
	if (ledger_phase(r->l) == LEDGER_STOPPED)
		ledger_reset(r->l, r->now_ns);
	assert_int_equal(ledger_phase(r->l), LEDGER_WAITING);
	assert_int_equal(vnic_poll(r->q), VNIC_FRESH);
	r->now_ns += 11000000000; /* longer than any hold */
	assert_true(ledger_try_run(r->l, r->now_ns));
	assert_int_equal(vnic_poll(r->q), VNIC_RUN);
	assert_true(ledger_turn(r->l));
}

uint32_t
rig_fill(struct rig *r, unsigned v, uint16_t len, uint8_t fill)
{
	uint32_t slot;

	assert_true(ledger_room(r->l) >= 1);
	assert_true(len <= ledger_buffer_bytes(r->l));
	vnic_count_add(&ledger_counters(r->l, v)->offered, 1);
	ledger_claim(r->l, v, &slot, 1);
	memset(ledger_buffer(r->l, slot), fill, len);
	ledger_publish(r->l, v, &slot, &len, 1);
	return slot;
}

unsigned
rig_take(struct rig *r, unsigned v, struct ledger_frame *out)
{
	unsigned n_taken;
	unsigned n = ledger_take(r->l, v, out, VNIC_BURST, &n_taken);

	assert_true(n <= n_taken);
	vnic_count_add(&ledger_counters(r->l, v)->sent, n);
	ledger_release(r->l, out, n);
	return n;
}

void
rig_store(struct rig *r, unsigned v, uint64_t pos, uint64_t d)
{
	unsigned log2 = r->maps.l.g.ring_log2;
	vnic_desc_t *ring = vnic_tx_ring(&r->maps.l, r->router_rw, 0, v);

	atomic_store_explicit(&ring[pos & ((UINT64_C(1) << log2) - 1)],
	    d | vnic_turn(pos, log2), memory_order_release);
}

uint64_t
rig_faults(const struct rig *r, unsigned v, enum vnic_fault f)
{
	return vnic_count(&ledger_counters(r->l, v)->fault[f]);
}

void
rig_check(const struct rig *r)
{
	uint64_t held = 0, in = 0, out = 0;
	uint32_t missing = 0;

	for (unsigned v = 0; v < r->maps.l.g.max_vnics; v++) {
		struct vnic_counters *c = ledger_counters(r->l, v);
		uint64_t filled = vnic_count(&c->filled);
		uint64_t settled =
		    vnic_count(&c->back) + vnic_count(&c->in_doubt);

		assert_true(settled <= filled);
		held += filled - settled;
		in += vnic_count(&c->back) + vnic_count(&c->originated);
		out += vnic_count(&c->sent);
		for (unsigned i = 0; i < VNIC_N_DONE; i++)
			out += vnic_count(&c->done[i]);
		out += vnic_count(&c->fault[VNIC_FAULT_BAD_LEN]);
		out += vnic_count(&c->fault[VNIC_FAULT_BAD_KIND]);
		for (unsigned i = 0; i < VNIC_N_DROP; i++)
			out += vnic_count(&c->tx_drop[i]);
	}
	assert_int_equal(held, ledger_filled(r->l));
	assert_int_equal(in, out);
	if (ledger_room(r->l) > 0) {
		uint32_t slots = ledger_slots(r->l);
		uint32_t reserve = MIN(MAX(slots / 4, 1U), 64U);

		if (ledger_granted(r->l) < reserve)
			missing = reserve - ledger_granted(r->l);
		assert_true(ledger_room(r->l) + missing + ledger_filled(r->l) +
				ledger_granted(r->l) >=
			    slots);
	}
}
