/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region: one shared memory object, as a sealed memfd.
 *
 * What the seals and the mode give: a process with the fd cannot shrink or grow
 * it (a peer's mapping never meets the end of the file), and one that got the
 * read-only re-open cannot get write access in any way, for the owner's uid is
 * not mapped in its user namespace. What they do not give: a holder of a
 * writable fd can punch holes. On the 4 KiB shmem used here a hole reads as
 * zeros, which every word of vnic_abi.h understands as "nothing".
 */
#ifndef EUROPA_REGION_H
#define EUROPA_REGION_H

#include <stddef.h>

/*
 * Makes a region of bytes zeros: mode 0600, sealed SHRINK|GROW|SEAL, close on
 * exec. Returns its fd to the caller, or negative errno.
 */
int region_create(const char *name, size_t bytes);

/* Re-opens a region read-only. Returns the new fd, or negative errno. */
int region_reopen_ro(int fd);

/*
 * Checks what was received: a memfd with our seals and of exactly this size.
 * Returns 0, -EPERM (seals), -EINVAL (size or kind) or another negative errno.
 */
int region_check(int fd, size_t bytes);

/*
 * Maps all of a region, for reading, or for writing too. The host also asks to
 * keep touched pages in memory (MLOCK_ONFAULT): a page swapped out by a tenant
 * shall not stop a worker. Returns 0 and the address, or negative errno.
 */
enum region_access { REGION_RO, REGION_RW, REGION_RO_LOCKED, REGION_RW_LOCKED };
int region_map(int fd, size_t bytes, enum region_access access, void **out);

/* NULL is allowed. */
void region_unmap(void *addr, size_t bytes);

#endif
