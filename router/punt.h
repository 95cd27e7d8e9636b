/* SPDX-License-Identifier: Apache-2.0 */
/*
 * punt: a bounded queue by which one fast path hands copies of packets to the
 * slow path. One producer, one consumer, no locks; a full queue refuses and
 * nobody waits. Records of different lengths lie in a ring of bytes, so that
 * small packets do not pay for jumbo frames; its pages are touched as it fills.
 *
 * head and tail count bytes and only grow. The producer writes between them
 * and stores head with release, the consumer loads it with acquire; the same
 * with tail for the way back.
 */
#ifndef ROUTER_PUNT_H
#define ROUTER_PUNT_H

#include "router/batch.h"

#include <stdatomic.h>

enum punt_size { PUNT_BYTES = 1 << 17 };

struct punt {
	_Atomic(uint64_t) head; /* (producer) */
	uint8_t *ring;
	uint64_t zero[6];       /* head and tail in different lines */
	_Atomic(uint64_t) tail; /* (consumer) */
};

struct punt_record {
	uint16_t fate; /* enum fate */
	uint16_t vnic; /* where it came in */
	uint16_t len;
	uint16_t zero;
};

/* Returns 0 or -ENOMEM. */
int punt_init(struct punt *q);
void punt_destroy(struct punt *q);

/* Copies a frame in. False: there is no room. Context: producer. */
bool punt_put(
    struct punt *q, const struct punt_record *r, const uint8_t *frame);

/*
 * The oldest record, or NULL; *frame points to its bytes, which stay until
 * punt_pop(). Context: consumer.
 */
const struct punt_record *punt_peek(struct punt *q, const uint8_t **frame);
void punt_pop(struct punt *q);

/* Is there a record? Looked at after the consumer said that it sleeps. */
bool punt_has(struct punt *q);

#endif
