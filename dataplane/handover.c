/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover: the ring of records, see handover.h. A record is in one piece; one
 * that does not fit before the end is put at the begin, and a record of length
 * SKIP fills the gap.
 */
#include "dataplane/handover.h"

#include "dataplane/lines.h"

enum {
	SKIP = UINT16_MAX,
	HEADER = sizeof(struct handover_record),
};

static_assert(HEADER == 16, "records and gaps are multiples of it");
static_assert(
    (HANDOVER_BYTES & (HANDOVER_BYTES - 1)) == 0, "positions wrap by a mask");

int
handover_new(struct handover **out)
{
	struct handover *h = lines_alloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->bytes = aligned_alloc(VNIC_LINE, HANDOVER_BYTES);
	if (!h->bytes) {
		free(h);
		return -ENOMEM;
	}
	*out = h;
	return 0;
}

void
handover_free(struct handover *h)
{
	if (!h)
		return;
	free(h->bytes);
	free(h);
}

static uint64_t
record_bytes(uint16_t len)
{
	return HEADER +
	       (((uint64_t)len + HEADER - 1) & ~(uint64_t)(HEADER - 1));
}

static void *
place(const struct handover *h, uint64_t at)
{
	return h->bytes + (at & (HANDOVER_BYTES - 1));
}

static bool
has_room(struct handover *h, uint64_t need)
{
	if (likely(h->at + need - h->tail_seen <= HANDOVER_BYTES))
		return true;
	/* pairs with the release in handover_release(): the bytes are read */
	h->tail_seen = atomic_load_explicit(&h->tail, memory_order_acquire);
	return h->at + need - h->tail_seen <= HANDOVER_BYTES;
}

bool
handover_is_wide(struct handover *h, uint16_t len)
{
	return has_room(h, record_bytes(len) + HANDOVER_BYTES / 2);
}

uint8_t *
handover_put(struct handover *h, const struct handover_record *r)
{
	static const struct handover_record skip = { .len = SKIP };
	uint64_t need = record_bytes(r->len);
	uint64_t left = HANDOVER_BYTES - (h->at & (HANDOVER_BYTES - 1));
	uint64_t gap = need > left ? left : 0;
	uint8_t *p;

	if (unlikely(r->len > HANDOVER_MAX_FRAME || !has_room(h, gap + need)))
		return NULL;
	if (unlikely(gap)) {
		memcpy(place(h, h->at), &skip, HEADER);
		h->at += gap;
	}
	p = place(h, h->at);
	memcpy(p, r, HEADER);
	h->at += need;
	return p + HEADER;
}

bool
handover_publish(struct handover *h)
{
	/* relaxed: our own */
	if (h->at == atomic_load_explicit(&h->head, memory_order_relaxed))
		return false;
	/*
	 * seq_cst, not release: the producer then looks whether the consumer
	 * sleeps, which says so and then looks here; one sees the other.
	 */
	atomic_store_explicit(&h->head, h->at, memory_order_seq_cst);
	return true;
}

void
handover_look(struct handover *h)
{
	/* pairs with handover_publish(): the records are written */
	h->head_seen = atomic_load_explicit(&h->head, memory_order_acquire);
}

const struct handover_record *
handover_take(struct handover *h, const uint8_t **bytes)
{
	const struct handover_record *r;

	if (!handover_left(h))
		return NULL;
	r = place(h, h->next);
	if (unlikely(r->len == SKIP)) {
		/* never the last thing that was published */
		h->next += HANDOVER_BYTES - (h->next & (HANDOVER_BYTES - 1));
		r = place(h, h->next);
	}
	h->next += record_bytes(r->len);
	*bytes = (const uint8_t *)r + HEADER;
	return r;
}

void
handover_release(struct handover *h)
{
	/* pairs with the acquire in has_room() and handover_is_past() */
	atomic_store_explicit(&h->tail, h->next, memory_order_release);
}

bool
handover_has(const struct handover *h)
{
	return atomic_load_explicit(&h->head, memory_order_seq_cst) != h->next;
}

uint64_t
handover_published(const struct handover *h)
{
	/* relaxed: the producer has been waited for */
	return atomic_load_explicit(&h->head, memory_order_relaxed);
}

bool
handover_is_past(const struct handover *h, uint64_t published)
{
	/* pairs with the release in handover_release() */
	return atomic_load_explicit(&h->tail, memory_order_acquire) >=
	       published;
}
