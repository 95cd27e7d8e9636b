/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: requests to a node, over its unix socket or over HTTPS; the one home of
 * libcurl.
 *
 * A node's certificate is its own work, so no authority vouches for it: with a
 * fingerprint, that certificate and no other is spoken to, and nothing is sent
 * before it has been seen. Without one, the authorities of this host decide.
 */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { HTTP_FINGERPRINT = 72 /* "sha256:", 64 digits and the zero */ };

struct http;

/* Borrows all of its texts for the life of the handle. */
struct http_config {
	const char *server;      /* a path, unix:PATH, or a URL */
	const char *fingerprint; /* sha256:HEX, or NULL */
	const char *token;       /* or NULL */
	unsigned timeout_s;      /* of a whole request; 0: none */
	bool debug;              /* the equal curl line, to stderr */
	/* called now and then with bytes sent, received and expected, or NULL */
	void (*progress)(uint64_t done, uint64_t total);
};

/* Takes n bytes of a good answer. Returns false to end it. */
typedef bool (*http_sink_fn)(void *arg, const char *data, size_t n);

enum { HTTP_MAX_HEADERS = 8 };

struct http_request {
	const char *method;
	const char *path; /* with its query, encoded */
	const char *type; /* of the body; NULL: no body */
	const char *body;
	size_t n_body;
	FILE *file;            /* a body to stream instead, borrowed */
	const char *file_name; /* of file, as curl would name it */
	const char *headers[HTTP_MAX_HEADERS]; /* "Name: value" */
	http_sink_fn sink;                     /* NULL: the body is gathered */
	void *sink_arg;
	bool is_stream; /* may take any time */
};

struct http_answer {
	unsigned status;
	char type[64];
	char etag[128];
	char location[256];
	char accept[64]; /* Sec-WebSocket-Accept */
	char *body;      /* owned, ends in zero; NULL when a sink took it */
	size_t n_body;
};

/* Returns 0 or negative errno. */
int http_open(
    const struct http_config *config, struct http **out, struct err *e);
void http_close(struct http *h);

/*
 * One request. Returns 0 if there is an answer, whatever its status; else
 * -EACCES (the socket is not for us), -EKEYREJECTED (another certificate),
 * -ECANCELED (the sink ended it), -ECONNREFUSED or another negative errno.
 */
int http_do(struct http *h, const struct http_request *rq,
    struct http_answer *out, struct err *e);
void http_answer_free(struct http_answer *a);

/*
 * A GET that asks for another protocol. Returns 0 and an answer; is its status
 * 101, then the connection is the caller's, and body has what came behind the
 * head. Else as http_do().
 */
int http_upgrade(struct http *h, const struct http_request *rq,
    struct http_answer *out, struct err *e);
/* Of that connection: to be waited for; there may be bytes without it. */
int http_fd(struct http *h);
/* Return how many bytes, -EAGAIN, 0 (recv: the end), or negative errno. */
ssize_t http_send(struct http *h, const void *data, size_t n);
ssize_t http_recv(struct http *h, void *data, size_t n);

/*
 * What the server's certificate is, by a handshake and nothing more: the
 * fingerprint that would be pinned.
 */
int http_fingerprint(
    const char *server, char out[HTTP_FINGERPRINT], struct err *e);

/* s, percent-encoded for a path segment or a query; returns to caller. */
char *http_escape(const char *s);

#endif
