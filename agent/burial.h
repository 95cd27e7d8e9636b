/* SPDX-License-Identifier: Apache-2.0 */
/*
 * burial: closes what a tenant has a hand in, without waiting for it.
 *
 * The last close of a descriptor can take as long as who made it likes: a TCP
 * socket that lingers, 200 packet sockets. A unix socket with such descriptors
 * in its queue is no better. So they are closed on threads that may hang, a few
 * for each tenant; while all of them do, burial_is_full() says so.
 */
#ifndef AGENT_BURIAL_H
#define AGENT_BURIAL_H

#include <stdbool.h>

struct burial;

struct burial *burial_new(void); /* NULL without memory */
/* Threads that still hang keep what they need; NULL is allowed. */
void burial_free(struct burial *b);

/* Takes fd, -1 is allowed. Context: one thread. */
void burial_close(struct burial *b, int fd);
bool burial_is_full(const struct burial *b);

#endif
