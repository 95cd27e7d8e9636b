/* SPDX-License-Identifier: Apache-2.0 */
/* control_macs: what europad says of the MACs that vNICs may use. */
#ifndef DATAPLANE_CONTROL_MACS_H
#define DATAPLANE_CONTROL_MACS_H

#include "dataplane/node.h"
#include "lib/err.h"

/* Puts m->u.macs in force. Returns 0, or negative with e set: nothing changed. */
int control_macs(struct node *n, const struct wire_macs *m, struct err *e);

/* The vNIC has gone: the next one of its index begins with its own alone. */
void control_macs_forget(struct set *s, uint32_t index);

#endif
