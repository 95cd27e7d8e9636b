/* SPDX-License-Identifier: Apache-2.0 */
/* http_int: what the files of http share, and nobody else includes. */
#ifndef CLI_HTTP_INT_H
#define CLI_HTTP_INT_H

#include "cli/cert.h"
#include "cli/http.h"

#include <curl/curl.h>

enum {
	CONNECT_MS = 10000,
	MAX_ANSWER = 256 << 20,
	MAX_URL = 4096,
};

struct http {
	CURL *curl;
	struct http_config config;
	char *socket; /* path, or NULL */
	char *base;   /* URL without a path */
	bool pins;    /* a certificate is demanded */
	char fingerprint[CERT_HEX];
	/* of the request on its way */
	const struct http_request *rq;
	struct http_answer *answer;
	char url[MAX_URL];
	struct cert_names cert;
	bool has_cert, is_printed, is_ended, is_pin_wrong;
};

/* The handle is ready for url, with h->rq or a look at the certificate alone. */
void http_set_connection(struct http *h);
/* Says why code left no answer. Returns negative errno. */
int http_explain(
    struct http *h, CURLcode code, const char *words, struct err *e);
/* h->url is base and path. */
int http_set_url(struct http *h, const char *path, struct err *e);
/* Adds to the body of a; false without memory or over MAX_ANSWER. */
bool http_gather(struct http_answer *a, const char *data, size_t n);
/* Keeps those headers of line that an answer has. */
void http_keep_header(struct http_answer *a, const char *line, size_t n);

#endif
