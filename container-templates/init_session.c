/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init_session: a process that europad has run in the container, see init.h and
 * lib/piece.h.
 *
 * europad never enters the container. The process is init's child: it has the
 * container's namespaces, ids, capabilities, system call filter and limits
 * because nothing else is there to be had. Its input and output are pipes, or a
 * terminal, of this container; init copies between them and the stream.
 *
 * Nothing is read that there is no room for: a process that writes more than
 * europad takes waits, and a europad that sends more than it reads waits. When
 * the stream ends, the process and its group are killed.
 */
#include "container-templates/init.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/piece.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	IN,
	OUT,
	ERR,
	N_PIPES,
	OUT_BYTES = 32 << 10,
	OUT_SPARE = 16,  /* for the last piece */
	LINGER_MS = 200, /* for output that others hold open */
};

struct session;

struct session_pipe {
	struct session *session;
	int fd; /* our end, or -1 */
	struct loop_source *source;
};

struct session {
	struct session *next;
	struct loop *loop;
	struct init_session_config config;
	int fd; /* the stream */
	struct loop_source *source;
	struct loop_source *linger; /* timer, since its end */
	struct session_pipe pipe[N_PIPES];
	pid_t pid; /* 0: not started, or ended */
	bool started, ended, said_end;
	uint32_t status;
	unsigned n_args;
	size_t n_arg_bytes;
	char args[PIECE_ARGS_BYTES];
	struct piece_reader in;
	size_t in_done; /* of the first piece, an IN, that the pipe has */
	size_t out_at, out_n;
	uint8_t out[OUT_BYTES];
};

static struct session *sessions;
static unsigned n_sessions;

static void stream_ready(void *arg, int fd, uint32_t events);
static void pipe_ready(void *arg, int fd, uint32_t events);

static void
close_pipe(struct session_pipe *p)
{
	loop_del(p->source);
	p->source = NULL;
	base_close(p->fd);
	p->fd = -1;
}

static void
session_free(struct session *s)
{
	struct session **at = &sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	n_sessions--;
	if (s->pid) /* reaped like everybody's */
		kill(-s->pid, SIGKILL);
	for (unsigned i = 0; i < N_PIPES; i++)
		close_pipe(&s->pipe[i]);
	loop_del(s->source);
	loop_del(s->linger);
	base_close(s->fd);
	free(s);
}

/* --- what is said to europad ---------------------------------------------- */

static size_t
out_room(const struct session *s)
{
	size_t used = s->out_n + OUT_SPARE + PIECE_HEAD;

	return used < OUT_BYTES ? OUT_BYTES - used : 0;
}

/* There is room: everything but output has its own. */
static void
say(struct session *s, enum piece_type type, const void *bytes, size_t n)
{
	assert(s->out_n + PIECE_HEAD + n <= OUT_BYTES);
	piece_head(s->out + s->out_n, type, n);
	if (n > 0)
		memcpy(s->out + s->out_n + PIECE_HEAD, bytes, n);
	s->out_n += PIECE_HEAD + n;
}

static void
say_number(struct session *s, enum piece_type type, uint32_t v)
{
	uint8_t bytes[4];

	piece_put_number(bytes, v);
	say(s, type, bytes, sizeof(bytes));
	s->said_end = true;
}

/* Returns 0, or negative errno: the session is over. */
static int
flush(struct session *s)
{
	ssize_t n;

	if (s->out_n == 0)
		return s->said_end ? -EPIPE : 0;
	n = send(s->fd, s->out, s->out_n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	s->out_n -= (size_t)n;
	memmove(s->out, s->out + n, s->out_n);
	return s->out_n == 0 && s->said_end ? -EPIPE : 0;
}

/* --- the process ---------------------------------------------------------- */

/* Both ends of pipe i; the process's one is returned, or negative errno. */
static int
open_pipe(struct session *s, unsigned i)
{
	bool reads = i == IN; /* the process does */
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -errno;
	s->pipe[i].fd = fd[reads];
	if (fcntl(s->pipe[i].fd, F_SETFL, O_NONBLOCK) < 0) {
		close(fd[!reads]);
		return -errno;
	}
	return fd[!reads];
}

static int
set_size(const struct session *s, unsigned rows, unsigned columns)
{
	struct winsize w = {
		.ws_row = (unsigned short)rows,
		.ws_col = (unsigned short)columns,
	};

	return ioctl(s->pipe[OUT].fd, TIOCSWINSZ, &w) < 0 ? -errno : 0;
}

/* A terminal: its name goes to path, which has room for size bytes. */
static int
open_terminal(struct session *s, char *path, size_t size)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	s->pipe[OUT].fd = fd;
	s->pipe[IN].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (s->pipe[IN].fd < 0 || unlockpt(fd) < 0 ||
	    ptsname_r(fd, path, size) != 0)
		return -errno;
	return set_size(s, s->config.rows, s->config.columns);
}

