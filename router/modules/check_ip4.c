/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_ip4: is this a valid IPv4 header, and may its addresses be on a wire?
 *
 * RFC 1812, 5.2.2: (1) the link layer delivered at least 20 bytes, (2) the
 * checksum is right, (3) the version is 4, (4) the header length is at least 5
 * words, (5) the total length holds the header, and here also: is within the
 * frame. 5.3.7: no martian addresses. Padding behind the datagram is cut off.
 */
#include "router/modules.h"
#include "router/packet.h"

/* A ones' complement sum is all ones when the checksum in it is right. */
static bool
is_all_ones(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* Byte order does not matter to the sum. */
static uint64_t
word_at(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static bool
checksum_is_right(const uint8_t *ip, unsigned bytes)
{
	/* unrolled: nearly all headers have five words */
	uint64_t sum = word_at(ip) + word_at(ip + 4) + word_at(ip + 8) +
		       word_at(ip + 12) + word_at(ip + 16);

	for (unsigned k = IP4_BYTES; unlikely(k < bytes); k += 4)
		sum += word_at(ip + k);
	return is_all_ones(sum);
}

static enum fate
check_header(const uint8_t *ip, unsigned room)
{
	unsigned bytes;
	unsigned total;

	if (unlikely(room < IP4_BYTES))
		return FATE_SHORT;
	if (unlikely(ip[IP4_VERSION_IHL] >> 4 != 4))
		return FATE_VERSION;
	bytes = ip4_header_bytes(ip);
	if (unlikely(bytes < IP4_BYTES))
		return FATE_IHL;
	total = load_be16(ip + IP4_TOTAL);
	if (unlikely(total < bytes || total > room))
		return FATE_TOTAL_LENGTH;
	if (unlikely(!checksum_is_right(ip, bytes)))
		return FATE_CHECKSUM;
	return N_FATES;
}

static enum fate
check_addresses(uint32_t src, uint32_t dst)
{
	if (unlikely(!ip4_is_host(src)))
		return FATE_MARTIAN_SOURCE;
	if (likely(ip4_is_host(dst)))
		return N_FATES;
	if (dst == UINT32_MAX)
		return FATE_BROADCAST;
	return dst >> 28 == 14 ? FATE_MULTICAST : FATE_MARTIAN_DESTINATION;
}

bool
check_ip4(const struct tables *t, struct batch *b)
{
	(void)t;
	for (uint64_t mask = b->alive; mask;) {
		unsigned i = batch_pop(&mask);
		struct vnic_frame *f = &b->frame[i];
		const uint8_t *ip = f->data + ETH_BYTES;
		unsigned end;
		enum fate fate = check_header(ip, (unsigned)f->len - ETH_BYTES);

		if (unlikely(fate != N_FATES)) {
			batch_drop(b, i, fate);
			continue;
		}
		end = ETH_BYTES + (unsigned)load_be16(ip + IP4_TOTAL);
		if (end < ETH_MIN_FRAME)
			end = ETH_MIN_FRAME;
		if (f->len > end)
			f->len = (uint16_t)end; /* < f->len: it fits */
		b->dst[i] = load_be32(ip + IP4_DST);
		fate = check_addresses(load_be32(ip + IP4_SRC), b->dst[i]);
		if (fate == N_FATES && ip[IP4_VERSION_IHL] != 0x45)
			fate = FATE_OPTIONS;
		if (unlikely(fate != N_FATES))
			batch_drop(b, i, fate);
	}
	return batch_any(b);
}
