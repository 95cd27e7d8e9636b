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

/* Groups of the link: 224.0.0.0/24 is there (RFC 1112, 6.4). */
static bool
is_control(const uint8_t *data)
{
	static const uint8_t mac[] = { 0x01, 0x00, 0x5e, 0x00, 0x00 };

	return memcmp(data + ETH_DST, mac, sizeof(mac)) == 0;
}

/* Of one that is not IPv4 to us. */
static enum fate
fate_of(const struct tables *t, const uint8_t *data, bool to_us)
{
	bool to_group = data[ETH_DST] & 1;

	switch (load_be16(data + ETH_TYPE)) {
	case ETHERTYPE_IP4:
		if (t->twins && is_control(data))
			return FATE_CONTROL;
		return to_group ? FATE_GROUP_MAC : FATE_FOREIGN_MAC;
	case ETHERTYPE_ARP:
		return to_us || to_group ? FATE_ARP : FATE_FOREIGN_MAC;
	case ETHERTYPE_IP6:
		return to_us || to_group ? IS_IP6 : FATE_FOREIGN_MAC;
	default:
		return FATE_ETHERTYPE;
	}
}

/* Nearly all are: IPv4 and to us. */
static bool
is_plain(const uint8_t *data, const struct port *port)
{
	return load_be16(data + ETH_TYPE) == ETHERTYPE_IP4 &&
	       memcmp(data, port->mac, 6) == 0;
}

bool
ether_in(const struct tables *t, struct batch *b)
{
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		const struct vnic_frame *f = &b->frame[i];
		const struct port *port = &t->vnic[f->vnic];
		enum fate fate = FATE_RUNT;

		if (likely(f->len >= ETH_BYTES)) {
			if (likely(is_plain(f->data, port)))
				continue;
			fate = fate_of(
			    t, f->data, memcmp(f->data, port->mac, 6) == 0);
		}
		batch_drop(b, i, fate);
		if (fate == IS_IP6)
			b->alive6 |= UINT64_C(1) << i;
	}
	return batch_any(b);
}
