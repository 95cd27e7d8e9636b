/* SPDX-License-Identifier: Apache-2.0 */
/* uid: see uid.h. */
#include "agent/uid.h"

#include "lib/base.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

int
uid_make(uint8_t out[UID_BYTES])
{
	struct timespec t;
	uint64_t ms;

	if (getrandom(out, UID_BYTES, 0) != UID_BYTES)
		return -EIO;
	clock_gettime(CLOCK_REALTIME, &t);
	ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	store_be16(out, (uint16_t)(ms >> 32));
	store_be32(out + 2, (uint32_t)ms);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x70);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
	return 0;
}

void
uid_text(const uint8_t uid[UID_BYTES], char out[UID_TEXT])
{
	char *p = out;

	for (int i = 0; i < UID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", uid[i]);
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
uid_parse(const char *text, uint8_t out[UID_BYTES])
{
	if (strlen(text) != UID_TEXT - 1)
		return false;
	for (int i = 0; i < UID_BYTES; i++) {
		int hi, lo;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (*text++ != '-')
				return false;
		}
		hi = hex_digit(text[0]);
		lo = hex_digit(text[1]);
		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
		text += 2;
	}
	return true;
}
