/* SPDX-License-Identifier: Apache-2.0 */
/*
 * initlink: see initlink.h. One connection at a time: a new one ends the old,
 * for the old one is that of a dead init. One message is read per turn of the
 * loop, so that a talkative peer takes turns with everybody else; and who says
 * or calls more than an init ever would is not listened to for a while.
 */
#include "agent/initlink.h"

#include "agent/burial.h"
#include "lib/base.h"
#include "lib/log.h"
#include "lib/region.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { DEAF_MS = 100 };

/* What init may do, in a burst and for ever. */
struct allowance {
	unsigned max, left;
	unsigned each_ms; /* one more */
	uint64_t since_ms;
};

struct initlink {
	struct loop *loop;
	struct initlink_hooks hooks;
	uid_t first, count;
	int listen_fd;
	int fd;
	struct loop_source *listen_source;
	struct loop_source *source;
	struct loop_source *deaf; /* timer: until it is listened to again */
	struct allowance messages, calls;
	struct burial *burial; /* NULL: nobody can send us descriptors */
	int text_fd;           /* the configuration that was sent last, or -1 */
	int pipeline_fd;       /* the pipeline, the same */
	bool up;
	char path[108];
};

static bool
spend(struct allowance *a)
{
	uint64_t now = loop_now_ms(), n = (now - a->since_ms) / a->each_ms;

	a->left = (unsigned)MIN(a->left + n, (uint64_t)a->max);
	a->since_ms += n * a->each_ms;
	if (a->left == 0)
		return false;
	a->left--;
	return true;
}

static void
turn_deaf(struct initlink *k, struct loop_source *to)
{
	log_debug("init says too much socket=%s", k->path);
	loop_set_events(to, 0);
	loop_arm(k->deaf, DEAF_MS);
}

static void
listen_again(void *arg)
{
	struct initlink *k = arg;

	if (k->source)
		loop_set_events(k->source, EPOLLIN);
	loop_set_events(k->listen_source, EPOLLIN);
}

/* Kernels before 6.16 let a tenant queue descriptors that are slow to close. */
static void
close_slowly(struct initlink *k, int fd)
{
	if (k->burial)
		burial_close(k->burial, fd);
	else
		base_close(fd);
}

/* Does the next message bring some? They are not ours as long as we only peek. */
static bool
brings_fds(int fd)
{
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return recvmsg(fd, &m, MSG_PEEK) >= 0 && m.msg_flags & MSG_CTRUNC;
}

static void
drop(struct initlink *k)
{
	bool was_up = k->up;

	loop_del(k->source);
	k->source = NULL;
	close_slowly(k, k->fd);
	k->fd = -1;
	k->up = false;
	if (was_up)
		k->hooks.on_gone(k->hooks.arg);
}

static void
readable(void *arg, int fd, uint32_t events)
{
	struct initlink *k = arg;
	struct wire_msg m;
	int rc;

	if (!spend(&k->messages)) {
		if (events & (EPOLLHUP | EPOLLERR))
			drop(k); /* these cannot be turned a deaf ear to */
		else
			turn_deaf(k, k->source);
		return;
	}
	rc = k->burial && brings_fds(fd) ? -EBADMSG : wire_recv(fd, &m);
	if (rc == -EAGAIN)
		return;
	if (rc < 0) {
		drop(k);
		return;
	}
	if (!k->up && m.type == WIRE_INIT_HELLO) {
		k->up = true;
		k->hooks.on_hello(k->hooks.arg, m.u.init.set);
	} else if (k->up && m.type == WIRE_INIT_STATE) {
		k->hooks.on_state(k->hooks.arg, &m);
	} else if (k->up && m.type == WIRE_STATS) {
		k->hooks.on_stats(k->hooks.arg, &m);
	} else {
		log_debug(
		    "init said %d out of turn socket=%s", (int)m.type, k->path);
		drop(k);
	}
	wire_close_fds(&m);
}

