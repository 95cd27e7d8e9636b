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

uint64_t
ready_watchdog_ms(void)
{
	return 0;
}
