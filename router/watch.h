/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: notices that the configuration file has been replaced or written.
 */
#ifndef ROUTER_WATCH_H
#define ROUTER_WATCH_H

#include <stdbool.h>

struct watch {
	int fd;           /* readable = ask watch_changed() */
	const char *name; /* of the file in its folder; within path */
};

/*
 * Watches the folder of path, which is borrowed; the file itself need not be
 * there. Returns 0 or negative errno.
 */
int watch_open(struct watch *w, const char *path);
void watch_close(struct watch *w);

/* Takes all events. Has the file changed? */
bool watch_changed(struct watch *w);

#endif
