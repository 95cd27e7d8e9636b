/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routepush: a file of routes (routefile.h) to a router's own socket, in pieces,
 * as fast as the router takes them, with nobody else waiting.
 *
 *	replace routes begin, add ..., end     the table, in force as a whole
 *	change routes ...                      the changes behind it
 *
 * A client's own table must be right in every line, or nothing of it counts.
 * What a container is given again must not fail by a line that the router no
 * longer understands, because a vNIC went away meanwhile: such lines are left
 * out, and counted.
 */
#ifndef AGENT_ROUTEPUSH_H
#define AGENT_ROUTEPUSH_H

#include "agent/ctlclient.h"

#include <stdbool.h>

struct routepush;

struct routepush_result {
	int rc;             /* as of ctlclient_fn */
	const json_t *json; /* what the router said last, borrowed, or NULL */
	size_t line;        /* that it refused, 1 = the first; 0 = none */
	size_t n_left_out;
};

struct routepush_config {
	struct ctlclient *client;
	int fd;       /* taken; read from its first byte on */
	size_t table; /* bytes of the table, "then" not among them */
	size_t from;  /* where the changes begin, end: where they end */
	size_t end;
	bool strict;
	void (*done)(void *arg, const struct routepush_result *result);
	void *arg;
};

/*
 * Begins; done is called once, later. Returns 0 or negative errno: then it is
 * not called, and fd is closed.
 */
int routepush_new(const struct routepush_config *c);

#endif
