/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_link: the socket to europad, see init.h.
 *
 * A connection begins with INIT_HELLO and INIT_STATE; whatever goes wrong on it
 * ends it, and a new one is made after 10 ms, later up to a second. The child
 * does not notice. A message that init does not expect is refused, not fatal.
 */
#include "container-templates/init.h"

#include "lib/base.h"
#include "lib/log.h"

#include <sys/epoll.h>

enum { FIRST_RETRY_MS = 10, MAX_RETRY_MS = 1000 };

static void
hang_up(struct init_link *k)
{
	loop_del(k->source);
	k->source = NULL;
	base_close(k->fd);
	k->fd = -1;
	loop_arm(k->retry_timer, k->retry_ms);
	k->retry_ms = MIN(k->retry_ms * 2, (unsigned)MAX_RETRY_MS);
}

void
init_link_send(struct init_link *k, const struct wire_msg *m)
{
	if (k->fd < 0)
		return;
	/* a europad that reads nothing is as good as gone: start over */
	if (wire_send(k->fd, m) < 0)
		hang_up(k);
}

void
init_link_send_state(struct init_link *k)
{
	const struct init_child *c = k->child;
	struct wire_msg m = { .type = WIRE_INIT_STATE };

	m.u.process.running = c->pid != 0;
	m.u.process.pid = (uint32_t)c->pid;
	m.u.process.starts = c->starts;
	m.u.process.status = c->status;
	init_link_send(k, &m);
}

/* id 0 wants no answer */
static void
answer(struct init_link *k, uint32_t id, int rc)
{
	struct wire_msg m = { .type = WIRE_OK, .id = id };

	if (id == 0)
		return;
	if (rc < 0) {
		m.type = WIRE_FAIL;
		m.u.fail.no = (uint32_t)-rc;
		memcpy(m.u.fail.text, "init refuses", sizeof("init refuses"));
	}
	init_link_send(k, &m);
}

/* The descriptors of m move to the child, or are closed by the caller. */
static int
take_set(struct init_link *k, struct wire_msg *m)
{
	static const uint8_t none[WIRE_UID_BYTES];
	struct vnic_fds fds;

	if (memcmp(m->u.init.set, none, sizeof(none)) == 0)
		return -EINVAL;
	if (memcmp(m->u.init.set, k->set, sizeof(k->set)) == 0)
		return 0; /* we hold it already */
	vnic_fds_init(&fds);
	fds.host = m->fds[0];
	fds.router = m->fds[1];
	fds.pool = m->fds[2];
	for (unsigned i = 3; i < m->n_fds; i++)
		fds.bell[fds.n_bells++] = m->fds[i];
	m->n_fds = 0;
	memcpy(k->set, m->u.init.set, sizeof(k->set));
	init_child_set_fds(k->child, &fds);
	return 0;
}

static int
take_config(struct init_link *k, const struct wire_msg *m)
{
	struct init_command command;
	int rc = init_conf_take(m->fds[0], k->conf_dir, &command);

	if (rc < 0) {
		log_err("configuration not taken: %s", strerror(-rc));
		return rc;
	}
	init_child_set_command(k->child, &command);
	return 0;
}

/* europad sees the end of its stream when this fails. */
static int
take_session(struct init_link *k, struct wire_msg *m)
{
	const struct init_session_config c = {
		.kind = m->u.session.kind,
		.rows = m->u.session.rows,
		.columns = m->u.session.columns,
		.root = k->root,
	};

	m->n_fds = 0;
	return init_session_new(k->loop, m->fds[0], &c);
}

static void
handle(struct init_link *k, struct wire_msg *m)
{
	int rc = 0;

	switch (m->type) {
	case WIRE_OK:
	case WIRE_FAIL:
	case WIRE_HELLO:
		return;
	case WIRE_STATS_GET:
		init_child_ask_stats(k->child, m->id);
		return;
	case WIRE_INIT_SET:
		rc = take_set(k, m);
		break;
	case WIRE_INIT_CONFIG:
		rc = take_config(k, m);
		break;
	case WIRE_INIT_PIPELINE:
		rc = init_conf_take_pipeline(m->fds[0], k->conf_dir);
		if (rc < 0)
			log_err("pipeline not taken: %s", strerror(-rc));
		break;
	case WIRE_INIT_CONTROL:
		/* europad sees the end of its stream when this fails */
		m->n_fds = 0;
		rc = init_relay_new(k->loop, k->conf_dir, m->fds[0]);
		break;
	case WIRE_INIT_SESSION:
		rc = take_session(k, m);
		break;
	case WIRE_INIT_LOG:
		m->n_fds = 0;
		rc = init_log_attach(m->fds[0]);
		break;
	case WIRE_INIT_RESTART:
		init_child_restart(k->child);
		break;
	default:
		rc = -EOPNOTSUPP;
		break;
	}
	answer(k, m->id, rc);
}

static void
link_ready(void *arg, int fd, uint32_t events)
{
	struct init_link *k = arg;
	struct wire_msg m;
	int rc = wire_recv(fd, &m);

	(void)events;
	if (rc == -EAGAIN || rc == -EINTR)
		return;
	if (rc < 0) {
		hang_up(k);
		return;
	}
	k->retry_ms = FIRST_RETRY_MS;
	handle(k, &m);
	wire_close_fds(&m);
}

static void
try_connect(void *arg)
{
	struct init_link *k = arg;
	struct wire_msg m = { .type = WIRE_INIT_HELLO };

	k->fd = wire_connect(k->socket_path);
	if (k->fd < 0 || loop_add_fd(k->loop, k->fd, EPOLLIN, link_ready, k,
			     &k->source) < 0) {
		hang_up(k);
		return;
	}
	memcpy(m.u.init.set, k->set, sizeof(k->set));
	init_link_send(k, &m);
	init_link_send_state(k);
}

int
init_link_open(struct init_link *k, struct loop *l)
{
	int rc;

	k->loop = l;
	k->fd = -1;
	k->retry_ms = FIRST_RETRY_MS;
	rc = loop_add_timer(l, try_connect, k, &k->retry_timer);
	if (rc == 0)
		try_connect(k);
	return rc;
}
