/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: which vNICs of a port get a frame. Exact match on (VLAN, destination
 * MAC) for unicast, a segment (all vNICs on the VLAN, and the trunks) for
 * broadcast and multicast.
 *
 * A table is built whole, never changed, and read by workers without locks; it
 * knows vNICs as numbers that its maker chose. The multiplier of the hash is
 * random: tenants choose their MACs, and shall not choose their collisions.
 */
#ifndef DATAPLANE_RULES_H
#define DATAPLANE_RULES_H

#include "lib/base.h"

enum { RULES_ANY_VLAN = 0xfff, RULES_N_VLANS = 4096 };

#define RULES_NONE UINT32_MAX

struct rules_member {
	uint16_t vlan; /* 0 = untagged, RULES_ANY_VLAN = a trunk */
	uint8_t mac[6];
	uint32_t value;
	bool also; /* a further MAC of one that is a member with another */
};

struct rules_segment {
	uint32_t first; /* in values[] */
	uint32_t n;
};

struct rules {
	uint64_t multiplier; /* odd */
	unsigned shift;
	uint32_t mask;
	bool has_trunks;
	struct {
		uint64_t key; /* 0 = free */
		uint32_t value;
	} * slot;
	uint16_t segment_of[RULES_N_VLANS]; /* 0 = trunks only */
	struct rules_segment *segment;
	uint32_t *values; /* members of segments, one segment after another */
};

/*
 * Builds the table of n members. Members that differ in value only are our
 * caller's bug: one of them wins. Returns 0 or -ENOMEM. Context: control.
 */
int rules_new(const struct rules_member *m, uint32_t n, struct rules **out);
void rules_free(struct rules *r); /* NULL is allowed */

/* mac has 8 readable bytes. */
static inline uint64_t
rules_key(uint16_t vlan, const uint8_t *mac)
{
	uint64_t bytes;

	memcpy(&bytes, mac, sizeof(bytes));
	return (bytes & UINT64_C(0xffffffffffff)) | (uint64_t)vlan << 48 |
	       UINT64_C(1) << 63;
}

static inline uint32_t
rules_look_up(const struct rules *r, uint64_t key)
{
	uint32_t i = (uint32_t)((key * r->multiplier) >> r->shift);

	/* at most half of the slots are taken: this ends */
	while (r->slot[i].key != key) {
		if (r->slot[i].key == 0)
			return RULES_NONE;
		i = (i + 1) & r->mask;
	}
	return r->slot[i].value;
}

/* The vNIC of a unicast frame, or RULES_NONE. mac has 8 readable bytes. */
static inline uint32_t
rules_find(const struct rules *r, uint16_t vlan, const uint8_t *mac)
{
	uint32_t value = rules_look_up(r, rules_key(vlan, mac));

	if (unlikely(value == RULES_NONE && r->has_trunks))
		value = rules_look_up(r, rules_key(RULES_ANY_VLAN, mac));
	return value;
}

/* Everybody on a VLAN: *n values. */
static inline const uint32_t *
rules_all(const struct rules *r, uint16_t vlan, uint32_t *n)
{
	const struct rules_segment *s = &r->segment[r->segment_of[vlan]];

	*n = s->n;
	return r->values + s->first;
}

#endif
