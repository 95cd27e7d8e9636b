/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template: the root file system that routers of this install start from. It is
 * made by europa-template, once per set of programs, and never changed.
 */
#ifndef AGENT_TEMPLATE_H
#define AGENT_TEMPLATE_H

#include "agent/config.h"

#include <stddef.h>

/*
 * Builds the template if it is not there, and finds it. Returns 0 and its path,
 * or negative errno with e set. Blocks for as long as the copying takes, once
 * per install: some tenths of a second. Context: before the loop runs.
 */
int template_build(
    const struct config *c, char *rootfs, size_t size, struct err *e);

#endif
