/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigbus: the last line against memory that goes away under us.
 *
 * Tenant-writable regions are 4 KiB shmem, where a punched hole reads zeros; a
 * SIGBUS is left for what the kernel cannot page in. If the address lies in a
 * region of a router, a page of zeros is put there, the router is marked, and
 * the process goes on; anywhere else it is our bug and the process dies of it.
 */
#ifndef DATAPLANE_SIGBUS_H
#define DATAPLANE_SIGBUS_H

#include "lib/loop.h"

#include <stdbool.h>
#include <stddef.h>

/* Installs the handler; wake is woken when a region was hit. */
int sigbus_install(struct loop *wake);

/* Adds a region. Returns its number, -1 if the table is full. */
int sigbus_watch(const void *addr, size_t bytes);
void sigbus_forget(int slot); /* -1 is allowed */

/* True if the region has been hit. */
bool sigbus_was_hit(int slot);

#endif
