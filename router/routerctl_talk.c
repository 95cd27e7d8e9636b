/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerctl_talk: one request, one answer; what the router says is bounded by
 * ctl.h, and so is the time for it.
 */
#include "router/routerctl.h"

#include "lib/base.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A measurement, or a check of a pipeline, takes its time. */
enum { PATIENCE_MS = CTL_MAX_TIME_MS + 20000 };

static _Noreturn void
give_up(const char *why)
{
	fprintf(stderr, "routerctl: %s\n", why);
	exit(ROUTERCTL_AWAY);
}

void
talk_open(struct talk *t, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*t = (struct talk){ .fd = -1 };
	if (strlen(path) >= sizeof(a.sun_path))
		give_up("the socket's path is too long");
	strcpy(a.sun_path, path);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		fprintf(stderr, "routerctl: %s: %s\n", path, strerror(errno));
		exit(ROUTERCTL_AWAY);
	}
}

void
talk_close(struct talk *t)
{
	base_close(t->fd);
	free(t->answer);
	*t = (struct talk){ .fd = -1 };
}

static void
say(struct talk *t, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(t->fd, p, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) /* it has closed: its last answer says why */
			return;
		p += k;
		n -= (size_t)k;
	}
}

static void
hear(struct talk *t, char *out, size_t n)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };

	while (n > 0) {
		ssize_t k;

		if (poll(&p, 1, PATIENCE_MS) == 0)
			give_up("the router does not answer");
		k = recv(t->fd, out, n, 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			give_up("the router has closed");
		out += k;
		n -= (size_t)k;
	}
}

/* "ok LEN" or "error LEN"; its end is "\n". */
static bool
hear_head(struct talk *t, size_t *n)
{
	char head[32];
	unsigned k = 0;
	char end;
	bool ok;

	do {
		if (k == sizeof(head) - 1)
			give_up("no answer of a router");
		hear(t, &head[k], 1);
	} while (head[k++] != '\n');
	head[k] = '\0';
	ok = strncmp(head, "ok ", 3) == 0;
	if (sscanf(head, ok ? "ok %9zu%c" : "error %9zu%c", n, &end) != 2 ||
	    end != '\n' || *n > CTL_MAX_ANSWER + 1)
		give_up("no answer of a router");
	return ok;
}

bool
talk_ask(struct talk *t, const char *words, const char *body, size_t n)
{
	char line[CTL_MAX_LINE + 32];
	bool ok;

	if (strlen(words) >= CTL_MAX_LINE - 16)
		give_up("a request that is too long");
	snprintf(line, sizeof(line), "%s %zu\n", words, n);
	say(t, line, strlen(line));
	say(t, body, n);
	ok = hear_head(t, &t->n);
	free(t->answer);
	t->answer = malloc(t->n + 1);
	if (!t->answer)
		give_up("out of memory");
	hear(t, t->answer, t->n);
	t->answer[t->n] = '\0';
	if (strlen(t->answer) != t->n)
		give_up("no answer of a router");
	return ok;
}
