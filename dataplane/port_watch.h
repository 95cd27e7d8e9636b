/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_watch: looks whether the devices of ports are still there, and takes what
 * follows: a port is closed, opened again, or has no line; europad is told.
 */
#ifndef DATAPLANE_PORT_WATCH_H
#define DATAPLANE_PORT_WATCH_H

struct node;

/* One look at all of them; a few system calls a port. Context: control. */
void port_watch(struct node *n);

#endif
