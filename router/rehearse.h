/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse: tries a pipeline on made-up packets, without any memory of a node:
 * long enough that its loop is compiled, then with all that a wire may bring.
 * What throws, loses count of its packets or sends one without a next hop is
 * found before a fast path has it.
 */
#ifndef ROUTER_REHEARSE_H
#define ROUTER_REHEARSE_H

#include "router/script.h"

#include <stdint.h>
#include <sys/types.h>

struct rehearsal {
	unsigned n_packets;
	unsigned n_sent;
	unsigned n_traces; /* compiled pieces of the script */
	unsigned n_aborts; /* given up by the compiler; better 0 */
	uint64_t digest;   /* of all that was sent, and of all fates */
};

/* Loads t and tries it. Returns 0, or negative errno with e set. */
int rehearse(const struct script_text *t, struct rehearsal *out, struct err *e);

/*
 * The same as the whole work of a process, which a script may crash, with a
 * limit to its time; the text comes by standard input. Returns its exit status:
 * 0, or 1 and the error on standard output.
 */
int rehearse_main(const char *name);

enum { REHEARSE_MS = 5000 }; /* more than it gives itself */

/* Such a process, and the end of what it has said so far. */
struct rehearse_child {
	pid_t pid; /* 0: none */
	int fd;    /* readable = rehearse_hear(); -1 */
	uint64_t until_ms;
	char said[2048];
	size_t n;
};

/* Starts one. Returns 0 or negative errno. Context: any thread. */
int rehearse_spawn(struct rehearse_child *c, const struct script_text *t);

/* Takes what it says, without waiting. True: that was all, or its time is over. */
bool rehearse_hear(struct rehearse_child *c);

/*
 * Ends it, if it has not ended. Returns 0, or -EINVAL; e->msg is what it said,
 * also if that is good.
 */
int rehearse_end(struct rehearse_child *c, const char *name, struct err *e);

#endif
