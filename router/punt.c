/* SPDX-License-Identifier: Apache-2.0 */
/*
 * punt: records are a header and the frame, rounded up to 8 bytes, in one
 * piece; one that does not fit before the end of the ring starts at its begin,
 * and a header with len UINT16_MAX says so.
 */
#include "router/punt.h"

#include "lib/base.h"

enum { HEADER = sizeof(struct punt_record), SKIP = UINT16_MAX };

_Static_assert(HEADER == 8, "records are aligned to 8 bytes");

int
punt_init(struct punt *q)
{
	*q = (struct punt){ .ring = malloc(PUNT_BYTES) };
	return q->ring ? 0 : -ENOMEM;
}

void
punt_destroy(struct punt *q)
{
	free(q->ring);
	q->ring = NULL;
}

static uint64_t
record_bytes(unsigned len)
{
	return HEADER + (((uint64_t)len + 7) & ~UINT64_C(7));
}

bool
punt_put(struct punt *q, const struct punt_record *r, const uint8_t *frame)
{
	static const struct punt_record skip = { .len = SKIP };
	/* relaxed: our own */
	uint64_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
	/* pairs with the release in punt_pop(): the bytes are free again */
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_acquire);
	uint64_t need = record_bytes(r->len);
	uint64_t at = head % PUNT_BYTES;
	uint64_t gap = at + need > PUNT_BYTES ? PUNT_BYTES - at : 0;

	if (r->len == SKIP || head - tail + gap + need > PUNT_BYTES)
		return false;
	if (gap) {
		memcpy(q->ring + at, &skip, HEADER);
		head += gap;
		at = 0;
	}
	memcpy(q->ring + at, r, HEADER);
	memcpy(q->ring + at + HEADER, frame, r->len);
	/*
	 * Publishes the record. seq_cst, not release: the producer then looks
	 * whether the consumer sleeps, which does it the other way round.
	 */
	atomic_store_explicit(&q->head, head + need, memory_order_seq_cst);
	return true;
}

const struct punt_record *
punt_peek(struct punt *q, const uint8_t **frame)
{
	/* pairs with the store in punt_put() */
	uint64_t head = atomic_load_explicit(&q->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	const struct punt_record *r;

	if (head == tail)
		return NULL;
	r = (const struct punt_record *)(const void *)(q->ring +
						       tail % PUNT_BYTES);
	if (r->len == SKIP) {
		tail += PUNT_BYTES - tail % PUNT_BYTES;
		/* pairs with the acquire in punt_put() */
		atomic_store_explicit(&q->tail, tail, memory_order_release);
		r = (const struct punt_record *)(const void *)q->ring;
	}
	*frame = (const uint8_t *)r + HEADER;
	return r;
}

void
punt_pop(struct punt *q)
{
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	const struct punt_record *r =
	    (const struct punt_record *)(const void *)(q->ring +
						       tail % PUNT_BYTES);

	/* pairs with the acquire in punt_put() */
	atomic_store_explicit(
	    &q->tail, tail + record_bytes(r->len), memory_order_release);
}

bool
punt_has(struct punt *q)
{
	return atomic_load_explicit(&q->head, memory_order_seq_cst) !=
	       atomic_load_explicit(&q->tail, memory_order_relaxed);
}
