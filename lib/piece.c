/* SPDX-License-Identifier: Apache-2.0 */
/* piece: see piece.h. */
#include "lib/piece.h"

#include "lib/base.h"

/* The bytes that each type has, at least and at most; 0, 0: none. */
static const struct {
	size_t min, max;
} lengths[PIECE_N_TYPES] = {
	[PIECE_ARG] = { 0, PIECE_MAX },
	[PIECE_START] = { 0, 0 },
	[PIECE_IN] = { 1, PIECE_MAX },
	[PIECE_EOF] = { 0, 0 },
	[PIECE_SIZE] = { 4, 4 },
	[PIECE_STARTED] = { 0, 0 },
	[PIECE_FAILED] = { 4, 4 },
	[PIECE_OUT] = { 1, PIECE_MAX },
	[PIECE_ERR] = { 1, PIECE_MAX },
	[PIECE_EXIT] = { 4, 4 },
};

size_t
piece_room(struct piece_reader *r, uint8_t **at)
{
	*at = r->buf + r->n;
	return sizeof(r->buf) - r->n;
}

void
piece_filled(struct piece_reader *r, size_t n)
{
	assert(n <= sizeof(r->buf) - r->n);
	r->n += n;
}

static size_t
length_of(const struct piece_reader *r)
{
	return (size_t)r->buf[2] | (size_t)r->buf[3] << 8;
}

int
piece_next(const struct piece_reader *r, struct piece *out)
{
	unsigned type = r->buf[0];
	size_t n;

	if (r->n < PIECE_HEAD)
		return 0;
	n = length_of(r);
	if (type == 0 || type >= PIECE_N_TYPES || r->buf[1] != 0 ||
	    n < lengths[type].min || n > lengths[type].max)
		return -EBADMSG;
	if (r->n < PIECE_HEAD + n)
		return 0;
	if (type == PIECE_ARG && memchr(r->buf + PIECE_HEAD, '\0', n))
		return -EBADMSG;
	out->type = (enum piece_type)type;
	out->n = n;
	out->bytes = r->buf + PIECE_HEAD;
	return 1;
}

void
piece_drop(struct piece_reader *r)
{
	size_t n = PIECE_HEAD + length_of(r);

	assert(r->n >= n);
	r->n -= n;
	memmove(r->buf, r->buf + n, r->n);
}

void
piece_head(uint8_t out[PIECE_HEAD], enum piece_type type, size_t n)
{
	assert(n <= PIECE_MAX);
	out[0] = (uint8_t)type;
	out[1] = 0;
	out[2] = (uint8_t)n;
	out[3] = (uint8_t)(n >> 8);
}

uint32_t
piece_number(const struct piece *p)
{
	const uint8_t *b = p->bytes;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

void
piece_put_number(uint8_t out[4], uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}
