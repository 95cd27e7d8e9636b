/* SPDX-License-Identifier: Apache-2.0 */
/* sigbus: a table that a signal handler may walk, see sigbus.h. */
#include "dataplane/sigbus.h"

#include "lib/base.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { MAX_REGIONS = 4096, PAGE_BYTES = 4096 };

/* The handler finds a region by begin; end is stored before it. */
static struct {
	_Atomic(uintptr_t) begin; /* 0 = free */
	_Atomic(uintptr_t) end;
	_Atomic(bool) hit;
} regions[MAX_REGIONS];

static struct loop *woken;

static void
on_sigbus(int signo, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;
	void *page = (void *)(at & ~(uintptr_t)(PAGE_BYTES - 1));
	int saved = errno;

	(void)context;
	for (int i = 0; i < MAX_REGIONS; i++) {
		/* pairs with the release in sigbus_watch() */
		uintptr_t begin = atomic_load_explicit(
		    &regions[i].begin, memory_order_acquire);

		if (begin == 0 || at < begin ||
		    at >= atomic_load_explicit(
			      &regions[i].end, memory_order_relaxed))
			continue;
		if (mmap(page, PAGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			0) == MAP_FAILED)
			break;
		/* relaxed: the wake-up follows it */
		atomic_store_explicit(
		    &regions[i].hit, true, memory_order_relaxed);
		loop_wake(woken);
		errno = saved;
		return;
	}
	signal(signo, SIG_DFL); /* the access is tried again, and kills us */
	errno = saved;
}

int
sigbus_install(struct loop *wake)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO };

	woken = wake;
	return sigaction(SIGBUS, &sa, NULL) < 0 ? -errno : 0;
}

int
sigbus_watch(const void *addr, size_t bytes)
{
	uintptr_t begin = (uintptr_t)addr;

	for (int i = 0; i < MAX_REGIONS; i++) {
		if (atomic_load_explicit(
			&regions[i].begin, memory_order_relaxed))
			continue; /* relaxed: control alone writes begin */
		atomic_store_explicit(
		    &regions[i].end, begin + bytes, memory_order_relaxed);
		atomic_store_explicit(
		    &regions[i].hit, false, memory_order_relaxed);
		/* pairs with the acquire in on_sigbus() */
		atomic_store_explicit(
		    &regions[i].begin, begin, memory_order_release);
		return i;
	}
	return -1;
}

void
sigbus_forget(int slot)
{
	if (slot >= 0) /* relaxed: nobody touches the region any more */
		atomic_store_explicit(
		    &regions[slot].begin, 0, memory_order_relaxed);
}

bool
sigbus_was_hit(int slot)
{
	return slot >= 0 &&
	       atomic_load_explicit(&regions[slot].hit, memory_order_relaxed);
}
