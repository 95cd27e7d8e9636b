/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: the listeners' life. Three at most: a unix socket, plain TCP on the
 * loopback address and TLS on any, when asked for. Each is a libmicrohttpd daemon
 * with a thread of its own; the callbacks below are all that it sees of us.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { IDLE_SECONDS = 30 };

/* GnuTLS's own choice of what is safe, and nothing before TLS 1.2. */
static const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* --- what libmicrohttpd calls --------------------------------------------- */

static void
on_log(void *cls, const char *fmt, va_list ap)
{
	char line[256];

	(void)cls;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

/* Paths and queries stay as they came: they are decoded piece by piece. */
static size_t
on_unescape(void *cls, struct MHD_Connection *c, char *s)
{
	(void)cls;
	(void)c;
	return strlen(s);
}

static struct server_conn *
conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(
		    mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = info ? conn_open(cls, info->connect_fd) : NULL;
	} else if (*context) {
		conn_close(*context);
		*context = NULL;
	}
}

/* The request line is there: the clock of this request runs. */
static void *
on_request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct server_conn *c = conn_of(mhd);

	(void)cls;
	(void)uri;
	if (c)
		conn_begin_request(c);
	return NULL;
}

static enum MHD_Result
send_response(struct api_request *r)
{
	if (!r->response)
		return MHD_NO;
	if (!r->is_handed)
		conn_set_deadline(r->conn, SERVER_ANSWER_MS);
	return MHD_queue_response(r->mhd, (unsigned)r->status, r->response);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *path,
    const char *method, const char *version, const char *bytes, size_t *n,
    void **context)
{
	struct api_request *r = *context;
	struct server_conn *c = conn_of(mhd);

	(void)cls;
	(void)version;
	if (!r) {
		r = c ? request_new(c, mhd, method, path) : NULL;
		*context = r;
		if (!r)
			return MHD_NO;
		return request_begin(r) ? MHD_YES : send_response(r);
	}
	if (*n > 0) {
		bool goes_on = body_take(r, bytes, *n);

		*n = 0;
		return goes_on ? MHD_YES : MHD_NO;
	}
	if (r->is_handed || r->response)
		return send_response(r);
	request_finish(r);
	/* handed over: suspended, and called again when there is an answer */
	return r->is_handed ? MHD_YES : send_response(r);
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct server_listener *l = cls;
	struct api_request *r = *context;

	(void)mhd;
	if (!r)
		return;
	log_debug("%s %s status=%d end=%d request=%s", r->method, r->path,
	    r->status, (int)code, r->id);
	conn_end_request(r->conn);
	if (r->is_handed) {
		pthread_mutex_lock(&l->server->lock);
		l->server->n_sending--;
		pthread_cond_broadcast(&l->server->idle);
		pthread_mutex_unlock(&l->server->lock);
	}
	*context = NULL;
	request_unref(r);
}

/* --- threads -------------------------------------------------------------- */

/* Signals are for the threads of the program, not for ours. */
static int
start_daemon(struct server_listener *l, struct err *e)
{
	const struct server_tls *t = &l->server->tls;
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, t->key },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, t->cert },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		    (void *)(uintptr_t)tls_priorities },
		{ MHD_OPTION_END, 0, NULL },
	};
	sigset_t all, before;

	if (!l->is_tls)
		options[0].option = MHD_OPTION_END;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	l->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
		MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
		MHD_USE_ERROR_LOG | (l->is_tls ? (unsigned)MHD_USE_TLS : 0U),
	    0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER, on_log,
	    NULL, MHD_OPTION_LISTEN_SOCKET, l->fd, MHD_OPTION_UNESCAPE_CALLBACK,
	    on_unescape, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_request_line,
	    NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    l->is_tcp ? (unsigned)SERVER_PER_PEER : 0U,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)SERVER_HEADER_BYTES, MHD_OPTION_ARRAY, options,
	    MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (l->daemon)
		return 0;
	l->fd = -1; /* closed by it */
	return err_set(e, -EIO, "the HTTP library does not start%s",
	    l->is_tls ? " with this certificate and key" : "");
}

/* --- life ----------------------------------------------------------------- */

bool
server_drop(pthread_mutex_t *lock, unsigned *refs)
{
	unsigned left;

	pthread_mutex_lock(lock);
	left = --*refs;
	pthread_mutex_unlock(lock);
	return left == 0;
}

void
server_raise(int event_fd)
{
	uint64_t one = 1;

	if (write(event_fd, &one, sizeof(one)) < 0) {
		/* it is readable already */
	}
}

void
server_unref(struct api_server *s)
{
	if (!server_drop(&s->lock, &s->refs))
		return;
	base_close(s->unix_socket.fd);
	base_close(s->tcp.fd);
	base_close(s->https.fd);
	tls_close(&s->tls);
	base_close(s->web_fd);
	pthread_cond_destroy(&s->alarm);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	events_free(s->events);
	free(s->socket_path);
	free(s->spool_dir);
	free(s->https_listen);
	free(s);
}

