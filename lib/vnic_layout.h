/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_layout: from seven numbers to every offset in the three regions.
 *
 * Both sides compute the layout from the geometry; the header that europad
 * writes must agree with it to the byte, or a router refuses to attach. The
 * host takes the geometry from europad's message, never from shared memory.
 */
#ifndef VNIC_LAYOUT_H
#define VNIC_LAYOUT_H

#include "lib/vnic_abi.h"

#include <stddef.h>

struct vnic_geometry {
	uint32_t n_queues;   /* 2..VNIC_MAX_QUEUES, the control queue is last */
	uint32_t max_vnics;  /* 1..VNIC_MAX_VNICS */
	uint32_t max_slots;  /* per queue, 2..VNIC_MAX_SLOTS */
	uint32_t ring_log2;  /* 1 << ring_log2 >= max_slots */
	uint32_t stride;     /* bytes, an odd number of cache lines */
	uint32_t slot_bytes; /* headroom + 14..stride */
	uint32_t headroom;   /* bytes, 0..VNIC_MAX_HEADROOM */
};

struct vnic_layout {
	struct vnic_geometry g;
	size_t entries_off;
	size_t host_queue_off;
	size_t host_queue_size;
	size_t counters_off;
	size_t rx_off;
	size_t router_queue_size;
	size_t tx_off;
	size_t host_bytes;
	size_t router_bytes;
	size_t pool_bytes;
};

/*
 * Returns 0 and the layout, or -EINVAL if a number of g is out of its range.
 * Context: any thread.
 */
int vnic_layout_make(struct vnic_layout *out, const struct vnic_geometry *g);

/*
 * A geometry for n_data data queues and a control queue, whose slots hold
 * frames of an MTU of mtu bytes (with two VLAN tags) and of which each data
 * queue may have n_slots. All are rounded up to what the protocol allows.
 */
void vnic_geometry_for(struct vnic_geometry *out, unsigned n_data,
    unsigned max_vnics, unsigned n_slots, unsigned mtu);

/* Writes the header that belongs to the layout; hdr is all zeros before. */
void vnic_layout_to_hdr(const struct vnic_layout *l, struct vnic_hdr *hdr);

/*
 * Checks a private copy of a header and makes its layout. Returns 0,
 * -EPROTO (no header of ours), -EPROTONOSUPPORT (other major) or -EINVAL.
 */
int vnic_layout_from_hdr(struct vnic_layout *out, const struct vnic_hdr *hdr);

static inline struct vnic_host_line *
vnic_host_line(const struct vnic_layout *l, void *host, unsigned q)
{
	return (struct vnic_host_line *)(void *)((char *)host +
						 l->host_queue_off +
						 q * l->host_queue_size);
}

static inline struct vnic_beat_line *
vnic_host_beat(const struct vnic_layout *l, void *host, unsigned q)
{
	return (struct vnic_beat_line *)(void *)((char *)host +
						 l->host_queue_off +
						 q * l->host_queue_size +
						 VNIC_LINE);
}

static inline struct vnic_counters *
vnic_counters(const struct vnic_layout *l, void *host, unsigned q, unsigned v)
{
	return (
	    struct vnic_counters *)(void *)((char *)host + l->host_queue_off +
					    q * l->host_queue_size +
					    l->counters_off +
					    v * sizeof(struct vnic_counters));
}

/* v = max_vnics is the grant ring */
static inline _Atomic(uint64_t) *
vnic_rx_ring(const struct vnic_layout *l, void *host, unsigned q, unsigned v)
{
	return (
	    _Atomic(uint64_t) *)(void *)((char *)host + l->host_queue_off +
					 q * l->host_queue_size + l->rx_off +
					 ((size_t)v << (l->g.ring_log2 + 3)));
}

static inline struct vnic_entry *
vnic_entry(const struct vnic_layout *l, void *host, unsigned v)
{
	return (struct vnic_entry *)(void *)((char *)host + l->entries_off +
					     v * sizeof(struct vnic_entry));
}

static inline struct vnic_router_line *
vnic_router_line(const struct vnic_layout *l, void *router, unsigned q)
{
	return (struct vnic_router_line *)(void *)((char *)router +
						   q * l->router_queue_size);
}

static inline struct vnic_beat_line *
vnic_router_beat(const struct vnic_layout *l, void *router, unsigned q)
{
	return (struct vnic_beat_line *)(void *)((char *)router +
						 q * l->router_queue_size +
						 VNIC_LINE);
}

static inline _Atomic(uint64_t) *
vnic_tx_ring(const struct vnic_layout *l, void *router, unsigned q, unsigned v)
{
	return (
	    _Atomic(uint64_t) *)(void *)((char *)router +
					 q * l->router_queue_size + l->tx_off +
					 ((size_t)v << (l->g.ring_log2 + 3)));
}

static inline uint8_t *
vnic_slot(const struct vnic_layout *l, void *pool, unsigned q, uint32_t slot)
{
	return (uint8_t *)pool +
	       ((size_t)q * l->g.max_slots + slot) * l->g.stride;
}

#endif
