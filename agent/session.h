/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: a process that init runs in a router's container for europad, as
 * europad sees it: pieces (lib/piece.h) on a stream of its own.
 *
 * Who answers is the tenant. What comes is decoded strictly and handed on as it
 * comes; nothing is read while whoever it is for has no room, so that nothing is
 * kept here and nobody but that process waits. The end of a session, by whichever
 * side, is the end of the process.
 */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include "agent/initlink.h"
#include "lib/piece.h"

struct session;

/*
 * The session may be freed within each. After on_failed, on_exit and on_gone
 * nothing more is called.
 */
struct session_hooks {
	void (*on_started)(void *arg);
	/* no process: a positive errno, as the tenant's init says */
	void (*on_failed)(void *arg, int no);
	/* OUT or ERR; at most PIECE_MAX bytes */
	void (*on_output)(
	    void *arg, enum piece_type type, const uint8_t *bytes, size_t n);
	void (*on_exit)(void *arg, int status);
	/* -EPIPE: init hung up; -EBADMSG: it speaks nonsense */
	void (*on_gone)(void *arg, int rc);
	/* what was to be sent has been */
	void (*on_sent)(void *arg);
	void *arg;
};

struct session_config {
	struct initlink *link; /* borrowed */
	uint8_t kind;          /* enum wire_session */
	uint16_t rows, columns;
	struct session_hooks hooks;
};

/* Returns 0, -ENOTCONN (there is no init), -EBUSY, or negative errno. */
int session_new(
    struct loop *l, const struct session_config *c, struct session **out);
/* Ends the process, if it runs. NULL is allowed. */
void session_free(struct session *s);

/* Queues one piece, or as many as it takes. Returns 0 or -ENOMEM. */
int session_send(
    struct session *s, enum piece_type type, const void *bytes, size_t n);
/* Bytes that wait to be sent. */
size_t session_waiting(const struct session *s);

/* No more output until it is resumed. */
void session_pause(struct session *s, bool pause);

#endif