static struct api_server *
server_new(const struct api_config *c)
{
	struct api_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->unix_socket = (struct server_listener){ .server = s, .fd = -1 };
	s->tcp = (struct server_listener){
		.server = s,
		.fd = -1,
		.is_tcp = true,
	};
	s->https = (struct server_listener){
		.server = s,
		.fd = -1,
		.is_tcp = true,
		.is_tls = true,
	};
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->pending);
	TAILQ_INIT(&s->parts);
	LIST_INIT(&s->readers);
	s->events = events_new();
	s->tcp_port = c->tcp_port;
	s->handler = c->handler;
	s->authenticate = c->authenticate;
	s->token_state = c->token_state;
	s->arg = c->arg;
	s->web_fd = -1;
	s->socket_path = strdup(c->socket_path);
	s->spool_dir = strdup(c->spool_dir ? c->spool_dir : "");
	s->https_listen = strdup(c->https_listen ? c->https_listen : "");
	if (!s->socket_path || !s->spool_dir || !s->https_listen ||
	    !s->events || pthread_mutex_init(&s->lock, NULL) != 0 ||
	    conn_cond_init(&s->idle) < 0 || conn_cond_init(&s->alarm) < 0) {
		events_free(s->events);
		free(s->socket_path);
		free(s->spool_dir);
		free(s->https_listen);
		free(s);
		return NULL;
	}
	return s;
}

static void
open_web(struct api_server *s, const char *dir)
{
	if (!dir || !*dir)
		return;
	s->web_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->web_fd < 0)
		log_warn("no web page: %s: %s", dir, strerror(errno));
}

static int
start_reaper(struct api_server *s, struct err *e)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = conn_reaper_start(s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc < 0 ? err_set(e, rc, "no thread: %s", strerror(-rc)) : 0;
}

int
api_server_start(
    const struct api_config *c, struct api_server **out, struct err *e)
{
	struct api_server *s = server_new(c);
	int rc;

	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	open_web(s, c->web_dir);
	rc = listen_on_unix(s, c->socket_group, c->inherited_fd, e);
	if (rc == 0 && s->tcp_port)
		rc = listen_on_tcp(s, e);
	if (rc == 0 && *s->https_listen)
		rc = tls_open(&s->tls, c->tls_dir, e);
	if (rc == 0 && *s->https_listen)
		rc = listen_on_https(s, e);
	if (rc == 0)
		rc = start_reaper(s, e);
	if (rc == 0)
		rc = start_daemon(&s->unix_socket, e);
	if (rc == 0 && s->tcp_port)
		rc = start_daemon(&s->tcp, e);
	if (rc == 0 && *s->https_listen)
		rc = start_daemon(&s->https, e);
	tls_close(&s->tls);
	if (rc < 0) {
		api_server_stop(s);
		return rc;
	}
	log_info("serving %s version=%s tcp_port=%u https=%s", s->socket_path,
	    c->version ? c->version : "", s->tcp_port,
	    *s->https_listen ? s->https_listen : "none");
	*out = s;
	return 0;
}

/*
 * Takes no more connections: the socket stays in the epoll of its daemon, but is
 * silent there. MHD_quiesce_daemon() would take it out, which the daemon's thread
 * may be about to do, and who comes second aborts the process.
 * If it is not in there, there are too many connections already: it comes back
 * when one ends, and who connects then hears that we stop.
 */
static void
quiesce(const struct server_listener *l, bool keep)
{
	struct epoll_event silent = { .events = EPOLLET };
	const union MHD_DaemonInfo *info;

	if (!l->daemon)
		return;
	info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info &&
	    epoll_ctl(info->epoll_fd, EPOLL_CTL_MOD, l->fd, &silent) == 0 &&
	    !keep)
		shutdown(l->fd, SHUT_RDWR);
}

static void
stop_daemon(struct server_listener *l)
{
	if (!l->daemon)
		return;
	MHD_stop_daemon(l->daemon);
	l->daemon = NULL;
	l->fd = -1; /* closed by it */
}

/* Waits until the count is zero, at most ms. */
static void
wait_for_none(struct api_server *s, const unsigned *count, unsigned ms)
{
	uint64_t until = loop_now_ms() + ms;

	pthread_mutex_lock(&s->lock);
	while (*count > 0 && conn_wait(&s->idle, &s->lock, until))
		;
	pthread_mutex_unlock(&s->lock);
}

void
api_server_stop(struct api_server *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	pthread_mutex_unlock(&s->lock);
	if (s->made_socket)
		unlink(s->socket_path);
	quiesce(&s->unix_socket, !s->made_socket);
	quiesce(&s->tcp, false);
	quiesce(&s->https, false);

	wait_for_none(s, &s->n_pending, SERVER_GRACE_MS);
	reply_all_stopped(s);
	parts_cut_all(s);
	/* somebody may be between taking a request and resuming it */
	pthread_mutex_lock(&s->lock);
	while (s->n_pending > 0)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
	stream_end_all(s);
	wait_for_none(s, &s->n_sending, SERVER_FLUSH_MS);

	stop_daemon(&s->unix_socket);
	stop_daemon(&s->tcp);
	stop_daemon(&s->https);
	conn_reaper_stop(s);
	server_unref(s);
}

const char *
api_server_fingerprint(const struct api_server *s)
{
	return s->tls.fingerprint;
}

const char *
api_server_pin(const struct api_server *s)
{
	return s->tls.pin;
}
