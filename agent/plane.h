/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plane: europad's connection to the data plane.
 *
 * It connects, says hello, asks which sets of memory the data plane holds, and
 * then is up; when the connection ends it is down and tries again for ever.
 * Nothing here blocks: requests are queued, answers come by callback on the
 * loop's thread, in the order of the requests.
 */
#ifndef AGENT_PLANE_H
#define AGENT_PLANE_H

#include "lib/loop.h"
#include "lib/wire.h"

#include <stdbool.h>

struct plane;

struct plane_hooks {
	/* one set that the data plane holds; m->fds may be taken (n_fds = 0) */
	void (*on_set)(void *arg, struct wire_msg *m);
	/* hello and list are done */
	void (*on_up)(void *arg, const struct wire_msg *hello);
	void (*on_down)(void *arg);
	void (*on_event)(void *arg, const struct wire_msg *m);
	/* nobody has asked: a port has changed by itself */
	void (*on_port)(void *arg, const struct wire_msg *m);
	void *arg;
};

/*
 * reply is NULL if the connection ended first. uid and tag are what the
 * request was given: the asker may be gone by now.
 */
typedef void (*plane_reply_fn)(void *arg, const uint8_t uid[WIRE_UID_BYTES],
    uint32_t tag, const struct wire_msg *reply);

int plane_new(struct loop *l, const char *path, const struct plane_hooks *hooks,
    struct plane **out);
/* Those who wait for an answer hear that none will come. */
void plane_free(struct plane *p);

bool plane_is_up(const struct plane *p);

/* Stands for all that has been sent until now, on this connection. */
uint32_t plane_mark(const struct plane *p);
/* Has all of that been answered? Never, if not all of it could be sent. */
bool plane_has_answered(const struct plane *p, uint32_t mark);

/* What a request wants to be told; fn may be NULL. */
struct plane_ask {
	plane_reply_fn fn;
	void *arg;
	uint8_t uid[WIRE_UID_BYTES];
	uint32_t tag;
};

/*
 * Sends m (fds borrowed, duplicated by the kernel). Returns 0; -ENOTCONN while
 * down: fn is then not called. Answers of several messages (PORT_LIST) call fn
 * once for each, the last one is OK or FAIL.
 */
int plane_send(
    struct plane *p, struct wire_msg *m, const struct plane_ask *ask);

#endif
