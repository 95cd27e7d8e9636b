/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_layout: offsets. Queues begin on pages, so that queues of different
 * threads share neither lines nor pages.
 */
#include "lib/vnic_layout.h"

#include "lib/base.h"

enum { PAGE = 4096 };

static size_t
align_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static bool
in_range(uint32_t v, uint32_t min, uint32_t max)
{
	return v >= min && v <= max;
}

static bool
geometry_is_valid(const struct vnic_geometry *g)
{
	return in_range(g->n_queues, 2, VNIC_MAX_QUEUES) &&
	       in_range(g->max_vnics, 1, VNIC_MAX_VNICS) &&
	       in_range(g->ring_log2, VNIC_MIN_RING_LOG2, VNIC_MAX_RING_LOG2) &&
	       in_range(g->max_slots, 2, UINT32_C(1) << g->ring_log2) &&
	       in_range(g->headroom, 0, VNIC_MAX_HEADROOM) &&
	       in_range(g->slot_bytes, g->headroom + VNIC_MIN_FRAME,
		   VNIC_MAX_SLOT_BYTES) &&
	       in_range(g->stride, g->slot_bytes, 2 * VNIC_MAX_SLOT_BYTES) &&
	       g->stride % (2 * VNIC_LINE) == VNIC_LINE;
}

int
vnic_layout_make(struct vnic_layout *out, const struct vnic_geometry *g)
{
	struct vnic_layout l = { .g = *g };
	size_t ring_bytes;

	if (!geometry_is_valid(g))
		return -EINVAL;
	ring_bytes = (size_t)8 << g->ring_log2;
	l.entries_off = align_up(sizeof(struct vnic_hdr), VNIC_LINE);
	l.host_queue_off = align_up(
	    l.entries_off + g->max_vnics * sizeof(struct vnic_entry), PAGE);
	l.counters_off = 2 * VNIC_LINE;
	l.rx_off = l.counters_off + g->max_vnics * sizeof(struct vnic_counters);
	l.host_queue_size =
	    align_up(l.rx_off + (g->max_vnics + 1) * ring_bytes, PAGE);
	l.tx_off = 2 * VNIC_LINE;
	l.router_queue_size =
	    align_up(l.tx_off + g->max_vnics * ring_bytes, PAGE);
	l.host_bytes = l.host_queue_off + g->n_queues * l.host_queue_size;
	l.router_bytes = g->n_queues * l.router_queue_size;
	l.pool_bytes =
	    align_up((size_t)g->n_queues * g->max_slots * g->stride, PAGE);
	*out = l;
	return 0;
}

void
vnic_geometry_for(struct vnic_geometry *out, unsigned n_data,
    unsigned max_vnics, unsigned n_slots, unsigned mtu)
{
	struct vnic_geometry g = {
		.n_queues = n_data + 1,
		.max_vnics = max_vnics,
		.ring_log2 = VNIC_MIN_RING_LOG2,
		.headroom = VNIC_LINE,
	};
	size_t lines;

	while (
	    (1U << g.ring_log2) < n_slots && g.ring_log2 < VNIC_MAX_RING_LOG2)
		g.ring_log2++;
	/* more slots than any ring has: vnic_layout_make() refuses them */
	g.max_slots = MAX(1U << g.ring_log2, n_slots);
	g.slot_bytes = g.headroom + VNIC_MIN_FRAME + 2 * 4 + mtu;
	lines = align_up(g.slot_bytes, VNIC_LINE) / VNIC_LINE;
	g.stride = (uint32_t)((lines | 1) * VNIC_LINE);
	*out = g;
}

void
vnic_layout_to_hdr(const struct vnic_layout *l, struct vnic_hdr *hdr)
{
	hdr->magic = VNIC_MAGIC;
	hdr->major = VNIC_MAJOR;
	hdr->minor = VNIC_MINOR;
	hdr->features = 0;
	hdr->n_queues = l->g.n_queues;
	hdr->max_vnics = l->g.max_vnics;
	hdr->max_slots = l->g.max_slots;
	hdr->ring_log2 = l->g.ring_log2;
	hdr->stride = l->g.stride;
	hdr->slot_bytes = l->g.slot_bytes;
	hdr->headroom = l->g.headroom;
	hdr->entries_off = l->entries_off;
	hdr->host_queue_off = l->host_queue_off;
	hdr->host_queue_size = l->host_queue_size;
	hdr->counters_off = l->counters_off;
	hdr->rx_off = l->rx_off;
	hdr->router_queue_size = l->router_queue_size;
	hdr->tx_off = l->tx_off;
	hdr->host_bytes = l->host_bytes;
	hdr->router_bytes = l->router_bytes;
	hdr->pool_bytes = l->pool_bytes;
}

int
vnic_layout_from_hdr(struct vnic_layout *out, const struct vnic_hdr *hdr)
{
	struct vnic_geometry g = {
		.n_queues = hdr->n_queues,
		.max_vnics = hdr->max_vnics,
		.max_slots = hdr->max_slots,
		.ring_log2 = hdr->ring_log2,
		.stride = hdr->stride,
		.slot_bytes = hdr->slot_bytes,
		.headroom = hdr->headroom,
	};
	struct vnic_hdr want = { 0 };
	struct vnic_layout l;

	if (hdr->magic != VNIC_MAGIC)
		return -EPROTO;
	if (hdr->major != VNIC_MAJOR)
		return -EPROTONOSUPPORT;
	if (vnic_layout_make(&l, &g) < 0)
		return -EINVAL;
	vnic_layout_to_hdr(&l, &want);
	want.minor = hdr->minor;
	want.features = hdr->features;
	if (memcmp(&want, hdr, sizeof(want)) != 0)
		return -EINVAL;
	*out = l;
	return 0;
}
