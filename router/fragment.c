/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment: the first piece has the header as it came, the others one with
 * those options that are to be copied. A packet that is a piece itself is cut
 * like any other: its offset and its "more" go on.
 */
#include "router/fragment.h"

#include "router/options.h"

static void
free_list(struct packet *p)
{
	while (p) {
		struct packet *next = p->next;

		free(p);
		p = next;
	}
}

/* A piece: header bytes from header, then n bytes from data. */
static struct packet *
make_piece(
    const uint8_t *header, unsigned bytes, const uint8_t *data, unsigned n)
{
	unsigned total = bytes + n;
	unsigned len = MAX(ETH_BYTES + total, (unsigned)ETH_MIN_FRAME);
	struct packet *p = packet_new(len);
	uint8_t *ip;

	if (!p)
		return NULL;
	memset(p->bytes, 0, ETH_MIN_FRAME);
	store_be16(p->bytes + ETH_TYPE, ETHERTYPE_IP4);
	ip = p->bytes + ETH_BYTES;
	memcpy(ip, header, bytes);
	memcpy(ip + bytes, data, n);
	ip[IP4_VERSION_IHL] = (uint8_t)(0x40 | bytes / 4);
	store_be16(ip + IP4_TOTAL, (uint16_t)total);
	return p;
}

static void
finish(struct packet *p, unsigned bytes, unsigned field)
{
	uint8_t *ip = p->bytes + ETH_BYTES;

	store_be16(ip + IP4_FRAGMENT, (uint16_t)field);
	store_be16(ip + IP4_CHECKSUM, 0);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, bytes));
}

struct packet *
fragment4(const uint8_t *ip, unsigned mtu, unsigned *n)
{
	unsigned bytes = ip4_header_bytes(ip);
	unsigned left = load_be16(ip + IP4_TOTAL) - bytes;
	unsigned field = load_be16(ip + IP4_FRAGMENT);
	const uint8_t *data = ip + bytes;
	struct packet *list = NULL, **tail = &list;
	uint8_t header[60];

	memcpy(header, ip, bytes);
	for (*n = 0; left > 0; (*n)++) {
		unsigned room = mtu > bytes ? (mtu - bytes) & ~7U : 0;
		unsigned here = left + bytes <= mtu ? left : room;
		unsigned more = here < left ? (unsigned)IP4_MF : 0;
		struct packet *p =
		    here ? make_piece(header, bytes, data, here) : NULL;

		if (!p) {
			free_list(list);
			return NULL;
		}
		finish(p, bytes, field | more);
		*tail = p;
		tail = &p->next;
		data += here;
		left -= here;
		field += here / 8;
		bytes = IP4_BYTES + options_copied(ip, header + IP4_BYTES);
	}
	return list;
}

struct packet *
fragment6(const uint8_t *ip, unsigned mtu, uint32_t id, unsigned *n)
{
	enum { HEADERS = IP6_BYTES + 8 };
	unsigned left = ip6_total(ip) - IP6_BYTES;
	unsigned room = mtu > HEADERS ? (mtu - HEADERS) & ~7U : 0;
	struct packet *list = NULL, **tail = &list;

	*n = 0;
	for (unsigned at = 0; left > 0; (*n)++) {
		unsigned here = MIN(left, room);
		unsigned len =
		    MAX(ETH_BYTES + HEADERS + here, (unsigned)ETH_MIN_FRAME);
		struct packet *p = here ? packet_new(len) : NULL;
		uint8_t *out;

		if (!p) {
			free_list(list);
			return NULL;
		}
		memset(p->bytes, 0, ETH_MIN_FRAME);
		store_be16(p->bytes + ETH_TYPE, ETHERTYPE_IP6);
		out = p->bytes + ETH_BYTES;
		memcpy(out, ip, IP6_BYTES);
		out[IP6_NEXT] = NEXT_FRAGMENT;
		store_be16(out + IP6_PAYLOAD, (uint16_t)(8 + here));
		out[IP6_BYTES] = ip[IP6_NEXT];
		out[IP6_BYTES + 1] = 0;
		store_be16(out + IP6_BYTES + 2,
		    (uint16_t)(at | (here < left ? 1U : 0U)));
		store_be32(out + IP6_BYTES + 4, id);
		memcpy(out + HEADERS, ip + IP6_BYTES + at, here);
		*tail = p;
		tail = &p->next;
		at += here;
		left -= here;
	}
	return list;
}
