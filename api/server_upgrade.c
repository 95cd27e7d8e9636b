/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_upgrade: a connection that becomes a WebSocket, and is its owner's from
 * then on. libmicrohttpd sends the 101 and gives the socket (M); the owner (H)
 * hears of it by an event, reads and writes on its own thread, and gives it back.
 * Whoever comes second, the socket or an owner who wants no more of it, closes.
 */
#include "api/server_int.h"

#include "api/websocket.h"
#include "lib/base.h"

#include <microhttpd.h>
#include <sys/eventfd.h>

struct api_socket {
	pthread_mutex_t lock;
	unsigned refs; /* the owner, the response */
	struct server_conn *conn;
	struct MHD_UpgradeResponseHandle *urh; /* NULL: not there yet */
	int fd;
	int event_fd;
	bool is_gone;   /* it will not come any more */
	bool is_closed; /* the owner wants no more of it */
	size_t n_early; /* bytes that came with the request */
	char early[API_SOCKET_EARLY];
};

static void
socket_unref(struct api_socket *s)
{
	unsigned left;

	pthread_mutex_lock(&s->lock);
	left = --s->refs;
	pthread_mutex_unlock(&s->lock);
	if (left > 0)
		return;
	base_close(s->event_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void
tell_owner(struct api_socket *s)
{
	uint64_t one = 1;

	if (write(s->event_fd, &one, sizeof(one)) < 0) {
		/* it has been told already */
	}
}

/* Context: M */
static void
on_upgraded(void *cls, struct MHD_Connection *mhd, void *context,
    const char *early, size_t n_early, MHD_socket fd,
    struct MHD_UpgradeResponseHandle *urh)
{
	struct api_socket *s = cls;
	bool is_unwanted;

	(void)mhd;
	(void)context;
	conn_set_deadline(s->conn, 0);
	pthread_mutex_lock(&s->lock);
	is_unwanted = s->is_closed || n_early > sizeof(s->early);
	if (!is_unwanted) {
		s->urh = urh;
		s->fd = fd;
		s->n_early = n_early;
		if (n_early > 0)
			memcpy(s->early, early, n_early);
	} else {
		s->is_gone = true;
	}
	tell_owner(s);
	pthread_mutex_unlock(&s->lock);
	if (is_unwanted)
		MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
}

static struct api_socket *
socket_new(struct api_request *r)
{
	struct api_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->conn = r->conn;
	s->fd = -1;
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event_fd >= 0 && pthread_mutex_init(&s->lock, NULL) == 0)
		return s;
	base_close(s->event_fd);
	free(s);
	return NULL;
}

struct api_socket *
api_reply_socket(struct api_request *r)
{
	struct api_socket *s = socket_new(r);
	struct MHD_Response *response = NULL;
	struct problem p = { 0 };

	if (s)
		response = MHD_create_response_for_upgrade(on_upgraded, s);
	if (!response) {
		if (s)
			socket_unref(s);
		problem_set(&p, 503, "busy", "try again in a second",
		    "no memory for a socket");
		api_reply_problem(r, &p);
		problem_clear(&p);
		return NULL;
	}
	reply_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
	reply_header(response, "Sec-WebSocket-Accept", r->accept);
	reply_header(response, "X-Request-Id", r->id);
	/* until its end M needs s: the response may not outlive it */
	r->socket = s;
	s->refs++;
	conn_guard(r);
	reply_send(r, MHD_HTTP_SWITCHING_PROTOCOLS, response);
	return s;
}

/* The request is over, upgraded or not. Context: any thread */
void
upgrade_release(struct api_request *r)
{
	struct api_socket *s = r->socket;

	pthread_mutex_lock(&s->lock);
	if (!s->urh) {
		s->is_gone = true;
		tell_owner(s);
	}
	pthread_mutex_unlock(&s->lock);
	socket_unref(s);
}

int
api_socket_event(const struct api_socket *s)
{
	return s->event_fd;
}

int
api_socket_open(struct api_socket *s, const char **early, size_t *n)
{
	int fd;

	pthread_mutex_lock(&s->lock);
	fd = s->urh ? s->fd : s->is_gone ? -EPIPE : -EAGAIN;
	*early = s->early;
	*n = s->n_early;
	pthread_mutex_unlock(&s->lock);
	return fd;
}

void
api_socket_close(struct api_socket *s)
{
	struct MHD_UpgradeResponseHandle *urh;

	pthread_mutex_lock(&s->lock);
	s->is_closed = true;
	urh = s->urh;
	pthread_mutex_unlock(&s->lock);
	if (urh)
		MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
	socket_unref(s);
}