static int
spawn_with(struct session *s, char **argv, posix_spawn_file_actions_t *fa)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/root", term[] = "TERM=xterm";
	static char *const env[] = { path, home, term, NULL };
	posix_spawnattr_t attr;
	sigset_t none, all;
	int no;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
					    POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETSID);
	no = posix_spawnp(&s->pid, argv[0], fa, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	if (no != 0)
		s->pid = 0;
	return -no;
}

static int
spawn_on_pipes(struct session *s, char **argv)
{
	posix_spawn_file_actions_t fa;
	int theirs[N_PIPES] = { -1, -1, -1 }, rc = 0;

	posix_spawn_file_actions_init(&fa);
	for (unsigned i = 0; i < N_PIPES && rc == 0; i++) {
		theirs[i] = open_pipe(s, i);
		rc = MIN(theirs[i], 0);
		if (rc == 0)
			posix_spawn_file_actions_adddup2(
			    &fa, theirs[i], (int)i);
	}
	if (rc == 0)
		rc = spawn_with(s, argv, &fa);
	posix_spawn_file_actions_destroy(&fa);
	for (unsigned i = 0; i < N_PIPES; i++)
		base_close(theirs[i]);
	return rc;
}

/* The leader of a session that opens a terminal has it. */
static int
spawn_on_terminal(struct session *s, char **argv)
{
	posix_spawn_file_actions_t fa;
	char path[64];
	int rc = open_terminal(s, path, sizeof(path));

	if (rc < 0)
		return rc;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, path, O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&fa, 0, 1);
	posix_spawn_file_actions_adddup2(&fa, 0, 2);
	rc = spawn_with(s, argv, &fa);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

static int
spawn(struct session *s)
{
	char self[] = "/proc/self/exe", hand[] = "--file";
	char *argv[PIECE_MAX_ARGS + 5], *at = s->args;
	char *root = (char *)(uintptr_t)s->config.root; /* only read */
	unsigned n = 0;

	if (s->config.kind == WIRE_SESSION_FILE) {
		argv[n++] = self;
		argv[n++] = hand;
		argv[n++] = root;
	}
	for (unsigned i = 0; i < s->n_args; i++) {
		argv[n++] = at;
		at += strlen(at) + 1;
	}
	argv[n] = NULL;
	if (s->n_args == 0)
		return -EINVAL;
	return s->config.kind == WIRE_SESSION_CONSOLE
		   ? spawn_on_terminal(s, argv)
		   : spawn_on_pipes(s, argv);
}

static void
start(struct session *s)
{
	int rc = spawn(s);

	s->started = true;
	if (rc == 0) {
		say(s, PIECE_STARTED, NULL, 0);
		return;
	}
	for (unsigned i = 0; i < N_PIPES; i++)
		close_pipe(&s->pipe[i]);
	say_number(s, PIECE_FAILED, (uint32_t)-rc);
}

/* It has ended, and all that it had to say was read. */
static void
say_end_if_so(struct session *s)
{
	if (!s->ended || s->said_end || s->pipe[OUT].fd >= 0 ||
	    s->pipe[ERR].fd >= 0)
		return;
	close_pipe(&s->pipe[IN]);
	loop_disarm(s->linger);
	say_number(s, PIECE_EXIT, s->status);
}

/* --- what europad says ---------------------------------------------------- */

static int
take_arg(struct session *s, const struct piece *p)
{
	if (s->started || s->n_args == PIECE_MAX_ARGS ||
	    s->n_arg_bytes + p->n + 1 > sizeof(s->args))
		return -EBADMSG;
	memcpy(s->args + s->n_arg_bytes, p->bytes, p->n);
	s->args[s->n_arg_bytes + p->n] = '\0';
	s->n_arg_bytes += p->n + 1;
	s->n_args++;
	return 0;
}

/* Returns 1 when the pipe has it all, 0 when it has no room. */
static int
give_input(struct session *s, const struct piece *p)
{
	struct session_pipe *in = &s->pipe[IN];
	ssize_t n;

	while (in->fd >= 0 && s->in_done < p->n) {
		n = write(in->fd, p->bytes + s->in_done, p->n - s->in_done);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			close_pipe(in); /* it does not read any more */
		if (n > 0)
			s->in_done += (size_t)n;
	}
	s->in_done = 0;
	return 1;
}

/* Returns 1: done with it, 0: later, or negative errno. */
static int
handle(struct session *s, const struct piece *p)
{
	int rc = 1;

	switch (p->type) {
	case PIECE_ARG:
		rc = take_arg(s, p);
		return rc < 0 ? rc : 1;
	case PIECE_START:
		if (s->started)
			return -EBADMSG;
		start(s);
		return 1;
	case PIECE_IN:
		return s->started ? give_input(s, p) : -EBADMSG;
	case PIECE_EOF:
		if (s->config.kind != WIRE_SESSION_CONSOLE)
			close_pipe(&s->pipe[IN]);
		return 1;
	case PIECE_SIZE:
		if (s->config.kind == WIRE_SESSION_CONSOLE &&
		    s->pipe[OUT].fd >= 0)
			set_size(s, p->bytes[0] | (unsigned)p->bytes[1] << 8,
			    p->bytes[2] | (unsigned)p->bytes[3] << 8);
		return 1;
	default:
		return -EBADMSG;
	}
}

