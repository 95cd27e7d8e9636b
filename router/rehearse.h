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

/*
 * Starts such a process. Returns its pid and, in *out, where its output can be
 * read, or negative errno. Context: any thread.
 */
pid_t rehearse_spawn(const struct script_text *t, int *out);

/*
 * Waits for its end and closes fd. Returns 0, or -EINVAL; e->msg is what it said,
 * also if it is good.
 */
int rehearse_reap(pid_t pid, int fd, const char *name, struct err *e);

#endif
