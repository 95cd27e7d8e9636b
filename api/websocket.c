/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket: see websocket.h. SHA-1 is here because the handshake of the RFC asks
 * for it; it protects nothing.
 */
#include "api/websocket.h"

#include "lib/base.h"

#include <stdio.h>

enum { SHA1_BYTES = 20, KEY_CHARS = 24 };

/* --- the handshake -------------------------------------------------------- */

static uint32_t
rotate(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static void
sha1_block(uint32_t h[5], const uint8_t block[64])
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (unsigned i = 0; i < 16; i++)
		w[i] = load_be32(block + (size_t)4 * i);
	for (unsigned i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (unsigned i = 0; i < 80; i++) {
		static const uint32_t k[] = { 0x5a827999, 0x6ed9eba1,
			0x8f1bbcdc, 0xca62c1d6 };
		uint32_t f = i < 20   ? (b & c) | (~b & d)
			     : i < 40 ? b ^ c ^ d
			     : i < 60 ? (b & c) | (b & d) | (c & d)
				      : b ^ c ^ d;
		uint32_t t = rotate(a, 5) + f + e + k[i / 20] + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* Of a text of less than 120 bytes. */
static void
sha1(const char *text, size_t n, uint8_t out[SHA1_BYTES])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0 };
	uint8_t padded[128] = { 0 };
	size_t total = n < 56 ? 64 : 128;

	assert(n < 120);
	memcpy(padded, text, n);
	padded[n] = 0x80;
	store_be32(padded + total - 4, (uint32_t)(8 * n));
	for (size_t i = 0; i < total; i += 64)
		sha1_block(h, padded + i);
	for (size_t i = 0; i < 5; i++)
		store_be32(out + 4 * i, h[i]);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* 16 bytes in base64. */
static bool
is_key(const char *s)
{
	return strlen(s) == KEY_CHARS && strspn(s, digits) == KEY_CHARS - 2 &&
	       strcmp(s + KEY_CHARS - 2, "==") == 0;
}

bool
websocket_accept(const char *key, char out[WEBSOCKET_ACCEPT])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[KEY_CHARS + sizeof(magic)];
	uint8_t hash[SHA1_BYTES + 1] = { 0 };

	if (!key || !is_key(key))
		return false;
	snprintf(text, sizeof(text), "%s%s", key, magic);
	sha1(text, sizeof(text) - 1, hash);
	for (size_t i = 0; i < 7; i++) {
		uint32_t v = (uint32_t)hash[3 * i] << 16 |
			     (uint32_t)hash[3 * i + 1] << 8 | hash[3 * i + 2];

		out[4 * i] = digits[v >> 18];
		out[4 * i + 1] = digits[v >> 12 & 63];
		out[4 * i + 2] = digits[v >> 6 & 63];
		out[4 * i + 3] = digits[v & 63];
	}
	out[WEBSOCKET_ACCEPT - 2] = '='; /* 20 bytes are two thirds of 7 * 3 */
	out[WEBSOCKET_ACCEPT - 1] = '\0';
	return true;
}

/* --- frames --------------------------------------------------------------- */

size_t
websocket_room(struct websocket_reader *r, uint8_t **at)
{
	*at = r->buf + r->n;
	return sizeof(r->buf) - r->n;
}

void
websocket_filled(struct websocket_reader *r, size_t n)
{
	assert(n <= sizeof(r->buf) - r->n);
	r->n += n;
}

/* What the first two bytes say. Returns 0 or the negative of a code. */
static int
check_start(const struct websocket_reader *r)
{
	unsigned first = r->buf[0], opcode = first & 15;
	bool is_last = first & 0x80, is_control = opcode & 8;

	if (first & 0x70 || !(r->buf[1] & 0x80))
		return -WEBSOCKET_BAD; /* an extension; not masked */
	if ((opcode > WEBSOCKET_BINARY && opcode < WEBSOCKET_CLOSE) ||
	    opcode > WEBSOCKET_PONG)
		return -WEBSOCKET_BAD;
	if (is_control && (!is_last || (r->buf[1] & 127) > WEBSOCKET_CONTROL))
		return -WEBSOCKET_BAD;
	if (!is_control && (opcode == WEBSOCKET_CONTINUED) != r->in_message)
		return -WEBSOCKET_BAD;
	return 0;
}

/* Bytes before the payload and of it. Returns 1, 0 or the negative of a code. */
static int
lengths(const struct websocket_reader *r, size_t *head, size_t *n)
{
	size_t said = r->buf[1] & 127;

	*head = 6;
	*n = said;
	if (said == 127)
		return -WEBSOCKET_TOO_LONG; /* 64 KiB at least, or a lie */
	if (said == 126) {
		*head = 8;
		if (r->n < 4)
			return 0;
		*n = load_be16(r->buf + 2);
		if (*n < 126)
			return -WEBSOCKET_BAD;
	}
	return *n > WEBSOCKET_PAYLOAD ? -WEBSOCKET_TOO_LONG : 1;
}

int
websocket_next(struct websocket_reader *r, struct websocket_frame *out)
{
	size_t head, n;
	int rc;

	if (r->n < 2)
		return 0;
	rc = check_start(r);
	if (rc == 0)
		rc = lengths(r, &head, &n);
	if (rc <= 0)
		return rc;
	if (r->n < head + n)
		return 0;
	out->opcode = (enum websocket_opcode)(r->buf[0] & 15);
	out->is_last = r->buf[0] & 0x80;
	out->bytes = r->buf + head;
	out->n = n;
	out->total = head + n;
	for (size_t i = 0; i < n; i++)
		out->bytes[i] ^= r->buf[head - 4 + i % 4];
	if (out->opcode >= WEBSOCKET_CLOSE)
		return 1;
	if (out->opcode != WEBSOCKET_CONTINUED)
		r->message = out->opcode;
	out->opcode = r->message;
	r->in_message = !out->is_last;
	return 1;
}

void
websocket_drop(struct websocket_reader *r, const struct websocket_frame *f)
{
	assert(f->total <= r->n);
	r->n -= f->total;
	memmove(r->buf, r->buf + f->total, r->n);
}

size_t
websocket_head(
    uint8_t out[WEBSOCKET_HEAD], enum websocket_opcode opcode, size_t n)
{
	assert(n <= UINT16_MAX);
	out[0] = (uint8_t)(0x80 | opcode);
	if (n < 126) {
		out[1] = (uint8_t)n;
		return 2;
	}
	out[1] = 126;
	store_be16(out + 2, (uint16_t)n);
	return 4;
}
