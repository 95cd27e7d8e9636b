/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_relay: europad's way to the router's own socket, see init.h.
 *
 * europad never enters a container, and takes no descriptor from one: it sends
 * one end of a stream of its own, and bytes go back and forth here, unread.
 * Nothing is read that there is no room for, so whoever does not listen stops
 * the other one, and nobody else. When one side ends, what it had said before is
 * still delivered, then the relay ends.
 */
#include "container-templates/init.h"

#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { EUROPAD, ROUTER, N_SIDES, RELAY_BYTES = 16 << 10 };

struct side {
	struct init_relay *relay;
	int fd;
	struct loop_source *source;
	bool hung_up; /* what it has said is still there */
	size_t at, n; /* in bytes: said, and not yet told the other */
	uint8_t bytes[RELAY_BYTES];
};

struct init_relay {
	struct side side[N_SIDES];
};

static unsigned n_relays;

static void
relay_free(struct init_relay *y)
{
	for (unsigned i = 0; i < N_SIDES; i++) {
		loop_del(y->side[i].source);
		base_close(y->side[i].fd);
	}
	free(y);
	n_relays--;
}

static struct side *
other(struct side *s)
{
	return &s->relay
		    ->side[s == &s->relay->side[EUROPAD] ? ROUTER : EUROPAD];
}

/* Returns 0, or negative errno: the relay is over. */
static int
take(struct side *s)
{
	ssize_t n;

	if (s->n > 0)
		return 0;
	n = recv(s->fd, s->bytes, sizeof(s->bytes), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !s->hung_up)
		return 0;
	if (n <= 0)
		return -EPIPE; /* all that it said before has been given */
	s->at = 0;
	s->n = (size_t)n;
	return 0;
}

static int
give(struct side *from, struct side *to)
{
	ssize_t n;

	if (from->n == 0)
		return 0;
	n = send(to->fd, from->bytes + from->at, from->n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	from->at += (size_t)n;
	from->n -= (size_t)n;
	return 0;
}

static int
flow(struct side *from, struct side *to)
{
	int rc;

	do {
		rc = take(from);
		if (rc == 0)
			rc = give(from, to);
	} while (rc == 0 && from->hung_up && from->n == 0);
	return rc;
}

static void
watch(struct side *s)
{
	if (s->source)
		loop_set_events(
		    s->source, (s->n == 0 ? (uint32_t)EPOLLIN : 0) |
				   (other(s)->n > 0 ? (uint32_t)EPOLLOUT : 0));
}

static void
side_ready(void *arg, int fd, uint32_t events)
{
	struct side *s = arg;
	struct side *o = other(s);

	(void)fd;
	if (events & (EPOLLHUP | EPOLLERR) && s->n > 0) {
		/* cannot be turned a deaf ear to: it would wake us for ever */
		s->hung_up = true;
		loop_del(s->source);
		s->source = NULL;
	}
	if (flow(s, o) < 0 || flow(o, s) < 0) {
		relay_free(s->relay);
		return;
	}
	watch(s);
	watch(o);
}

static int
connect_to(const char *dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	scoped_close int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s/router.sock",
		dir) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return steal_fd(fd);
}

int
init_relay_new(struct loop *l, const char *dir, int fd)
{
	struct init_relay *y = NULL;
	int rc = 0;

	if (n_relays < INIT_MAX_RELAYS)
		y = calloc(1, sizeof(*y));
	if (!y) {
		base_close(fd);
		return n_relays < INIT_MAX_RELAYS ? -ENOMEM : -EBUSY;
	}
	n_relays++;
	y->side[EUROPAD] = (struct side){ .relay = y, .fd = fd };
	y->side[ROUTER] = (struct side){ .relay = y, .fd = connect_to(dir) };
	if (y->side[ROUTER].fd < 0)
		rc = y->side[ROUTER].fd;
	for (unsigned i = 0; i < N_SIDES && rc == 0; i++)
		rc = loop_add_fd(l, y->side[i].fd, EPOLLIN, side_ready,
		    &y->side[i], &y->side[i].source);
	if (rc < 0)
		relay_free(y);
	return rc;
}
