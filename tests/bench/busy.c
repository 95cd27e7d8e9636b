/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy: what Europa is compared with when it sleeps: itself, polling all the
 * time. A library that is loaded first (LD_PRELOAD) and lets no thread sleep that
 * moves packets: the worker's wait for descriptors and the router's wait for a
 * futex return at once. All other threads sleep as they do.
 */
#include "lib/base.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* By its name, which it may get a moment after it has started. */
static bool
moves_packets(void)
{
	static _Thread_local bool yes;
	char name[16] = "";

	if (!yes) {
		prctl(PR_GET_NAME, name);
		yes = strncmp(name, "worker", 6) == 0 ||
		      strcmp(name, "fast") == 0;
	}
	return yes;
}

int
epoll_wait(int fd, struct epoll_event *ev, int max, int timeout)
{
	static int (*real)(int, struct epoll_event *, int, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
	return real(fd, ev, max, moves_packets() ? 0 : timeout);
}

static bool
is_wait(long n, const long *arg)
{
	return n == SYS_futex_waitv ||
	       (n == SYS_futex && (arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT);
}

long
syscall(long n, ...)
{
	static long (*real)(long, ...);
	long arg[6];
	va_list ap;

	/* as the C library does: six, whether they are there or not */
	va_start(ap, n);
	for (unsigned i = 0; i < ARRAY_SIZE(arg); i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (is_wait(n, arg) && moves_packets()) {
		errno = EAGAIN;
		return -1;
	}
	return real(n, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
