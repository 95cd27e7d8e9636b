/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_server: the router's own socket, served by the main thread between its
 * other work. What is said there is in ctl.h. No client is waited for: all
 * sockets are non-blocking, a request does a bounded piece of work in a turn,
 * and memory is that of CTL_MAX_CLIENTS clients at most.
 */
#ifndef ROUTER_CTL_SERVER_H
#define ROUTER_CTL_SERVER_H

#include "router/ctl.h"
#include "router/feed.h"
#include "router/live.h"

#include <poll.h>

enum { CTL_FDS = CTL_MAX_CLIENTS + 2 };

struct ctl_client;

/* What commands are about; all borrowed. */
struct ctl_view {
	struct vnic *vnic;
	struct slow *slow;
	struct feed *feed;
	struct live *live;
	struct pipeline *paths;
	unsigned n_paths;
};

struct ctl {
	struct ctl_view view;
	int fd; /* -1: nobody can ask */
	char path[108];
	struct ctl_client *client[CTL_MAX_CLIENTS];
	struct snapshot snapshot;
};

/*
 * Listens beside conf. Returns 0, or negative errno: then nobody can ask, and all
 * other calls do nothing.
 */
int ctl_open(struct ctl *c, const char *conf, const struct ctl_view *view);
void ctl_close(struct ctl *c);

/* The same for a socket that is there already, which is taken; for tests. */
int ctl_adopt(struct ctl *c, int fd);

/* CTL_FDS places for poll(), and how long it may wait (ms, -1 = ever). */
void ctl_poll(struct ctl *c, struct pollfd *fds);
int ctl_timeout(const struct ctl *c);

/* Does what is due, after each poll(); behind it comes feed_turn(). */
void ctl_turn(struct ctl *c);

#endif
