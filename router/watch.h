/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: notices that the configuration file has been replaced or written, and
 * the same of the rules beside it, which may also be taken away.
 *
 * A kernel gives a user, with all of his containers, 128 inotify instances if
 * nobody has asked for more (fs.inotify.max_user_instances). Who gets none looks
 * at the file instead, whenever he is asked: at least each WATCH_LOOK_MS.
 */
#ifndef ROUTER_WATCH_H
#define ROUTER_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

enum { WATCH_LOOK_MS = 1000 };

struct watch {
	int fd;           /* readable = ask watch_changed(); -1 = look */
	const char *path; /* of the file */
	const char *name; /* of it in its folder; within path */
	char rules[PATH_MAX];
	struct stat seen; /* zeros: it was not there */
	struct stat seen_rules;
};

/*
 * Watches the folder of path, which is borrowed; the file itself need not be
 * there. Returns 0 or negative errno, -ENAMETOOLONG or why it has no folder.
 */
int watch_open(struct watch *w, const char *path);

/* The same without an instance: who knows when to ask. */
void watch_look(struct watch *w, const char *path);
void watch_close(struct watch *w);

/* Takes all events, if there are any. Has the file changed? */
bool watch_changed(struct watch *w);

#endif
