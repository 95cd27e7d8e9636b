/* SPDX-License-Identifier: Apache-2.0 */
/* api_client: see api_client.h. A read that takes too long fails the test. */
#include "api_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

int
client_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		fail_msg("connect %s: %s", path, strerror(errno));
	return fd;
}

int
client_tcp(unsigned port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		fail_msg("connect port %u: %s", port, strerror(errno));
	return fd;
}

void
client_send(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		n -= (size_t)sent;
	}
}

void
client_say(int fd, const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_in_range(n, 0, sizeof(text) - 1);
	client_send(fd, text, (size_t)n);
}

/* Returns bytes, 0 at the end of the stream or when it was reset. */
static size_t
receive(int fd, char *buf, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t got;

	if (poll(&p, 1, PATIENCE_MS) != 1)
		fail_msg("no answer within %d ms", PATIENCE_MS);
	got = recv(fd, buf, n, 0);
	return got > 0 ? (size_t)got : 0;
}

/* Byte by byte up to the empty line: answers may follow each other. */
static int
read_head(int fd, struct client_answer *a)
{
	size_t n = 0;

	while (n + 1 < sizeof(a->head)) {
		if (receive(fd, a->head + n, 1) == 0)
			return 0;
		a->head[++n] = '\0';
		if (n >= 4 && strcmp(a->head + n - 4, "\r\n\r\n") == 0)
			break;
	}
	return sscanf(a->head, "HTTP/1.%*c %d", &a->status) == 1;
}

void
client_read(int fd, struct client_answer *a, int is_head)
{
	size_t want;

	do {
		memset(a, 0, sizeof(*a));
		if (!read_head(fd, a)) {
			a->status = 0;
			return;
		}
	} while (a->status == 100);
	want = strtoul(client_header(a, "Content-Length"), NULL, 10);
	if (is_head)
		return;
	assert_in_range(want, 0, sizeof(a->body) - 1);
	while (a->n_body < want) {
		size_t got = receive(fd, a->body + a->n_body, want - a->n_body);

		assert_int_not_equal(got, 0);
		a->n_body += got;
	}
}

int
client_is_hung_up(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char drop[4096];

	while (poll(&p, 1, ms) == 1)
		if (recv(fd, drop, sizeof(drop), 0) <= 0)
			return 1;
	return 0;
}

const char *
client_header(struct client_answer *a, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = a->head; (at = strstr(at, "\r\n")); at++) {
		at += 2;
		if (strncasecmp(at, name, n) == 0 && at[n] == ':') {
			at += n + 1;
			at += strspn(at, " ");
			snprintf(a->value, sizeof(a->value), "%.*s",
			    (int)strcspn(at, "\r"), at);
			return a->value;
		}
	}
	return "";
}
