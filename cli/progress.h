/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: a bar on stderr while something takes long, if that is a terminal;
 * else nothing at all. Nothing is drawn within the first half second.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

typedef void (*progress_fn)(uint64_t done, uint64_t total);

/* The bar for bytes, or NULL if nobody would see it. */
progress_fn progress_bytes(void);

/* So many of so many; what is being done. */
void progress_step(unsigned done, unsigned total, const char *what);

/* Takes the bar away. */
void progress_end(void);

#endif
