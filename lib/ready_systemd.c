/* SPDX-License-Identifier: Apache-2.0 */
/* ready: the sd_notify protocol, through libsystemd. */
#include "lib/ready.h"

#include "lib/base.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

void
ready_up(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void
ready_status(const char *status)
{
	sd_notifyf(0, "STATUS=%s", status);
}

void
ready_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void
ready_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

uint64_t
ready_watchdog_ms(void)
{
	uint64_t usec;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	return usec / 2000; /* twice per period */
}

int
ready_socket(const char *name)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(0, &names), found = -1;

	for (int i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			found = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	return found;
}

void
ready_keep(const char *name, int fd)
{
	char text[128];

	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	sd_pid_notify_with_fds(0, 0, text, &fd, 1);
}

void
ready_forget(const char *name)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* Sockets of units have no '.' in their names, what is kept has. */
void
ready_kept(void (*fn)(void *arg, const char *name, int fd), void *arg)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(0, &names);

	for (int i = 0; i < n; i++) {
		if (strchr(names[i], '.'))
			fn(arg, names[i], SD_LISTEN_FDS_START + i);
		free(names[i]);
	}
	free(names);
}
