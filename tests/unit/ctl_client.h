/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_client: a client of the router's own socket, for tests: it says what they
 * want to say, right or wrong, and waits for an answer.
 */
#ifndef TESTS_CTL_CLIENT_H
#define TESTS_CTL_CLIENT_H

#include "tests/unit/router_rig.h"

enum { CTL_TEST_ANSWER = 256 << 10 };

/* A connection to the socket beside the rig's router.conf. */
int ctl_connect(struct router_rig *r);

/* Says n bytes. */
void ctl_say(int fd, const void *p, size_t n);

/*
 * The next answer's JSON, which stays until the next call; *ok: what its first
 * word says. NULL: the router closed.
 */
const char *ctl_hear(struct router_rig *r, int fd, bool *ok);

/*
 * A request with its length and its answer, which must be ok or an error; the
 * body is a text, NULL = none.
 */
const char *ctl_ask(
    struct router_rig *r, int fd, bool ok, const char *words, const char *body);

#endif
