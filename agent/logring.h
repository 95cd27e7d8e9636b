/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logring: the last of what a router's container wrote, at most 1 MiB, in two
 * files in turn:
 *
 *	log	where it is written, until it has half of that
 *	log.1	the half before it
 *
 * A place is a number of bytes since the log began; what is older than the ring
 * is passed over. The files are not synced: after a power cut the end of a log
 * may be missing.
 */
#ifndef AGENT_LOGRING_H
#define AGENT_LOGRING_H

#include "agent/durable.h"

#include <stdint.h>
#include <sys/types.h>

enum { LOGRING_BYTES = 1 << 20 };

struct logring {
	char dir[DURABLE_PATH];
	uint64_t end;             /* place behind the last byte */
	uint64_t n_now, n_before; /* bytes in log, in log.1 */
};

/* Finds what is in dir. */
void logring_open(struct logring *g, const char *dir);
/* Returns 0 or negative errno; what could not be written is passed over. */
int logring_append(struct logring *g, const void *bytes, size_t n);
/*
 * Bytes from *place on, which moves behind them, or first to where the ring
 * begins. Returns how many; 0: there is nothing more; or negative errno.
 */
ssize_t logring_read(
    const struct logring *g, uint64_t *place, void *buf, size_t n);

#endif
