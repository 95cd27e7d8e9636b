/* SPDX-License-Identifier: Apache-2.0 */
/* ready: no service manager to tell anything. */
#include "lib/ready.h"

void
ready_up(const char *status)
{
	(void)status;
}

void
ready_status(const char *status)
{
	(void)status;
}

void
ready_stopping(void)
{
}

void
ready_alive(void)
{
}

int
ready_socket(const char *name)
{
	(void)name;
	return -1;
}

void
ready_keep(const char *name, int fd)
{
	(void)name;
	(void)fd;
}

void
ready_forget(const char *name)
{
	(void)name;
}

void
ready_kept(void (*fn)(void *arg, const char *name, int fd), void *arg)
{
	(void)fn;
	(void)arg;
}

uint64_t
ready_watchdog_ms(void)
{
	return 0;
}
