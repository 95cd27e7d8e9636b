/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_client: a client that can be rude. Raw bytes out, whole answers in.
 */
#ifndef TESTS_API_CLIENT_H
#define TESTS_API_CLIENT_H

#include <stddef.h>

enum { CLIENT_BYTES = 64 << 10 };

struct client_answer {
	int status;              /* 0: the server hung up without an answer */
	char head[8192];         /* status line and header fields */
	char body[CLIENT_BYTES]; /* with a final zero */
	size_t n_body;
	char value[1024]; /* what client_header() found last */
};

/* Connected sockets; the test fails if it cannot be. */
int client_unix(const char *path);
int client_tcp(unsigned port);

/* Sends all; a peer that hung up is no error. */
void client_send(int fd, const char *bytes, size_t n);
void client_say(int fd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Reads one answer, within ten seconds. is_head: it has no body, whatever its
 * header says. Interim answers (100) are passed over.
 */
void client_read(int fd, struct client_answer *a, int is_head);

/* Whether the server closes within ms; what it sends before is dropped. */
int client_is_hung_up(int fd, int ms);

/* The value of a header field, in a buffer of a's; "" if it is not there. */
const char *client_header(struct client_answer *a, const char *name);

#endif
