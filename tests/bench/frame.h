/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame: the datagrams that are forwarded, so that all sources send the same.
 */
#ifndef TESTS_BENCH_FRAME_H
#define TESTS_BENCH_FRAME_H

#include <stdint.h>

enum {
	FRAME_DST_AT = 14 + 16,
	FRAME_CHECKSUM_AT = 14 + 10,
	FRAME_STAMP_AT = 48, /* of a source that is asked for it: 8 bytes */
};

uint32_t frame_random(uint32_t *state);

/* The complement of a sum of 16-bit words, folded. */
uint16_t frame_checksum(uint32_t sum);
uint32_t frame_sum(const uint8_t *p, unsigned bytes); /* an even number */

/* Writes a UDP datagram to dst, from the sender to eth0, in a frame. */
void frame_datagram(uint8_t *p, unsigned bytes, uint32_t dst, unsigned id);

void frame_ethernet(
    uint8_t *p, const char *dst, const char *src, unsigned type);

#endif
