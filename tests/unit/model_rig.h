/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_rig: documents that must be good, and documents with one error that has
 * to be told where it is.
 */
#ifndef TESTS_MODEL_RIG_H
#define TESTS_MODEL_RIG_H

#include "api/model.h"

json_t *rig_parse(const char *text);

/* Reads a router that must be good. */
struct model_router rig_read_router(const char *text);

bool rig_has_error(
    const struct problem *p, const char *pointer, const char *part);

/* Reads text as router r1: it has this one error and no other. */
void rig_expect_error(const char *text, const char *pointer, const char *part);

/* The same for a router with this one vNIC; pointer is within it. */
void rig_expect_vnic_error(
    const char *vnic, const char *pointer, const char *part);

#endif
