/* SPDX-License-Identifier: Apache-2.0 */
/*
 * durable: files that are on disk when they are said to be. What is too long for
 * a database row lives in a folder for each router, state_dir/routers/UID: its
 * pipelines (pipelines.h) and its run-time routes (routefile.h).
 */
#ifndef AGENT_DURABLE_H
#define AGENT_DURABLE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { DURABLE_PATH = 512 };

/* The folder, made if it is not there. Returns 0 or negative errno. */
int durable_folder(const char *path, struct err *e);

/*
 * The file dir/name holds these bytes, or what it held before; after 0 it does,
 * whatever happens to the machine. -ENOSPC: the disk is full.
 */
int durable_write(const char *dir, const char *name, const void *text, size_t n,
    struct err *e);

/* The same for a file without a name that holds its bytes on disk already. */
int durable_name(const char *dir, const char *name, int fd, struct err *e);

/* A whole file of at most max bytes, with a zero behind it; NULL if not. */
char *durable_read(const char *dir, const char *name, size_t max, size_t *n);

/* The folder and the files in it, and in folders in it, are gone. */
void durable_remove(const char *path);

#endif
