/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell: the system call behind a ring.
 */
#include "router/bell.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void
bell_ring_sleeper(struct bell *b)
{
	atomic_fetch_add_explicit(&b->word, 1, memory_order_seq_cst);
	syscall(
	    SYS_futex, &b->word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
