/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plane: see plane.h. A full socket is the same as a dead data plane: it has
 * not read for hundreds of messages; the connection is dropped and made anew,
 * and everything is replayed, which is the one cure for all trouble.
 */
#include "agent/plane.h"

#include "lib/base.h"
#include "lib/log.h"

#include <sys/epoll.h>
#include <sys/socket.h>

enum { RETRY_MS = 20, SEND_BUFFER = 4 << 20 };

struct pending {
	struct pending *next;
	uint32_t id;
	struct plane_ask ask;
};

struct plane {
	struct loop *loop;
	char path[256];
	struct plane_hooks hooks;
	int fd;
	struct loop_source *source;
	struct loop_source *retry;
	bool up;
	bool broken; /* not all could be sent: it ends at the next look */
	bool was_up; /* said once in the log */
	uint32_t next_id;
	uint32_t hello_id;
	uint32_t list_id;
	struct wire_msg hello;
	struct pending *first, **last;
};

static void plane_connect(void *arg);

bool
plane_is_up(const struct plane *p)
{
	return p->up && !p->broken;
}

uint32_t
plane_mark(const struct plane *p)
{
	return p->next_id;
}

/*
 * Pending are in the order in which they were sent: if the first was sent behind
 * the mark, so were all of them. Ids wrap, so it is their difference that counts.
 * What could not be sent is not pending, and nobody answers it.
 */
bool
plane_has_answered(const struct plane *p, uint32_t mark)
{
	return !p->broken && (!p->first || (int32_t)(p->first->id - mark) > 0);
}

/* Tells everybody who waits that no answer will come. */
static void
forget_pending(struct plane *p)
{
	struct pending *list = p->first;

	p->first = NULL;
	p->last = &p->first;
	while (list) {
		struct pending *x = list;

		list = x->next;
		if (x->ask.fn)
			x->ask.fn(x->ask.arg, x->ask.uid, x->ask.tag, NULL);
		free(x);
	}
}

static void
plane_drop(struct plane *p)
{
	bool was_up = p->up;

	loop_del(p->source);
	p->source = NULL;
	base_close(p->fd);
	p->fd = -1;
	p->up = p->broken = false;
	forget_pending(p);
	if (was_up) {
		log_warn("the data plane is away socket=%s", p->path);
		p->hooks.on_down(p->hooks.arg);
	}
	loop_arm(p->retry, RETRY_MS);
}

/* Removes and returns the pending request of that id, or NULL. */
static struct pending *
find_pending(struct plane *p, uint32_t id, bool remove)
{
	for (struct pending **at = &p->first; *at; at = &(*at)->next) {
		struct pending *x = *at;

		if (x->id != id)
			continue;
		if (remove) {
			*at = x->next;
			if (!*at)
				p->last = at;
		}
		return x;
	}
	return NULL;
}

static void
begin_list(struct plane *p, const struct wire_msg *hello)
{
	struct wire_msg m = { .type = WIRE_SET_LIST };

	if (hello->u.hello.major != WIRE_MAJOR) {
		log_err("the data plane speaks version %u, this europad %u",
		    hello->u.hello.major, WIRE_MAJOR);
		plane_drop(p);
		return;
	}
	p->hello = *hello;
	p->list_id = ++p->next_id;
	m.id = p->list_id;
	if (wire_send(p->fd, &m) < 0)
		plane_drop(p);
}

