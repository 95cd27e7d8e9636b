/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_names: which step of the way of a packet a counter belongs to, for people
 * who want to know where packets end.
 */
#ifndef ROUTER_CTL_NAMES_H
#define ROUTER_CTL_NAMES_H

#include "router/count.h"

/* The step that ends packets under this counter; NULL: it ends none. */
const char *ctl_drop_module(unsigned which);

/* The step that gives this fate. */
const char *ctl_fate_module(unsigned fate);

#endif
