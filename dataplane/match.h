/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match: which vNIC of a port gets a unicast frame that is for none of its MACs:
 * by another destination MAC, prefixes of IPv4 or IPv6, protocol and ports, the
 * VNI of VXLAN or the key of GRE, and the VLAN. Only ports with such rules ask,
 * and only for such frames.
 *
 * Rules that look at the same bits are one shape, and each shape is one look
 * into a hash table: the cost is that of the shapes, not of the rules. Rules do
 * not overlap (europad sees to that), so there is no order among them; of two
 * that do, either may win. A table is built whole, never changed, and read by
 * workers without locks. Knows no DPDK.
 */
#ifndef DATAPLANE_MATCH_H
#define DATAPLANE_MATCH_H

#include "dataplane/frame.h"
#include "lib/wire.h"

/* What of a frame rules look at; zeros where it has nothing. */
struct match_key {
	uint16_t vlan;
	uint8_t mac[6];
	uint8_t family; /* 4, 6 or 0 */
	uint8_t protocol;
	uint16_t src_port, dst_port;
	uint8_t tunnel; /* 1: VXLAN, 2: GRE with a key */
	uint8_t zero;
	uint8_t src[16], dst[16];
	uint32_t tunnel_key;
	uint32_t zeros;
};
static_assert(sizeof(struct match_key) == 56, "no padding, whole words");

struct match_rule {
	struct match_key key; /* only bits of mask are set */
	struct match_key mask;
	uint32_t value;
};

struct match; /* a table */

/* Returns why this cannot be, or NULL. No fields: no rule, that is fine. */
const char *match_flaw(const struct wire_match *m);

/* m, for a VLAN (RULES_ANY_VLAN: all of them). */
void match_rule_make(const struct wire_match *m, uint16_t vlan, uint32_t value,
    struct match_rule *out);

/* Returns 0 or -ENOMEM. Context: control. */
int match_new(const struct match_rule *r, uint32_t n, struct match **out);
void match_free(struct match *m); /* NULL is allowed */

/* The value of the rule that f meets, or RULES_NONE. */
uint32_t match_find(const struct match *m, const struct frame *f);

#endif
