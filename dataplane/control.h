/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: the socket on which europad says what there shall be.
 *
 * One connection at a time, from root or from our own user; a new one takes the
 * place of the old. europad speaks first, with HELLO, and gets HELLO back; then
 * each request is answered in order (lib/wire.h). Losing the connection changes
 * nothing for the packets.
 */
#ifndef DATAPLANE_CONTROL_H
#define DATAPLANE_CONTROL_H

#include "dataplane/node.h"
#include "lib/err.h"

struct control;

/* Takes listen_fd. Returns 0 or negative errno. Context: control, as all. */
int control_new(struct node *n, int listen_fd, struct control **out);
void control_free(struct control *c); /* NULL is allowed */

/* Tells europad, if it is there, what happened to a queue. */
void control_event(
    struct control *c, const struct set_queue *q, enum wire_event kind);

/* Tells europad, if it is there, what has become of a port. */
void control_port(struct control *c, const struct port *p);

/*
 * Sends m; a peer that does not read for a second is cut off. Returns 0 or
 * negative errno.
 */
int control_send(struct control *c, const struct wire_msg *m);

/*
 * control_msgs.c: does what m asks. Returns 0 (the answer is OK), or negative
 * errno with e set (the answer is FAIL). The descriptors that it does not take
 * stay in m.
 */
int control_do(
    struct node *n, struct control *c, struct wire_msg *m, struct err *e);

#endif
