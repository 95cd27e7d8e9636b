/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctlclient: see ctlclient.h.
 *
 * A client that has waited long enough is told so, and the answer that may still
 * come is dropped; only when that is later by LINGER_MS the stream ends, so that
 * a router that is slow does not lose those who wait behind.
 */
#include "agent/ctlclient.h"

#include "api/json_read.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { LINGER_MS = 10000, HEAD_BYTES = 24, READ_BYTES = 64 << 10 };

struct ask {
	struct ask *next;
	ctlclient_fn done; /* NULL: told already */
	void *arg;
	uint64_t deadline_ms;
	size_t max_answer;
	size_t n, sent; /* of text */
	char text[];
};

struct ctlclient {
	struct loop *loop;
	struct initlink *link;
	struct loop_source *timer;
	struct loop_source *source;
	int fd;
	unsigned n_asks;
	struct ask *first, **last;

	/* the answer that comes */
	char head[HEAD_BYTES];
	size_t n_head;
	bool has_head, is_ok;
	char *body;
	size_t n_body, want, room;
};

static void turn(void *arg);

int
ctlclient_new(struct loop *l, struct initlink *k, struct ctlclient **out)
{
	struct ctlclient *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->loop = l;
	c->link = k;
	c->fd = -1;
	c->last = &c->first;
	rc = loop_add_timer(l, turn, c, &c->timer);
	if (rc < 0) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

static void
forget_answer(struct ctlclient *c)
{
	free(c->body);
	c->body = NULL;
	c->n_head = c->n_body = c->want = c->room = 0;
	c->has_head = false;
}

static struct ask *
take_first(struct ctlclient *c)
{
	struct ask *a = c->first;

	c->first = a->next;
	if (!c->first)
		c->last = &c->first;
	c->n_asks--;
	return a;
}

static void
tell(struct ask *a, int rc, const json_t *json)
{
	ctlclient_fn done = a->done;

	a->done = NULL;
	if (done)
		done(a->arg, rc, json);
}

void
ctlclient_hang_up(struct ctlclient *c, int rc)
{
	struct ask *list = c->first;

	loop_del(c->source);
	c->source = NULL;
	if (c->fd >= 0)
		initlink_close(c->link, c->fd);
	c->fd = -1;
	forget_answer(c);
	c->first = NULL;
	c->last = &c->first;
	c->n_asks = 0;
	while (list) {
		struct ask *a = list;

		list = a->next;
		tell(a, rc, NULL);
		free(a);
	}
}

void
ctlclient_free(struct ctlclient *c)
{
	if (!c)
		return;
	ctlclient_hang_up(c, -ECANCELED);
	loop_del(c->timer);
	free(c);
}

/* --- what comes ----------------------------------------------------------- */

/* "ok 123" or "error 123": no sign, no zero before, nothing else. */
static int
understand_head(struct ctlclient *c)
{
	const char *s = c->head, *digits;
	char *end;
	unsigned long n;

	c->is_ok = strncmp(s, "ok ", 3) == 0;
	if (!c->is_ok && strncmp(s, "error ", 6) != 0)
		return -EPROTO;
	digits = s + (c->is_ok ? 3 : 6);
	if (*digits < '1' || *digits > '9')
		return -EPROTO;
	n = strtoul(digits, &end, 10);
	if (*end != '\0' || n > c->first->max_answer)
		return -EPROTO;
	c->want = n;
	c->has_head = true;
	return 0;
}

/* Room grows with what has come, not with what is promised. */
static int
keep(struct ctlclient *c, const char *bytes, size_t n)
{
	size_t room = c->room ? c->room : 4096;
	char *body;

	while (room < c->n_body + n)
		room *= 2;
	if (room != c->room) {
		body = realloc(c->body, room);
		if (!body)
			return -ENOMEM;
		c->body = body;
		c->room = room;
	}
	memcpy(c->body + c->n_body, bytes, n);
	c->n_body += n;
	return 0;
}

/* The first question is answered. */
static int
finish(struct ctlclient *c)
{
	struct problem p = { 0 };
	json_t *v = json_read(c->body, c->n_body, &p);
	bool ok = c->is_ok;
	struct ask *a;

	problem_clear(&p);
	if (!json_is_object(v)) {
		json_decref(v);
		return -EPROTO;
	}
	forget_answer(c);
	a = take_first(c);
	tell(a, ok ? 0 : -EREMOTEIO, v);
	json_decref(v);
	free(a);
	return 0;
}

/* Takes some of the bytes. Returns how many, or negative errno. */
static ssize_t
take_some(struct ctlclient *c, const char *bytes, size_t n)
{
	size_t k;
	int rc;

	if (!c->first || c->first->sent < c->first->n)
		return -EPROTO; /* nothing was asked */
	if (!c->has_head) {
		c->head[c->n_head] = *bytes == '\n' ? '\0' : *bytes;
		if (*bytes == '\n')
			rc = understand_head(c);
		else
			rc = ++c->n_head < sizeof(c->head) ? 0 : -EPROTO;
		return rc < 0 ? rc : 1;
	}
	k = MIN(n, c->want - c->n_body);
	rc = keep(c, bytes, k);
	if (rc == 0 && c->n_body == c->want)
		rc = finish(c);
	return rc < 0 ? rc : (ssize_t)k;
}

static int
hear(struct ctlclient *c)
{
	static char bytes[READ_BYTES];
	ssize_t n = initlink_read(c->link, c->fd, bytes, sizeof(bytes));
	size_t done = 0;

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n <= 0)
		return n == -EBADMSG ? -EPROTO : -ENOTCONN;
	while (done < (size_t)n && c->fd >= 0) {
		ssize_t k = take_some(c, bytes + done, (size_t)n - done);

		if (k < 0)
			return (int)k;
		done += (size_t)k;
	}
	return 0;
}

