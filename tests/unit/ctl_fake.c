/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_fake: see ctl_fake.h. */
#include "tests/unit/ctl_fake.h"

#include "lib/base.h"
#include "lib/wire.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { BODY_BYTES = 128 << 10 };

struct question {
	char words[256];
	char body[BODY_BYTES];
	size_t n;
};

static bool
get(int fd, char *to, size_t n)
{
	while (n > 0) {
		ssize_t k = recv(fd, to, n, 0);

		if (k <= 0)
			return false;
		to += k;
		n -= (size_t)k;
	}
	return true;
}

static void
put(int fd, const char *text, size_t n)
{
	(void)!send(fd, text, n, MSG_NOSIGNAL);
}

static void
answer(int fd, const char *status, const char *json)
{
	char line[512];
	int n = snprintf(
	    line, sizeof(line), "%s %zu\n%s", status, strlen(json), json);

	put(fd, line, (size_t)n);
}

/* "words ... LENGTH\n" and the body. */
static bool
hear(int fd, struct question *q)
{
	size_t n = 0;
	char *last;

	do
		if (n == sizeof(q->words) - 1 || !get(fd, q->words + n, 1))
			return false;
	while (q->words[n++] != '\n');
	q->words[n - 1] = '\0';
	last = strrchr(q->words, ' ');
	if (!last)
		return false;
	q->n = strtoul(last + 1, NULL, 10);
	*last = '\0';
	if (q->n >= sizeof(q->body) || !get(fd, q->body, q->n))
		return false;
	q->body[q->n] = '\0';
	return true;
}

static size_t
count_lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

/* Which line holds "bad"; 0: none. */
static size_t
bad_line(const char *text)
{
	const char *bad = strstr(text, "bad");
	size_t line = 1;

	for (; bad && text < bad; text++)
		line += *text == '\n';
	return bad ? line : 0;
}

/* Returns false: no answer. */
static bool
routes(struct ctl_fake *f, int fd, struct question *q, size_t *begun)
{
	size_t line = bad_line(q->body), n = count_lines(q->body);
	char json[128];

	if (strstr(q->body, "mute"))
		return false;
	snprintf(json, sizeof(json),
	    "{\"error\":\"leads nowhere\",\"code\":\"unreachable\","
	    "\"line\":%zu}\n",
	    line);
	if (strcmp(q->words, "replace routes begin") == 0 &&
	    ctl_fake_get(&f->is_open)) {
		answer(fd, "error", "{\"error\":\"x\",\"code\":\"busy\"}\n");
		return true;
	}
	if (line > 0) {
		answer(fd, "error", json);
		return true;
	}
	if (strcmp(q->words, "replace routes begin") == 0) {
		ctl_fake_set(&f->is_open, 1);
		*begun = 0;
	} else if (strcmp(q->words, "replace routes add") == 0) {
		*begun += n;
	} else if (strcmp(q->words, "replace routes end") == 0) {
		ctl_fake_set(&f->is_open, 0);
		ctl_fake_set(&f->n_table, *begun);
	} else {
		ctl_fake_set(&f->n_changes, ctl_fake_get(&f->n_changes) + n);
	}
	answer(fd, "ok", "{\"routes\":1}\n");
	return true;
}

static void
drip(int fd)
{
	static const char text[] = "ok 9\n{\"n\":42}\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		put(fd, text + i, 1);
		usleep(2000);
	}
}

static void
say(int fd, char *text)
{
	for (char *c = text; *c; c++)
		*c = *c == '_' ? ' ' : *c == '!' ? '\n' : *c;
	put(fd, text, strlen(text));
}

/* False: the stream is over. */
static bool
reply(struct ctl_fake *f, int fd, struct question *q, size_t *begun)
{
	char json[64], c;

	snprintf(json, sizeof(json), "{\"n\":%zu}\n", q->n);
	ctl_fake_set(&f->n_questions, ctl_fake_get(&f->n_questions) + 1);
	ctl_fake_set(&f->n_bytes, ctl_fake_get(&f->n_bytes) + q->n);
	if (strcmp(q->words, "close") == 0)
		return false;
	while (strcmp(q->words, "late") == 0 && !ctl_fake_get(&f->lets_late))
		usleep(1000);
	if (strcmp(q->words, "silent") == 0 ||
	    (strstr(q->words, " routes") && !routes(f, fd, q, begun)))
		return recv(fd, &c, 1, 0) > 0;
	if (strcmp(q->words, "refuse") == 0)
		answer(fd, "error",
		    "{\"error\":\"no\",\"code\":\"invalid\",\"line\":2}\n");
	else if (strcmp(q->words, "drip") == 0)
		drip(fd);
	else if (strncmp(q->words, "say ", 4) == 0)
		say(fd, q->words + 4);
	else if (!strstr(q->words, " routes"))
		answer(fd, "ok", json);
	return true;
}

static void
serve(struct ctl_fake *f, int fd)
{
	static struct question q;
	size_t begun = 0;

	ctl_fake_set(&f->n_streams, ctl_fake_get(&f->n_streams) + 1);
	while (hear(fd, &q) && reply(f, fd, &q, &begun))
		;
	ctl_fake_set(&f->is_open, 0); /* what was begun is forgotten */
	close(fd);
}

static void *
run(void *arg)
{
	struct ctl_fake *f = arg;
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	struct wire_msg m;
	int rc = 0;

	while (rc == 0 || rc == -EAGAIN) {
		poll(&p, 1, -1);
		rc = wire_recv(f->fd, &m);
		if (rc != 0)
			continue;
		if (m.type == WIRE_INIT_CONTROL &&
		    !ctl_fake_get(&f->no_router)) {
			int flags = fcntl(m.fds[0], F_GETFL);

			/* as a router's own end is: it waits */
			fcntl(m.fds[0], F_SETFL, flags & ~O_NONBLOCK);
			m.n_fds = 0;
			serve(f, m.fds[0]);
		}
		wire_close_fds(&m);
	}
	return NULL;
}

void
ctl_fake_start(struct ctl_fake *f)
{
	struct wire_msg m = { .type = WIRE_INIT_HELLO };

	f->fd = wire_connect(f->socket);
	assert_true(f->fd >= 0);
	assert_int_equal(wire_send(f->fd, &m), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
}

void
ctl_fake_stop(struct ctl_fake *f)
{
	ctl_fake_set(&f->lets_late, 1);
	shutdown(f->fd, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->fd);
}
