/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: each has a type, and all but two of them a length behind it that
 * must stay within the header; see options.h.
 */
#include "router/options.h"

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_RECORD_ROUTE = 7,
	OPTION_TIMESTAMP = 68,
	OPTION_LSRR = 131,
	OPTION_SSRR = 137,
	COPIED = 0x80,

	LENGTH = 1,  /* offsets in an option */
	POINTER = 2, /* counts from 1 */
	FLAGS = 3,   /* of a timestamp: overflow << 4, and its kind */
	FIRST_ROUTE = 4,
	FIRST_STAMP = 5,

	STAMP_ALONE = 0,
	STAMP_ADDRESS = 1,
	STAMP_PRESCRIBED = 3,
};

/* Returns the offset of the octet at fault in the option at at, or 0. */
static unsigned
note(const uint8_t *ip, unsigned at, struct options *o)
{
	const uint8_t *p = ip + at;

	switch (p[0]) {
	case OPTION_RECORD_ROUTE:
		if (p[LENGTH] < 3 || p[POINTER] < FIRST_ROUTE)
			return at + (p[LENGTH] < 3 ? LENGTH : POINTER);
		o->record_route = (uint8_t)at; /* < 60 */
		return 0;
	case OPTION_TIMESTAMP:
		if (p[LENGTH] < 4 || p[POINTER] < FIRST_STAMP)
			return at + (p[LENGTH] < 4 ? LENGTH : POINTER);
		o->timestamp = (uint8_t)at; /* < 60 */
		return 0;
	case OPTION_LSRR:
	case OPTION_SSRR:
		if (p[LENGTH] < 3 || p[POINTER] < FIRST_ROUTE)
			return at + (p[LENGTH] < 3 ? LENGTH : POINTER);
		o->source_route |= p[POINTER] <= p[LENGTH];
		return 0;
	default:
		return 0;
	}
}

unsigned
options_read(const uint8_t *ip, struct options *out)
{
	unsigned end = ip4_header_bytes(ip);
	unsigned at = IP4_OPTIONS;

	*out = (struct options){ 0 };
	while (at < end && ip[at] != OPTION_END) {
		unsigned wrong;

		if (ip[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + LENGTH == end)
			return at;
		if (ip[at + LENGTH] < 2 || ip[at + LENGTH] > end - at)
			return at + LENGTH;
		wrong = note(ip, at, out);
		if (wrong)
			return wrong;
		at += ip[at + LENGTH];
	}
	return 0;
}

/* Room for n bytes at the pointer of the option p: 1 yes, 0 full, -1 wrong. */
static int
has_room(const uint8_t *p, unsigned n)
{
	if (p[POINTER] > p[LENGTH])
		return 0;
	return p[POINTER] + n - 1 <= p[LENGTH] ? 1 : -1;
}

static unsigned
stamp_bytes(const uint8_t *p)
{
	switch (p[FLAGS] & 15) {
	case STAMP_ALONE:
		return 4;
	case STAMP_ADDRESS:
	case STAMP_PRESCRIBED:
		return 8;
	default:
		return 0;
	}
}

/* Returns the offset of the octet that is wrong, or 0. */
static unsigned
check_room(const uint8_t *ip, const struct options *o)
{
	const uint8_t *p = ip + o->timestamp;
	unsigned bytes;

	if (o->record_route && has_room(ip + o->record_route, 4) < 0)
		return o->record_route + (unsigned)POINTER;
	if (!o->timestamp)
		return 0;
	bytes = stamp_bytes(p);
	if (bytes == 0)
		return o->timestamp + (unsigned)FLAGS;
	if (has_room(p, bytes) < 0)
		return o->timestamp + (unsigned)POINTER;
	if (has_room(p, bytes) == 0 && p[FLAGS] >> 4 == 15)
		return o->timestamp +
		       (unsigned)FLAGS; /* too many had no room */
	return 0;
}

static void
write_stamp(uint8_t *p, const struct options_stamp *s)
{
	unsigned bytes = stamp_bytes(p);
	uint8_t *at = p + p[POINTER] - 1;

	if (has_room(p, bytes) == 0) {
		p[FLAGS] = (uint8_t)(p[FLAGS] + 0x10);
		return;
	}
	if ((p[FLAGS] & 15) == STAMP_PRESCRIBED &&
	    !s->is_own(s->arg, load_be32(at)))
		return; /* somebody else is meant */
	if ((p[FLAGS] & 15) == STAMP_ADDRESS)
		store_be32(at, s->address);
	store_be32(at + bytes - 4, s->ms);
	p[POINTER] = (uint8_t)(p[POINTER] + bytes);
}

unsigned
options_write(
    uint8_t *ip, const struct options *o, const struct options_stamp *stamp)
{
	unsigned wrong = check_room(ip, o);
	uint8_t *p = ip + o->record_route;

	if (wrong)
		return wrong;
	if (o->record_route && has_room(p, 4) > 0) {
		store_be32(p + p[POINTER] - 1, stamp->address);
		p[POINTER] = (uint8_t)(p[POINTER] + 4);
	}
	if (o->timestamp)
		write_stamp(ip + o->timestamp, stamp);
	store_be16(ip + IP4_CHECKSUM, 0);
	store_be16(ip + IP4_CHECKSUM, ip_checksum(ip, ip4_header_bytes(ip)));
	return 0;
}

unsigned
options_copied(const uint8_t *ip, uint8_t *out)
{
	unsigned end = ip4_header_bytes(ip);
	unsigned at = IP4_OPTIONS;
	unsigned n = 0;

	while (at < end && ip[at] != OPTION_END) {
		unsigned bytes = ip[at] == OPTION_NOP ? 1 : ip[at + LENGTH];

		if (ip[at] & COPIED) {
			memcpy(out + n, ip + at, bytes);
			n += bytes;
		}
		at += bytes;
	}
	while (n % 4)
		out[n++] = OPTION_END;
	return n;
}
