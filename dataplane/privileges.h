/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges: from root to a user that may open packet sockets and configure
 * interfaces, and nothing else. Without libraries: the kernel's calls suffice.
 */
#ifndef DATAPLANE_PRIVILEGES_H
#define DATAPLANE_PRIVILEGES_H

#include "lib/err.h"

/* First of all: nothing that we start gains rights; room for descriptors. */
void privileges_begin(void);

/*
 * Becomes user, with CAP_NET_RAW, CAP_NET_ADMIN and CAP_IPC_LOCK only. "" or
 * not being root: stays who it is and drops the other capabilities. Returns 0,
 * or negative errno with e set. Context: one thread that goes on.
 */
int privileges_drop(const char *user, struct err *e);

#endif
