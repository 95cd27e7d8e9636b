/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover: a bounded queue of frames from one worker to another. One producer,
 * one consumer, no lock; a full queue refuses, and nobody waits.
 *
 * It carries bytes and not mbufs: so an mbuf, its pool and its free list belong
 * to one worker for ever, and each line here has one writer. The price is one
 * copy, of frames that cross only.
 *
 *	[record: to, len, tag][bytes ...] [record][bytes] ... [skip] <- end
 *
 * head and tail count bytes and only grow. The producer writes records and
 * publishes many of them with one store of head; the consumer works on the
 * bytes where they lie and gives many back with one store of tail. Each side
 * remembers what it last saw of the other: the producer looks again when that is
 * not enough, the consumer when it is told to.
 */
#ifndef DATAPLANE_HANDOVER_H
#define DATAPLANE_HANDOVER_H

#include "lib/base.h"
#include "lib/vnic_abi.h"

#include <stdalign.h>
#include <stdatomic.h>

enum handover_limits {
	HANDOVER_BYTES = 1 << 20, /* a power of two; 680 frames of 1500 B */
	HANDOVER_MAX_FRAME = 16384,
};

struct handover_record {
	void *to;     /* whatever the two agree on */
	uint16_t len; /* of the bytes that follow, <= HANDOVER_MAX_FRAME */
	uint16_t tci; /* of a tag that is not among the bytes */
	bool tagged;
};

struct handover {
	/* (producer) */
	alignas(VNIC_LINE) _Atomic(uint64_t) head;
	uint64_t at;        /* records up to here are written */
	uint64_t tail_seen; /* of tail, at some time */
	/* (consumer) */
	alignas(VNIC_LINE) _Atomic(uint64_t) tail;
	uint64_t next; /* records up to here are taken */
	uint64_t head_seen;
	/* constant */
	alignas(VNIC_LINE) uint8_t *bytes;
};
static_assert(sizeof(struct handover) == 3 * VNIC_LINE, "a line for each");

/* Returns 0 and an empty one, or -ENOMEM. Context: control. */
int handover_new(struct handover **out);
void handover_free(struct handover *h); /* NULL is allowed */

/* --- producer ----------------------------------------------------------------- */

/*
 * Appends a record. Returns where its r->len bytes belong, or NULL: it is full.
 * Nobody sees the record before handover_publish().
 */
uint8_t *handover_put(struct handover *h, const struct handover_record *r);

/* Is there room for a record of len bytes, and half of the queue besides? */
bool handover_is_wide(struct handover *h, uint16_t len);

/* Returns true if there was anything to publish: the consumer may sleep. */
bool handover_publish(struct handover *h);

/* --- consumer ----------------------------------------------------------------- */

/* What has been published by now can be taken. */
void handover_look(struct handover *h);

/* Is there more to take, of what was there at the last look? */
static inline bool
handover_left(const struct handover *h)
{
	return h->next != h->head_seen;
}

/*
 * The next record and its bytes, which stay until handover_release(); NULL if none
 * is left of what the last look saw.
 */
const struct handover_record *handover_take(
    struct handover *h, const uint8_t **bytes);

/* Where handover_take() stands, to come back to. */
static inline uint64_t
handover_mark(const struct handover *h)
{
	return h->next;
}

/* Everything taken after mark is there to be taken again. */
static inline void
handover_rewind(struct handover *h, uint64_t mark)
{
	h->next = mark;
}

/* Gives back the room of all that was taken. */
void handover_release(struct handover *h);

/* Is there more? For a consumer that has said that it sleeps. */
bool handover_has(const struct handover *h);

/* --- any thread ---------------------------------------------------------------- */

/* What has been published by now, and whether all of that is given back. */
uint64_t handover_published(const struct handover *h);
bool handover_is_past(const struct handover *h, uint64_t published);

#endif
