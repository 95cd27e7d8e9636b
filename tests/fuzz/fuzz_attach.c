/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_attach: a header with some numbers changed: if it is accepted, then all
 * that a router would touch lies within the regions that it would map.
 */
#include "tests/fuzz/fuzz.h"

#include "lib/base.h"
#include "lib/vnic_layout.h"

static uint64_t n_accepted;

uint64_t
fuzz_count(void)
{
	return n_accepted;
}

/* Nothing is touched: addresses of a region that begins at one page. */
#define BASE ((void *)(uintptr_t)4096)

static size_t
offset(const void *p)
{
	return (size_t)(uintptr_t)p - 4096;
}

static void
check_layout(const struct vnic_layout *l)
{
	const struct vnic_geometry *g = &l->g;
	unsigned q = g->n_queues - 1, v = g->max_vnics;
	size_t ring = (size_t)8 << g->ring_log2;

	n_accepted++;
	FUZZ_MUST(g->max_slots <= 1U << g->ring_log2);
	FUZZ_MUST(offset(vnic_rx_ring(l, BASE, q, v)) + ring <= l->host_bytes);
	FUZZ_MUST(
	    offset(vnic_tx_ring(l, BASE, q, v - 1)) + ring <= l->router_bytes);
	FUZZ_MUST(
	    offset(vnic_slot(l, BASE, q, g->max_slots - 1)) + g->slot_bytes <=
	    l->pool_bytes);
	FUZZ_MUST(g->headroom + VNIC_MIN_FRAME <= g->slot_bytes);
	FUZZ_MUST(offset(vnic_entry(l, BASE, v)) <= l->host_queue_off);
}

static uint32_t
choose(struct fuzz_input *in, uint32_t usual)
{
	uint32_t how = fuzz_u8(in);

	if (how < 160)
		return usual;
	if (how < 220)
		return fuzz_u8(in);
	return (uint32_t)fuzz_u64(in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct vnic_geometry g = {
		.n_queues = choose(&in, 3),
		.max_vnics = choose(&in, 4),
		.max_slots = choose(&in, 512),
		.ring_log2 = choose(&in, 9),
		.stride = choose(&in, 1600),
		.slot_bytes = choose(&in, 1586),
		.headroom = choose(&in, 64),
	};
	struct vnic_layout l, own;
	struct vnic_hdr hdr = { 0 };

	if (vnic_layout_make(&l, &g) == 0) {
		check_layout(&l);
		vnic_layout_to_hdr(&l, &hdr);
		FUZZ_MUST(vnic_layout_from_hdr(&own, &hdr) == 0);
		FUZZ_MUST(memcmp(&own.g, &l.g, sizeof(l.g)) == 0);
	}
	for (unsigned n = fuzz_u8(&in) % 4; n > 0; n--)
		((uint8_t *)&hdr)[fuzz_u8(&in) % sizeof(hdr)] =
		    (uint8_t)fuzz_u8(&in);
	if (vnic_layout_from_hdr(&l, &hdr) == 0)
		check_layout(&l);
	return 0;
}
