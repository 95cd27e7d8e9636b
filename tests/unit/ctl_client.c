/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_client: see ctl_client.h. While it waits the host has its turns.
 */
#include "tests/unit/ctl_client.h"

#include "lib/base.h"
#include "lib/loop.h"
#include "router/ctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000 };

int
ctl_connect(struct router_rig *r)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CTL_SOCKET, r->dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void
ctl_say(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t k = send(fd, at, n, MSG_NOSIGNAL);

		if (k < 0) /* it has closed: the answer says why */
			return;
		at += k;
		n -= (size_t)k;
	}
}

/* Exactly n bytes; false: it has closed. */
static bool
take(struct router_rig *r, int fd, char *out, size_t n)
{
	uint64_t until = loop_now_ms() + PATIENCE_MS;

	while (n > 0) {
		ssize_t k = recv(fd, out, n, MSG_DONTWAIT);

		if (k == 0 || (k < 0 && errno != EAGAIN))
			return false;
		if (k > 0) {
			out += k;
			n -= (size_t)k;
			continue;
		}
		assert_true(loop_now_ms() < until);
		router_rig_turn(r);
		usleep(200);
	}
	return true;
}

const char *
ctl_hear(struct router_rig *r, int fd, bool *ok)
{
	static char answer[CTL_TEST_ANSWER];
	char head[32];
	size_t n = 0;
	unsigned long len;
	char *end;

	do {
		assert_true(n < sizeof(head) - 1);
		if (!take(r, fd, &head[n], 1))
			return NULL;
	} while (head[n++] != '\n');
	head[n] = '\0';
	*ok = strncmp(head, "ok ", 3) == 0;
	assert_true(*ok || strncmp(head, "error ", 6) == 0);
	len = strtoul(strchr(head, ' ') + 1, &end, 10);
	assert_string_equal(end, "\n");
	assert_true(len < sizeof(answer));
	assert_true(take(r, fd, answer, len));
	answer[len] = '\0';
	assert_int_equal(answer[len - 1], '\n');
	return answer;
}

const char *
ctl_ask(
    struct router_rig *r, int fd, bool ok, const char *words, const char *body)
{
	size_t n = body ? strlen(body) : 0;
	const char *answer;
	char line[CTL_MAX_LINE + 64];
	bool good;

	snprintf(line, sizeof(line), "%s %zu\n", words, n);
	ctl_say(fd, line, strlen(line));
	ctl_say(fd, body, n);
	answer = ctl_hear(r, fd, &good);
	assert_non_null(answer);
	if (good != ok)
		fail_msg("%s: %s", words, answer);
	return answer;
}
