/* SPDX-License-Identifier: Apache-2.0 */
/* session: see session.h. */
#include "agent/session.h"

#include "lib/base.h"

#include <sys/epoll.h>
#include <sys/socket.h>

struct session {
	struct loop *loop;
	struct initlink *link;
	struct session_hooks hooks;
	int fd;
	struct loop_source *source;
	struct loop_source *more; /* timer: pieces that were read already */
	bool paused;
	bool hung_up; /* what it has said is still there to be read */
	bool freed;   /* within a hook: its caller lets go */
	bool in_hook;
	struct piece_reader in;
	uint8_t *out;
	size_t out_n, out_room;
};

static void
release(struct session *s)
{
	loop_del(s->source);
	loop_del(s->more);
	if (s->fd >= 0)
		initlink_close(s->link, s->fd);
	free(s->out);
	free(s);
}

void
session_free(struct session *s)
{
	if (!s)
		return;
	s->freed = true;
	if (!s->in_hook)
		release(s);
}

static void
watch(struct session *s)
{
	if (!s->source)
		return;
	loop_set_events(s->source, (s->paused ? 0 : (uint32_t)EPOLLIN) |
				       (s->out_n > 0 ? (uint32_t)EPOLLOUT : 0));
}

/* Returns 0 or negative errno. */
static int
flush(struct session *s)
{
	ssize_t n;

	if (s->out_n == 0)
		return 0;
	n = send(s->fd, s->out, s->out_n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	s->out_n -= (size_t)n;
	memmove(s->out, s->out + n, s->out_n);
	if (s->out_n == 0 && s->hooks.on_sent)
		s->hooks.on_sent(s->hooks.arg);
	return 0;
}

/* Returns 1: go on, 0: that was its end, or -EBADMSG. */
static int
hand_on(struct session *s, const struct piece *p)
{
	const struct session_hooks *h = &s->hooks;

	switch (p->type) {
	case PIECE_STARTED:
		h->on_started(h->arg);
		return 1;
	case PIECE_OUT:
	case PIECE_ERR:
		h->on_output(h->arg, p->type, p->bytes, p->n);
		return 1;
	case PIECE_FAILED:
		h->on_failed(h->arg, (int)(piece_number(p) & 0xffff));
		return 0;
	case PIECE_EXIT:
		h->on_exit(h->arg, (int)(piece_number(p) & 0xffff));
		return 0;
	default:
		return -EBADMSG;
	}
}

/* All pieces that are there, unless somebody says stop. The same results. */
static int
hand_on_all(struct session *s)
{
	struct piece p;
	int rc = 1;

	while (rc == 1 && !s->paused && !s->freed) {
		rc = piece_next(&s->in, &p);
		if (rc <= 0)
			return rc < 0 ? rc : 1;
		rc = hand_on(s, &p);
		piece_drop(&s->in);
	}
	return rc;
}

/* Returns 1 or negative errno. */
static int
take(struct session *s)
{
	uint8_t *at;
	size_t room = piece_room(&s->in, &at);
	ssize_t n;

	if (room == 0)
		return 1;
	n = initlink_read(s->link, s->fd, at, room);
	if (n == -EAGAIN || n == -EINTR)
		return 1;
	if (n <= 0)
		return n < 0 ? (int)n : -EPIPE;
	piece_filled(&s->in, (size_t)n);
	return 1;
}

/*
 * init listens no more; what it has said is still to be read. It cannot be turned
 * a deaf ear to, for it would wake us for ever.
 */
static void
hang_up(struct session *s)
{
	s->hung_up = true;
	s->out_n = 0;
	loop_del(s->source);
	s->source = NULL;
}

/* Nothing more comes, until it is freed. */
static void
end(struct session *s)
{
	loop_del(s->source);
	s->source = NULL;
	s->paused = true;
}

static void
turn(struct session *s, uint32_t events)
{
	int rc;

	s->in_hook = true;
	if (events & (EPOLLHUP | EPOLLERR))
		hang_up(s);
	rc = hand_on_all(s); /* what a pause had left */
	if (rc == 1 && (events & EPOLLIN || s->hung_up) && !s->paused &&
	    !s->freed)
		rc = take(s);
	if (rc == 1)
		rc = hand_on_all(s);
	if (rc == 1 && !s->freed && !s->hung_up && flush(s) < 0)
		hang_up(s);
	if (rc < 0 && !s->freed)
		s->hooks.on_gone(s->hooks.arg, rc);
	s->in_hook = false;
	if (s->freed)
		release(s);
	else if (rc != 1)
		end(s);
	else if (s->hung_up && !s->paused)
		loop_arm(s->more, 0); /* until all of it was read */
	else
		watch(s);
}

static void
ready(void *arg, int fd, uint32_t events)
{
	(void)fd;
	turn(arg, events);
}

static void
go_on(void *arg)
{
	turn(arg, 0);
}

int
session_new(
    struct loop *l, const struct session_config *c, struct session **out)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->loop = l;
	s->link = c->link;
	s->hooks = c->hooks;
	s->fd = -1;
	rc = initlink_open_session(
	    c->link, c->kind, c->rows, c->columns, &s->fd);
	if (rc == 0)
		rc = loop_add_timer(l, go_on, s, &s->more);
	if (rc == 0)
		rc = loop_add_fd(l, s->fd, EPOLLIN, ready, s, &s->source);
	if (rc < 0) {
		release(s);
		return rc;
	}
	*out = s;
	return 0;
}

static int
make_room(struct session *s, size_t n)
{
	size_t want = s->out_n + n;
	uint8_t *bigger;

	if (want <= s->out_room)
		return 0;
	bigger = realloc(s->out, 2 * want);
	if (!bigger)
		return -ENOMEM;
	s->out = bigger;
	s->out_room = 2 * want;
	return 0;
}

int
session_send(
    struct session *s, enum piece_type type, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	size_t pieces = n == 0 ? 1 : (n + PIECE_MAX - 1) / PIECE_MAX;

	if (make_room(s, n + pieces * PIECE_HEAD) < 0)
		return -ENOMEM;
	do {
		size_t k = MIN(n, (size_t)PIECE_MAX);

		piece_head(s->out + s->out_n, type, k);
		if (k > 0)
			memcpy(s->out + s->out_n + PIECE_HEAD, at, k);
		s->out_n += PIECE_HEAD + k;
		at += k;
		n -= k;
	} while (n > 0);
	if (!s->in_hook)
		loop_arm(s->more, 0);
	return 0;
}

size_t
session_waiting(const struct session *s)
{
	return s->out_n;
}

void
session_pause(struct session *s, bool pause)
{
	if (s->paused == pause)
		return;
	s->paused = pause;
	if (!s->in_hook)
		loop_arm(s->more, 0);
}