static void
handle(struct plane *p, struct wire_msg *m)
{
	bool last = m->type == WIRE_OK || m->type == WIRE_FAIL;
	struct pending *x;

	if (m->type == WIRE_EVENT) {
		if (p->up)
			p->hooks.on_event(p->hooks.arg, m);
		return;
	}
	if (m->type == WIRE_PORT_INFO && m->id == 0) {
		if (p->up)
			p->hooks.on_port(p->hooks.arg, m);
		return;
	}
	if (m->id == p->hello_id && m->type == WIRE_HELLO) {
		begin_list(p, m);
		return;
	}
	if (m->id == p->list_id) {
		if (m->type == WIRE_SET_INFO)
			p->hooks.on_set(p->hooks.arg, m);
		if (m->type == WIRE_OK) {
			p->up = true;
			log_info("the data plane is here pid=%u",
			    p->hello.u.hello.pid);
			p->hooks.on_up(p->hooks.arg, &p->hello);
		}
		return;
	}
	x = find_pending(p, m->id, last);
	if (!x)
		return;
	if (x->ask.fn)
		x->ask.fn(x->ask.arg, x->ask.uid, x->ask.tag, m);
	if (last)
		free(x);
}

static void
plane_readable(void *arg, int fd, uint32_t events)
{
	struct plane *p = arg;

	(void)events;
	for (;;) {
		struct wire_msg m;
		int rc = wire_recv(fd, &m);

		if (rc == -EAGAIN)
			return;
		if (rc < 0) {
			plane_drop(p);
			return;
		}
		handle(p, &m);
		wire_close_fds(&m);
		if (p->fd != fd)
			return; /* dropped meanwhile */
	}
}

static void
plane_connect(void *arg)
{
	struct plane *p = arg;
	struct wire_msg m = { .type = WIRE_HELLO };
	int size = SEND_BUFFER;

	p->fd = wire_connect(p->path);
	if (p->fd < 0) {
		p->fd = -1;
		loop_arm(p->retry, RETRY_MS);
		return;
	}
	if (setsockopt(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) <
	    0)
		log_debug("a larger socket buffer was refused");
	p->hello_id = ++p->next_id;
	p->list_id = 0;
	m.id = p->hello_id;
	m.u.hello.major = WIRE_MAJOR;
	m.u.hello.minor = WIRE_MINOR;
	m.u.hello.pid = (uint32_t)getpid();
	if (loop_add_fd(
		p->loop, p->fd, EPOLLIN, plane_readable, p, &p->source) < 0 ||
	    wire_send(p->fd, &m) < 0)
		plane_drop(p);
}

int
plane_new(struct loop *l, const char *path, const struct plane_hooks *hooks,
    struct plane **out)
{
	struct plane *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	if (strlen(path) >= sizeof(p->path)) {
		free(p);
		return -ENAMETOOLONG;
	}
	memcpy(p->path, path, strlen(path) + 1);
	p->loop = l;
	p->hooks = *hooks;
	p->fd = -1;
	p->last = &p->first;
	rc = loop_add_timer(l, plane_connect, p, &p->retry);
	if (rc < 0) {
		free(p);
		return rc;
	}
	loop_arm(p->retry, 0);
	*out = p;
	return 0;
}

void
plane_free(struct plane *p)
{
	if (!p)
		return;
	p->up = false;
	forget_pending(p);
	loop_del(p->source);
	loop_del(p->retry);
	base_close(p->fd);
	free(p);
}

/* The readable callback sees the end; makes sure that there is one. */
static void
break_off(struct plane *p)
{
	p->broken = true;
	shutdown(p->fd, SHUT_RDWR);
}

int
plane_send(struct plane *p, struct wire_msg *m, const struct plane_ask *ask)
{
	struct pending *x;
	int rc;

	if (!plane_is_up(p))
		return -ENOTCONN;
	x = calloc(1, sizeof(*x));
	if (!x) {
		break_off(p);
		return -ENOMEM;
	}
	m->id = ++p->next_id;
	rc = wire_send(p->fd, m);
	if (rc < 0) {
		free(x);
		if (rc == -EINVAL || rc == -EMSGSIZE)
			return rc;
		break_off(p);
		return -ENOTCONN;
	}
	x->id = m->id;
	if (ask)
		x->ask = *ask;
	*p->last = x;
	p->last = &x->next;
	return 0;
}
