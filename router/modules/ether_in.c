/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ether_in: the Ethernet header of a frame that came in. The switch over the
 * ethertype is where other network protocols enter. An IPv6 frame to a group
 * goes on: check_ip6 sees whether its packet is to one too.
 */
#include "router/modules.h"
#include "router/packet.h"

/* No fate: it is put apart. */
#define IS_IP6 ((enum fate)(N_FATES + 1))

static enum fate
fate_of(const uint8_t *data, bool to_us)
{
	bool to_group = data[ETH_DST] & 1;

	switch (load_be16(data + ETH_TYPE)) {
	case ETHERTYPE_IP4:
		if (to_us)
			return N_FATES;
		return to_group ? FATE_GROUP_MAC : FATE_FOREIGN_MAC;
	case ETHERTYPE_ARP:
		return to_us || to_group ? FATE_ARP : FATE_FOREIGN_MAC;
	case ETHERTYPE_IP6:
		return to_us || to_group ? IS_IP6 : FATE_FOREIGN_MAC;
	default:
		return FATE_ETHERTYPE;
	}
}

bool
ether_in(const struct tables *t, struct batch *b)
{
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		const struct vnic_frame *f = &b->frame[i];
		enum fate fate = FATE_RUNT;

		if (likely(f->len >= ETH_BYTES))
			fate = fate_of(f->data,
			    memcmp(f->data, t->vnic[f->vnic].mac, 6) == 0);
		if (likely(fate == N_FATES))
			continue;
		batch_drop(b, i, fate);
		if (fate == IS_IP6)
			b->alive6 |= UINT64_C(1) << i;
	}
	return batch_any(b);
}
