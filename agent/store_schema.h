/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_schema: the tables, as the steps from one version to the next. A new
 * database takes all of them, an older one those that it has not had, in one
 * transaction. A step that was released is never changed.
 */
#ifndef AGENT_STORE_SCHEMA_H
#define AGENT_STORE_SCHEMA_H

enum { STORE_VERSION = 2 };

/* store_steps[i] leads from version i to i + 1. */
extern const char *const store_steps[STORE_VERSION];

#endif