static bool
peer_is_ours(const struct initlink *k, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	return cred.uid == geteuid() ||
	       (cred.uid >= k->first && cred.uid - k->first < k->count);
}

static void
acceptable(void *arg, int listen_fd, uint32_t events)
{
	struct initlink *k = arg;
	int fd;

	(void)events;
	if ((k->burial && burial_is_full(k->burial)) || !spend(&k->calls)) {
		turn_deaf(k, k->listen_source);
		return;
	}
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!peer_is_ours(k, fd)) {
		log_warn("a stranger called at %s", k->path);
		close(fd);
		return;
	}
	drop(k);
	k->fd = fd;
	(void)wire_refuse_fds(fd);
	if (loop_add_fd(k->loop, fd, EPOLLIN, readable, k, &k->source) < 0)
		drop(k);
}

int
initlink_new(struct loop *l, const char *dir, uid_t first, uid_t count,
    const struct initlink_hooks *hooks, struct initlink **out, struct err *e)
{
	struct initlink *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return err_set(e, -ENOMEM, "out of memory");
	k->loop = l;
	k->hooks = *hooks;
	k->first = first;
	k->count = count;
	k->fd = k->text_fd = k->pipeline_fd = -1;
	k->messages = (struct allowance){ .max = 512, .each_ms = 2 };
	k->calls = (struct allowance){ .max = 16, .each_ms = 500 };
	if ((size_t)snprintf(k->path, sizeof(k->path), "%s/agent.sock", dir) >=
	    sizeof(k->path)) {
		free(k);
		return err_set(e, -ENAMETOOLONG,
		    "%s/agent.sock is too long for a socket; choose a shorter "
		    "run_dir",
		    dir);
	}
	k->listen_fd = wire_listen(k->path, 0666);
	rc = k->listen_fd;
	if (rc >= 0 && wire_refuse_fds(rc) < 0) {
		k->burial = burial_new();
		rc = k->burial ? rc : -ENOMEM;
	}
	if (rc >= 0)
		rc = loop_add_fd(
		    l, k->listen_fd, EPOLLIN, acceptable, k, &k->listen_source);
	if (rc >= 0)
		rc = loop_add_timer(l, listen_again, k, &k->deaf);
	if (rc < 0) {
		err_set(e, rc, "%s: %s", k->path, strerror(-rc));
		initlink_free(k);
		return rc;
	}
	*out = k;
	return 0;
}

/*
 * Whoever was given the text may keep it open for ever, and its pages are ours,
 * not the tenant's: they are given back, so that it holds one text at most.
 */
static void
forget_text(int *fd)
{
	if (*fd >= 0 && ftruncate(*fd, 0) < 0)
		log_warn("a text stays in memory: %s", strerror(errno));
	base_close(*fd);
	*fd = -1;
}

void
initlink_free(struct initlink *k)
{
	if (!k)
		return;
	loop_del(k->source);
	loop_del(k->listen_source);
	loop_del(k->deaf);
	close_slowly(k, k->fd);
	close_slowly(k, k->listen_fd);
	burial_free(k->burial);
	forget_text(&k->text_fd);
	forget_text(&k->pipeline_fd);
	free(k);
}

void
initlink_expect(struct initlink *k)
{
	k->messages.left = k->messages.max;
	k->calls.left = k->calls.max;
	listen_again(k);
}

bool
initlink_is_up(const struct initlink *k)
{
	return k && k->up;
}

static int
send_or_drop(struct initlink *k, const struct wire_msg *m)
{
	int rc;

	if (!initlink_is_up(k))
		return -ENOTCONN;
	rc = wire_send(k->fd, m);
	if (rc < 0) {
		/* it does not read, or is gone: the next one hears it all */
		log_debug("init does not listen: %s socket=%s", strerror(-rc),
		    k->path);
		shutdown(k->fd, SHUT_RDWR);
	}
	return rc;
}

