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

uint64_t
ready_watchdog_ms(void)
{
	return 0;
}
