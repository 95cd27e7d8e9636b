/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template: the root file systems that routers of this install start from. Each
 * is made by europa-template, once per set of programs, and never changed; which
 * there can be is what folders with a manifest it finds.
 */
#ifndef AGENT_TEMPLATE_H
#define AGENT_TEMPLATE_H

#include "agent/config.h"

#include <stddef.h>

/*
 * Builds the template if it is not there, and finds it. Returns 0 and its path,
 * -ENOENT: there is none of that name, or negative errno; with e set. Blocks for
 * as long as the copying takes, once per install: some tenths of a second.
 */
int template_build(const struct config *c, const char *name, char *rootfs,
    size_t size, struct err *e);

#endif