int
initlink_send_set(struct initlink *k, const uint8_t set[WIRE_UID_BYTES],
    const struct vnic_fds *fds)
{
	struct wire_msg m = { .type = WIRE_INIT_SET };
	scoped_close int host = region_reopen_ro(fds->host);

	if (host < 0)
		return host;
	memcpy(m.u.init.set, set, WIRE_UID_BYTES);
	m.fds[0] = host;
	m.fds[1] = fds->router;
	m.fds[2] = fds->pool;
	memcpy(m.fds + 3, fds->bell, fds->n_bells * sizeof(int));
	m.n_fds = 3 + fds->n_bells;
	return send_or_drop(k, &m);
}

/*
 * The text as a sealed memfd: any length, and unchangeable by the reader. Its
 * end alone is ours to move.
 */
static int
text_fd(const char *text, size_t left)
{
	scoped_close int fd =
	    memfd_create("europa-router.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	if (fchmod(fd, 0400) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
		0)
		return -errno;
	return steal_fd(fd);
}

/* Sends m with the text, kept at *kept so that it can be taken back. */
static int
send_text(struct initlink *k, struct wire_msg *m, int *kept, const char *text,
    size_t n)
{
	scoped_close int fd = -1;

	forget_text(kept);
	*kept = text_fd(text, n);
	if (*kept < 0)
		return steal_fd(*kept);
	fd = region_reopen_ro(*kept);
	if (fd < 0)
		return fd;
	m->fds[0] = fd;
	m->n_fds = 1;
	return send_or_drop(k, m);
}

int
initlink_send_config(struct initlink *k, uint64_t generation, const char *text)
{
	struct wire_msg m = { .type = WIRE_INIT_CONFIG };

	m.u.config.generation = generation;
	return send_text(k, &m, &k->text_fd, text, strlen(text));
}

int
initlink_send_pipeline(struct initlink *k, const char *text, size_t n)
{
	struct wire_msg m = { .type = WIRE_INIT_PIPELINE };

	return send_text(k, &m, &k->pipeline_fd, text, n);
}

/* One end of a stream goes with m, the other one to out. */
static int
open_stream(struct initlink *k, struct wire_msg *m, int *out)
{
	int pair[2], rc;

	if (!initlink_is_up(k))
		return -ENOTCONN;
	if (k->burial && burial_is_full(k->burial))
		return -EBUSY;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		pair) < 0)
		return -errno;
	(void)wire_refuse_fds(pair[0]);
	m->n_fds = 1;
	m->fds[0] = pair[1];
	rc = send_or_drop(k, m);
	close(pair[1]);
	if (rc < 0)
		close(pair[0]);
	else
		*out = pair[0];
	return rc;
}

int
initlink_open_control(struct initlink *k, int *out)
{
	struct wire_msg m = { .type = WIRE_INIT_CONTROL };

	return open_stream(k, &m, out);
}

int
initlink_open_log(struct initlink *k, int *out)
{
	struct wire_msg m = { .type = WIRE_INIT_LOG };

	return open_stream(k, &m, out);
}

int
initlink_open_session(
    struct initlink *k, uint8_t kind, uint16_t rows, uint16_t columns, int *out)
{
	struct wire_msg m = { .type = WIRE_INIT_SESSION };

	m.u.session.kind = kind;
	m.u.session.rows = rows;
	m.u.session.columns = columns;
	return open_stream(k, &m, out);
}

ssize_t
initlink_read(struct initlink *k, int fd, void *buf, size_t size)
{
	ssize_t n;

	if (k->burial && brings_fds(fd))
		return -EBADMSG;
	n = recv(fd, buf, size, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

void
initlink_close(struct initlink *k, int fd)
{
	close_slowly(k, fd);
}

int
initlink_send_restart(struct initlink *k)
{
	struct wire_msg m = { .type = WIRE_INIT_RESTART };

	return send_or_drop(k, &m);
}

int
initlink_ask_stats(struct initlink *k)
{
	struct wire_msg m = { .type = WIRE_STATS_GET, .id = 1 };

	return send_or_drop(k, &m);
}