/* --- what goes ------------------------------------------------------------ */

/* Returns 0 or negative errno; what does not fit goes when there is room. */
static int
say(struct ctlclient *c)
{
	struct ask *a = c->first;
	ssize_t n;

	if (!a || a->sent == a->n) {
		loop_set_events(c->source, EPOLLIN);
		return 0;
	}
	n = send(c->fd, a->text + a->sent, a->n - a->sent,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -ENOTCONN;
	a->sent += n < 0 ? 0 : (size_t)n;
	loop_set_events(
	    c->source, EPOLLIN | (a->sent < a->n ? (uint32_t)EPOLLOUT : 0));
	return 0;
}

static void
ready(void *arg, int fd, uint32_t events)
{
	struct ctlclient *c = arg;
	int rc = 0;

	(void)fd;
	if (events & ~(uint32_t)EPOLLOUT)
		rc = hear(c);
	if (rc == 0 && c->fd >= 0)
		rc = say(c);
	if (rc < 0) {
		log_debug("a router's socket: %s", strerror(-rc));
		ctlclient_hang_up(c, rc);
	}
}

static int
open_stream(struct ctlclient *c)
{
	int rc = initlink_open_control(c->link, &c->fd);

	if (rc == 0)
		rc = loop_add_fd(c->loop, c->fd, EPOLLIN, ready, c, &c->source);
	return rc;
}

/* --- time ----------------------------------------------------------------- */

/* Removes one that nobody has begun to send. */
static void
remove_unsent(struct ctlclient *c, struct ask **at)
{
	struct ask *a = *at;

	*at = a->next;
	if (!a->next)
		c->last = at;
	c->n_asks--;
	tell(a, -ETIMEDOUT, NULL);
	free(a);
}

/* Returns the one whose time is over, or NULL. */
static struct ask **
find_late(struct ctlclient *c, uint64_t now)
{
	struct ask **at = &c->first;

	while (*at && (*at)->deadline_ms > now)
		at = &(*at)->next;
	return *at ? at : NULL;
}

/* Tells whoever has waited long enough. Returns -ETIMEDOUT: the stream too. */
static int
expire(struct ctlclient *c)
{
	uint64_t now = loop_now_ms();
	struct ask **at;

	while ((at = find_late(c, now))) {
		struct ask *a = *at;

		if (a->sent == 0) {
			remove_unsent(c, at);
			continue;
		}
		if (!a->done)
			return -ETIMEDOUT;
		a->deadline_ms = now + LINGER_MS;
		tell(a, -ETIMEDOUT, NULL);
	}
	return 0;
}

static void
set_timer(struct ctlclient *c)
{
	uint64_t now = loop_now_ms(), next = UINT64_MAX;

	for (const struct ask *a = c->first; a; a = a->next)
		next = MIN(next, a->deadline_ms);
	if (next == UINT64_MAX)
		loop_disarm(c->timer);
	else
		loop_arm(c->timer, next > now ? next - now : 1);
}

static void
turn(void *arg)
{
	struct ctlclient *c = arg;
	int rc = expire(c);

	if (rc == 0 && c->fd < 0 && c->first)
		rc = open_stream(c);
	if (rc == 0 && c->fd >= 0)
		rc = say(c);
	if (rc < 0)
		ctlclient_hang_up(c, rc == -ETIMEDOUT ? rc : -ENOTCONN);
	set_timer(c);
}

int
ctlclient_ask(struct ctlclient *c, const struct ctlclient_question *q)
{
	char line[CTLCLIENT_WORDS + 32];
	int n = snprintf(line, sizeof(line), "%s %zu\n", q->words, q->n);
	struct ask *a;

	if (n < 0 || (size_t)n >= sizeof(line))
		return -EINVAL;
	if (c->n_asks == CTLCLIENT_MAX_WAITING)
		return -EBUSY;
	a = calloc(1, sizeof(*a) + (size_t)n + q->n);
	if (!a)
		return -ENOMEM;
	memcpy(a->text, line, (size_t)n);
	if (q->n > 0)
		memcpy(a->text + n, q->body, q->n);
	a->n = (size_t)n + q->n;
	a->max_answer = q->max_answer ? q->max_answer : CTLCLIENT_ANSWER;
	a->done = q->done;
	a->arg = q->arg;
	a->deadline_ms = loop_now_ms() + q->timeout_ms;
	*c->last = a;
	c->last = &a->next;
	c->n_asks++;
	loop_arm(c->timer, 0);
	return 0;
}
