/* SPDX-License-Identifier: Apache-2.0 */
/* control_link: what europad says of the links of vNICs. */
#ifndef DATAPLANE_CONTROL_LINK_H
#define DATAPLANE_CONTROL_LINK_H

#include "dataplane/node.h"
#include "lib/err.h"

/* Puts m->u.link in force. Returns 0, or negative with e set: nothing changed. */
int control_link(struct node *n, const struct wire_link *l, struct err *e);

/* What waited for or from a vNIC that the plan in force does not know. */
void control_link_forget(struct node *n, struct set *s, uint32_t index);

#endif
