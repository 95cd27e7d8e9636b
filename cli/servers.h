/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers: the nodes that a user knows by name, in servers.json of
 * $XDG_CONFIG_HOME/europa or ~/.config/europa. The file has tokens in it: it is
 * its owner's alone (0600), and replaced as a whole.
 *
 *	{"current": "lab", "servers": {"lab": {"url": "https://...:8780",
 *	 "fingerprint": "sha256:...", "token": "...", "project": "..."}}}
 */
#ifndef CLI_SERVERS_H
#define CLI_SERVERS_H

#include "lib/err.h"

#include <jansson.h>

/* All of it; an empty object if there is none yet. */
int servers_read(json_t **out, struct err *e);
int servers_write(const json_t *doc, struct err *e);

/* The server of that name, or the current one; borrowed from doc, or NULL. */
json_t *servers_find(const json_t *doc, const char *name);

#endif
