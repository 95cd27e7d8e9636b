/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_upgrade: a connection that becomes something else than HTTP. libcurl makes
 * it, looks at the certificate, and moves bytes; the head is written and read
 * here.
 */
#include "cli/http_int.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <limits.h>
#include <poll.h>

enum { MAX_HEAD = 32768, HEAD_MS = 10000 };

int
http_fd(struct http *h)
{
	curl_socket_t fd = -1;

	curl_easy_getinfo(h->curl, CURLINFO_ACTIVESOCKET, &fd);
	return fd;
}

ssize_t
http_send(struct http *h, const void *data, size_t n)
{
	size_t sent = 0;
	CURLcode code = curl_easy_send(h->curl, data, n, &sent);

	if (code == CURLE_AGAIN)
		return -EAGAIN;
	return code == CURLE_OK ? (ssize_t)sent : -EPIPE;
}

ssize_t
http_recv(struct http *h, void *data, size_t n)
{
	size_t got = 0;
	CURLcode code = curl_easy_recv(h->curl, data, n, &got);

	if (code == CURLE_AGAIN)
		return -EAGAIN;
	return code == CURLE_OK ? (ssize_t)got : -EPIPE;
}

static int
connect_only(struct http *h, const struct http_request *rq, struct err *e)
{
	CURLcode code;

	h->rq = rq;
	h->is_printed = h->is_ended = h->is_pin_wrong = false;
	http_set_connection(h);
	curl_easy_setopt(h->curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(
	    h->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	code = curl_easy_perform(h->curl);
	h->rq = NULL;
	if (code != CURLE_OK)
		return http_explain(h, code, curl_easy_strerror(code), e);
	return 0;
}

static char *
make_head(const struct http *h, const struct http_request *rq, size_t *n)
{
	const char *host = strstr(h->base, "://") + 3;
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	if (!f)
		return NULL;
	fprintf(f, "GET %s HTTP/1.1\r\nHost: %s\r\n", rq->path, host);
	for (unsigned i = 0; i < HTTP_MAX_HEADERS && rq->headers[i]; i++)
		fprintf(f, "%s\r\n", rq->headers[i]);
	if (h->config.token)
		fprintf(f, "Authorization: Bearer %s\r\n", h->config.token);
	fputs("\r\n", f);
	fclose(f);
	return text;
}

/* Waits until the socket can do that; false if it is too late. */
static bool
wait_for(struct http *h, short events, uint64_t end)
{
	struct pollfd p = { .fd = http_fd(h), .events = events };
	uint64_t now = loop_now_ms();

	return now < end && poll(&p, 1, (int)(end - now)) > 0;
}

static int
send_all(struct http *h, const char *data, size_t n, uint64_t end)
{
	while (n > 0) {
		ssize_t sent = http_send(h, data, n);

		if (sent == -EAGAIN && wait_for(h, POLLOUT, end))
			continue;
		if (sent < 0)
			return -ECONNREFUSED;
		data += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* Where the head ends, NULL if it has not. */
static char *
end_of_head(const struct http_answer *a)
{
	char *end = a->body ? strstr(a->body, "\r\n\r\n") : NULL;

	return end ? end + 4 : NULL;
}

/* All of the head in a->body, with what came behind it. */
static int
read_head(struct http *h, struct http_answer *a, uint64_t end)
{
	char data[4096];

	while (!end_of_head(a)) {
		ssize_t n = http_recv(h, data, sizeof(data));

		if (n == -EAGAIN && wait_for(h, POLLIN, end))
			continue;
		if (n <= 0 || a->n_body > MAX_HEAD ||
		    !http_gather(a, data, (size_t)n))
			return -ECONNREFUSED;
	}
	return 0;
}

/* Of a refusal, the document: as long as the head says. */
static void
read_rest(struct http *h, struct http_answer *a, size_t length, uint64_t end)
{
	char data[4096];

	while (a->n_body < length) {
		ssize_t n = http_recv(h, data, sizeof(data));

		if (n == -EAGAIN && wait_for(h, POLLIN, end))
			continue;
		if (n <= 0 || !http_gather(a, data, (size_t)n))
			return;
	}
}

static int
parse_head(struct http_answer *a, size_t *length)
{
	static const char name[] = "Content-Length:";
	char *body = end_of_head(a);
	const char *line = a->body;
	unsigned status = 0;

	if (sscanf(line, "HTTP/1.1 %3u", &status) != 1)
		return -EBADMSG;
	a->status = status;
	while (line < body) {
		size_t n = strcspn(line, "\n") + 1;

		http_keep_header(a, line, n);
		if (strncasecmp(line, name, sizeof(name) - 1) == 0)
			*length =
			    (size_t)strtoul(line + sizeof(name) - 1, NULL, 10);
		line += n;
	}
	a->n_body -= (size_t)(body - a->body);
	memmove(a->body, body, a->n_body + 1);
	return 0;
}

int
http_upgrade(struct http *h, const struct http_request *rq,
    struct http_answer *out, struct err *e)
{
	uint64_t end = loop_now_ms() + HEAD_MS;
	struct http_answer answer = { 0 };
	scoped_free char *head = NULL;
	size_t n = 0, length = 0;
	int rc = http_set_url(h, rq->path, e);

	if (rc == 0)
		rc = connect_only(h, rq, e);
	if (rc < 0)
		return rc;
	head = make_head(h, rq, &n);
	rc = head ? send_all(h, head, n, end) : -ENOMEM;
	if (rc == 0)
		rc = read_head(h, &answer, end);
	if (rc == 0)
		rc = parse_head(&answer, &length);
	if (rc < 0) {
		http_answer_free(&answer);
		return err_set(e, rc, "%s: no answer of a server", rq->path);
	}
	if (answer.status != 101)
		read_rest(h, &answer, MIN(length, (size_t)MAX_HEAD), end);
	*out = answer;
	return 0;
}
