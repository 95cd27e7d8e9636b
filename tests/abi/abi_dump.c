/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abi_dump: prints the contract of lib/vnic_abi.h as numbers: sizes, offsets,
 * and the layout of one geometry. Compiled twice: as C sees the header, and
 * with -DVNIC_FFI as LuaJIT does; the structs must come out the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef VNIC_FFI
#include "lib/vnic_abi.h"
#else
#include "lib/vnic_layout.h"
#endif

#define STRUCT(s) printf("struct %s %zu\n", #s, sizeof(struct s))
#define FIELD(s, f)                                                  \
	printf("\t%s.%s %zu + %zu\n", #s, #f, offsetof(struct s, f), \
	    sizeof(((struct s *)0)->f))

static void
print_lines(void)
{
	STRUCT(vnic_host_line);
	FIELD(vnic_host_line, h);
	FIELD(vnic_host_line, wake);
	FIELD(vnic_host_line, asleep);
	FIELD(vnic_host_line, config);
	FIELD(vnic_host_line, zero);
	STRUCT(vnic_router_line);
	FIELD(vnic_router_line, r);
	FIELD(vnic_router_line, asleep);
	FIELD(vnic_router_line, zero);
	STRUCT(vnic_beat_line);
	FIELD(vnic_beat_line, beat);
	FIELD(vnic_beat_line, zero);
	FIELD(vnic_beat_line, resets);
	FIELD(vnic_beat_line, quarantines);
	FIELD(vnic_beat_line, spare);
}

static void
print_counters(void)
{
	STRUCT(vnic_counters);
	FIELD(vnic_counters, offered);
	FIELD(vnic_counters, filled);
	FIELD(vnic_counters, filled_bytes);
	FIELD(vnic_counters, back);
	FIELD(vnic_counters, in_doubt);
	FIELD(vnic_counters, sent);
	FIELD(vnic_counters, sent_bytes);
	FIELD(vnic_counters, originated);
	FIELD(vnic_counters, done);
	FIELD(vnic_counters, fault);
	FIELD(vnic_counters, rx_drop);
	FIELD(vnic_counters, tx_drop);
	FIELD(vnic_counters, duplicated);
	FIELD(vnic_counters, spare);
	STRUCT(vnic_entry);
	FIELD(vnic_entry, state);
	FIELD(vnic_entry, mtu);
	FIELD(vnic_entry, mac);
	FIELD(vnic_entry, zero);
	FIELD(vnic_entry, name);
	FIELD(vnic_entry, spare);
}

static void
print_header(void)
{
	STRUCT(vnic_hdr);
	FIELD(vnic_hdr, magic);
	FIELD(vnic_hdr, major);
	FIELD(vnic_hdr, minor);
	FIELD(vnic_hdr, features);
	FIELD(vnic_hdr, n_queues);
	FIELD(vnic_hdr, max_vnics);
	FIELD(vnic_hdr, max_slots);
	FIELD(vnic_hdr, ring_log2);
	FIELD(vnic_hdr, stride);
	FIELD(vnic_hdr, slot_bytes);
	FIELD(vnic_hdr, headroom);
	FIELD(vnic_hdr, zero);
	FIELD(vnic_hdr, entries_off);
	FIELD(vnic_hdr, host_queue_off);
	FIELD(vnic_hdr, host_queue_size);
	FIELD(vnic_hdr, counters_off);
	FIELD(vnic_hdr, rx_off);
	FIELD(vnic_hdr, router_queue_size);
	FIELD(vnic_hdr, tx_off);
	FIELD(vnic_hdr, host_bytes);
	FIELD(vnic_hdr, router_bytes);
	FIELD(vnic_hdr, pool_bytes);
}

#ifndef VNIC_FFI
static void
print_layout(void)
{
	struct vnic_layout l;
	struct vnic_geometry g;

	vnic_geometry_for(&g, 2, 4, 500, 1500);
	if (vnic_layout_make(&l, &g) < 0)
		return;
	printf("magic 0x%llx\n", (unsigned long long)VNIC_MAGIC);
	printf("geometry queues %u vnics %u slots %u log2 %u stride %u "
	       "slot_bytes %u headroom %u\n",
	    g.n_queues, g.max_vnics, g.max_slots, g.ring_log2, g.stride,
	    g.slot_bytes, g.headroom);
	printf("\thost %zu router %zu pool %zu\n", l.host_bytes, l.router_bytes,
	    l.pool_bytes);
	printf("\tentries %zu host queue %zu + %zu counters %zu rx %zu\n",
	    l.entries_off, l.host_queue_off, l.host_queue_size, l.counters_off,
	    l.rx_off);
	printf("\trouter queue %zu tx %zu\n", l.router_queue_size, l.tx_off);
}
#endif

int
main(void)
{
	printf("version %d.%d\n", VNIC_MAJOR, VNIC_MINOR);
	print_lines();
	print_counters();
	print_header();
#ifndef VNIC_FFI
	print_layout();
#endif
	return 0;
}
