/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket: see websocket.h. SHA-1 is here because the handshake wants it; it
 * protects nothing (RFC 6455, section 10.8).
 */
#include "cli/websocket.h"

#include "cli/base64.h"
#include "lib/base.h"

#include <stdio.h>
#include <sys/random.h>

enum { SHA1_BYTES = 20, BLOCK = 64 };

static uint32_t
rotate(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static void
sha1_block(uint32_t state[5], const uint8_t *block)
{
	uint32_t w[80], a = state[0], b = state[1], c = state[2];
	uint32_t d = state[3], e = state[4];

	for (unsigned i = 0; i < 16; i++)
		w[i] = load_be32(block + 4 * i);
	for (unsigned i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (unsigned i = 0; i < 80; i++) {
		uint32_t f, k, t;

		if (i < 20) {
			f = (b & c) | (~b & d);
			k = 0x5a827999;
		} else if (i < 40) {
			f = b ^ c ^ d;
			k = 0x6ed9eba1;
		} else if (i < 60) {
			f = (b & c) | (b & d) | (c & d);
			k = 0x8f1bbcdc;
		} else {
			f = b ^ c ^ d;
			k = 0xca62c1d6;
		}
		t = rotate(a, 5) + f + e + k + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = t;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

/* Of fewer than 120 bytes, which is two blocks at most. */
static void
sha1_short(const char *text, uint8_t out[SHA1_BYTES])
{
	uint32_t state[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0 };
	uint8_t block[2 * BLOCK] = { 0 };
	size_t n = strlen(text), end = n + 9 <= BLOCK ? BLOCK : 2 * BLOCK;

	assert(n < 120);
	memcpy(block, text, n);
	block[n] = 0x80;
	store_be32(block + end - 4, (uint32_t)n * 8);
	for (size_t i = 0; i < end; i += BLOCK)
		sha1_block(state, block + i);
	for (unsigned i = 0; i < 5; i++)
		store_be32(out + 4 * i, state[i]);
}

void
websocket_accept(const char *key, char out[WEBSOCKET_ACCEPT])
{
	uint8_t digest[SHA1_BYTES];
	char text[WEBSOCKET_KEY + 40];

	snprintf(text, sizeof(text), "%.24s%s", key,
	    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	sha1_short(text, digest);
	base64_encode(digest, sizeof(digest), out);
}

int
websocket_key(char out[WEBSOCKET_KEY])
{
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -errno;
	base64_encode(bytes, sizeof(bytes), out);
	return 0;
}

ssize_t
websocket_frame(int kind, const void *data, size_t n, uint8_t *out)
{
	const uint8_t *bytes = data;
	uint8_t mask[4], *p = out;

	if (n > WEBSOCKET_MAX)
		return -EMSGSIZE;
	if (getrandom(mask, sizeof(mask), 0) != sizeof(mask))
		return -errno;
	*p++ = (uint8_t)(0x80 | kind);
	if (n < 126) {
		*p++ = (uint8_t)(0x80 | n);
	} else if (n <= UINT16_MAX) {
		*p++ = 0x80 | 126;
		store_be16(p, (uint16_t)n);
		p += 2;
	} else {
		*p++ = 0x80 | 127;
		store_be32(p, 0);
		store_be32(p + 4, (uint32_t)n);
		p += 8;
	}
	memcpy(p, mask, sizeof(mask));
	p += sizeof(mask);
	for (size_t i = 0; i < n; i++)
		*p++ = bytes[i] ^ mask[i % 4];
	return p - out;
}

ssize_t
websocket_read(const uint8_t *data, size_t n, struct websocket_message *out)
{
	size_t head = 2, length;

	if (n < 2)
		return 0;
	length = data[1] & 0x7f;
	/* no extension is agreed to, and a server does not mask */
	if ((data[0] & 0x70) || (data[1] & 0x80))
		return -EBADMSG;
	/* those of control are whole and short */
	if ((data[0] & 0x08) && (!(data[0] & 0x80) || length > 125))
		return -EBADMSG;
	head += length == 126 ? 2 : length == 127 ? 8 : 0;
	if (n < head)
		return 0;
	if (length == 126)
		length = load_be16(data + 2);
	else if (length == 127 && load_be32(data + 2) != 0)
		return -EBADMSG;
	else if (length == 127)
		length = load_be32(data + 6);
	if (length > WEBSOCKET_MAX)
		return -EBADMSG;
	if (n - head < length)
		return 0;
	*out = (struct websocket_message){ .kind = data[0] & 0x0f,
		.data = data + head,
		.n = length,
		.is_last = data[0] & 0x80 };
	return (ssize_t)(head + length);
}