/* Returns 1 if a piece waits for the pipe, 0, or negative errno. */
static int
handle_all(struct session *s)
{
	struct piece p;
	int rc;

	while ((rc = piece_next(&s->in, &p)) == 1) {
		rc = handle(s, &p);
		if (rc <= 0)
			return rc < 0 ? rc : 1;
		piece_drop(&s->in);
	}
	return rc;
}

/* --- the loop ------------------------------------------------------------- */

/* events 0: not watched at all, for its end would wake us again and again. */
static int
watch_pipe(struct session *s, unsigned i, uint32_t events)
{
	struct session_pipe *p = &s->pipe[i];

	if (p->fd < 0 || events == 0) {
		loop_del(p->source);
		p->source = NULL;
		return 0;
	}
	if (p->source)
		return 0; /* each is watched for one thing */
	return loop_add_fd(s->loop, p->fd, events, pipe_ready, p, &p->source);
}

/* Goes on with all that can; s may be gone then. */
static void
go_on(struct session *s)
{
	int waits = handle_all(s), rc = MIN(waits, 0);
	uint32_t reads;

	say_end_if_so(s);
	if (rc == 0)
		rc = flush(s);
	reads = out_room(s) > 0 ? EPOLLIN : 0;
	if (rc == 0)
		rc = watch_pipe(s, IN, waits ? EPOLLOUT : 0);
	if (rc == 0)
		rc = watch_pipe(s, OUT, reads);
	if (rc == 0)
		rc = watch_pipe(s, ERR, reads);
	if (rc == 0)
		rc = loop_set_events(
		    s->source, (waits ? 0 : (uint32_t)EPOLLIN) |
				   (s->out_n > 0 ? (uint32_t)EPOLLOUT : 0));
	if (rc < 0)
		session_free(s);
}

static void
pipe_ready(void *arg, int fd, uint32_t events)
{
	struct session_pipe *p = arg;
	struct session *s = p->session;
	uint8_t bytes[PIECE_MAX];
	ssize_t n;

	(void)events;
	if (p != &s->pipe[IN]) {
		n = read(fd, bytes, MIN(out_room(s), sizeof(bytes)));
		if (n > 0)
			say(s, p == &s->pipe[OUT] ? PIECE_OUT : PIECE_ERR,
			    bytes, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			close_pipe(p);
	}
	go_on(s);
}

static void
stream_ready(void *arg, int fd, uint32_t events)
{
	struct session *s = arg;
	uint8_t *at;
	size_t room = piece_room(&s->in, &at);
	ssize_t n = 0;

	if (events & (EPOLLHUP | EPOLLERR)) {
		session_free(s);
		return;
	}
	if (events & EPOLLIN && room > 0) {
		n = recv(fd, at, room, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			session_free(s);
			return;
		}
		piece_filled(&s->in, n > 0 ? (size_t)n : 0);
	}
	go_on(s);
}

/* Somebody else holds its output open: that is not waited for. */
static void
lingered(void *arg)
{
	struct session *s = arg;

	close_pipe(&s->pipe[OUT]);
	close_pipe(&s->pipe[ERR]);
	go_on(s);
}

bool
init_session_reaped(pid_t pid, int status)
{
	for (struct session *s = sessions; s; s = s->next) {
		if (s->pid != pid)
			continue;
		kill(-pid, SIGKILL); /* what it left behind */
		s->pid = 0;
		s->ended = true;
		s->status = (uint32_t)status;
		loop_arm(s->linger, LINGER_MS);
		go_on(s);
		return true;
	}
	return false;
}

int
init_session_new(struct loop *l, int fd, const struct init_session_config *c)
{
	struct session *s = NULL;
	int rc;

	if (n_sessions < INIT_MAX_SESSIONS)
		s = calloc(1, sizeof(*s));
	if (!s) {
		base_close(fd);
		return n_sessions < INIT_MAX_SESSIONS ? -ENOMEM : -EBUSY;
	}
	s->loop = l;
	s->config = *c;
	s->fd = fd;
	for (unsigned i = 0; i < N_PIPES; i++)
		s->pipe[i] = (struct session_pipe){ .session = s, .fd = -1 };
	s->next = sessions;
	sessions = s;
	n_sessions++;
	rc = loop_add_timer(l, lingered, s, &s->linger);
	if (rc == 0)
		rc = loop_add_fd(l, fd, EPOLLIN, stream_ready, s, &s->source);
	if (rc < 0)
		session_free(s);
	return rc;
}
