/* SPDX-License-Identifier: Apache-2.0 */
/* control: the connection, see control.h; what is asked is control_msgs.c. */
#include "dataplane/control.h"

#include "lib/log.h"

#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { SEND_MS = 1000 };

struct control {
	struct node *node;
	int listen_fd;
	struct loop_source *listen_source;
	int fd; /* of europad, -1 = not there */
	struct loop_source *source;
	bool greeted;
};

static void
hang_up(struct control *c)
{
	loop_del(c->source);
	c->source = NULL;
	base_close(c->fd);
	c->fd = -1;
	c->greeted = false;
}

int
control_send(struct control *c, const struct wire_msg *m)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	int rc;

	if (c->fd < 0)
		return -ENOTCONN;
	rc = wire_send(c->fd, m);
	if (rc == -EAGAIN && poll(&p, 1, SEND_MS) > 0)
		rc = wire_send(c->fd, m);
	if (rc < 0) {
		log_warn("europad is cut off, it does not listen: %s",
		    strerror(-rc));
		hang_up(c);
	}
	return rc;
}

void
control_event(
    struct control *c, const struct set_queue *q, enum wire_event kind)
{
	struct wire_msg m = { .type = WIRE_EVENT };

	if (!c || !c->greeted)
		return;
	memcpy(m.u.event.uid, q->set->info.uid, WIRE_UID_BYTES);
	m.u.event.kind = (uint8_t)kind;
	m.u.event.queue = q->index;
	control_send(c, &m);
}

void
control_port(struct control *c, const struct port *p)
{
	struct wire_msg m = { .type = WIRE_PORT_INFO };

	if (!c || !c->greeted)
		return;
	port_describe(p, &m);
	control_send(c, &m);
}

static void
answer(struct control *c, uint32_t id, int rc, const struct err *e)
{
	struct wire_msg m = { .type = WIRE_OK, .id = id };

	if (id == 0)
		return;
	if (rc < 0) {
		m.type = WIRE_FAIL;
		m.u.fail.no = (uint32_t)-rc;
		snprintf(
		    m.u.fail.text, sizeof(m.u.fail.text), "%.255s", e->msg);
	}
	control_send(c, &m);
}

/* Returns false if the connection ends here. */
static bool
greet(struct control *c, const struct wire_msg *m)
{
	struct wire_msg hello = { .type = WIRE_HELLO, .id = m->id };
	struct err e;

	if (m->type != WIRE_HELLO || m->u.hello.major != WIRE_MAJOR) {
		answer(c, m->id,
		    err_set(&e, -EPROTONOSUPPORT,
			"the data plane speaks version %d.%d and wants "
			"HELLO first",
			WIRE_MAJOR, WIRE_MINOR),
		    &e);
		return false;
	}
	hello.u.hello.major = WIRE_MAJOR;
	hello.u.hello.minor = WIRE_MINOR;
	hello.u.hello.pid = (uint32_t)getpid();
	hello.u.hello.n_workers = c->node->workers.n;
	hello.u.hello.hugepages = c->node->hugepages;
	c->greeted = control_send(c, &hello) == 0;
	return c->greeted;
}

static void
on_message(void *arg, int fd, uint32_t events)
{
	struct control *c = arg;
	struct wire_msg m;
	struct err e = { 0 };
	int rc = wire_recv(fd, &m);

	(void)events;
	if (rc == -EAGAIN)
		return;
	if (rc < 0) {
		if (rc != -EPIPE)
			log_warn("europad is cut off: %s", strerror(-rc));
		hang_up(c);
		return;
	}
	if (!c->greeted || m.type == WIRE_HELLO) {
		bool stays = greet(c, &m);

		wire_close_fds(&m);
		if (!stays && c->fd >= 0)
			hang_up(c);
		return;
	}
	rc = control_do(c->node, c, &m, &e);
	wire_close_fds(&m);
	if (rc < 0)
		log_info("request %d is refused: %s", m.type, e.msg);
	answer(c, m.id, rc, &e);
}

static bool
may_command(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void
on_connect(void *arg, int listen_fd, uint32_t events)
{
	struct control *c = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int rc;

	(void)events;
	if (fd < 0)
		return;
	if (!may_command(fd)) {
		log_warn("a process of another user is turned away");
		close(fd);
		return;
	}
	hang_up(c);
	rc = loop_add_fd(c->node->loop, fd, EPOLLIN, on_message, c, &c->source);
	if (rc < 0) {
		log_err("europad cannot be heard: %s", strerror(-rc));
		close(fd);
		return;
	}
	c->fd = fd;
}

int
control_new(struct node *n, int listen_fd, struct control **out)
{
	struct control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		base_close(listen_fd);
		return -ENOMEM;
	}
	c->node = n;
	c->fd = -1;
	c->listen_fd = listen_fd;
	rc = loop_add_fd(
	    n->loop, listen_fd, EPOLLIN, on_connect, c, &c->listen_source);
	if (rc < 0) {
		control_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void
control_free(struct control *c)
{
	if (!c)
		return;
	hang_up(c);
	loop_del(c->listen_source);
	base_close(c->listen_fd);
	free(c);
}
