/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctlclient: questions to a router's own socket, and their answers. What is said
 * there is in router/ctl.h: "WORDS LENGTH\n" and a body; "ok LENGTH\n" or "error
 * LENGTH\n" and JSON.
 *
 * The socket is in the container, and who answers is the tenant. So europad
 * sends one end of a stream of its own to init, which joins it with the socket;
 * each answer is bounded in bytes and in time, read as it comes, and must be
 * what the protocol says to the byte: whoever is late or wrong loses the stream,
 * and nobody but its own clients hears of it.
 *
 * One question is on its way at a time, others wait; each is answered exactly
 * once, never from within ctlclient_ask().
 */
#ifndef AGENT_CTLCLIENT_H
#define AGENT_CTLCLIENT_H

#include "agent/initlink.h"

#include <jansson.h>
#include <stddef.h>

struct ctlclient;

enum ctlclient_limits {
	CTLCLIENT_WORDS = 200,        /* bytes */
	CTLCLIENT_BODY = 64 << 10,    /* of most questions */
	CTLCLIENT_ANSWER = 256 << 10, /* bytes of JSON, of most answers */
	CTLCLIENT_MAX_ANSWER = 2 << 20,
	CTLCLIENT_MAX_WAITING = 64, /* questions */
};

/*
 * rc: 0; -EREMOTEIO: it said no, json says why; -ETIMEDOUT; -ENOTCONN: nobody is
 * there; -EPROTO: nonsense; -ECANCELED: the client is gone. json (borrowed) is
 * an object, or NULL.
 */
typedef void (*ctlclient_fn)(void *arg, int rc, const json_t *json);

struct ctlclient_question {
	const char *words; /* without the length */
	const void *body;  /* copied */
	size_t n;
	size_t max_answer; /* 0 = CTLCLIENT_ANSWER */
	unsigned timeout_ms;
	ctlclient_fn done;
	void *arg;
};

/* k is borrowed, and asked for the stream when there is something to say. */
int ctlclient_new(struct loop *l, struct initlink *k, struct ctlclient **out);
/* Whoever waits is told -ECANCELED. NULL is allowed. */
void ctlclient_free(struct ctlclient *c);

/* Ends the stream; whoever waits is told rc. */
void ctlclient_hang_up(struct ctlclient *c, int rc);

/* Returns 0, -EBUSY (too many wait), -ENOMEM: then done is not called. */
int ctlclient_ask(struct ctlclient *c, const struct ctlclient_question *q);

#endif
