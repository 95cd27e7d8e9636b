/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_conn: who is on the other end, and until when it must have spoken.
 *
 * libmicrohttpd's timeout is one of inactivity: a client that sends a byte now
 * and then keeps its connection for ever. So each connection has a deadline for
 * what it does now, and one thread, the reaper, shuts down those that are late;
 * libmicrohttpd then sees the end of the stream and closes it. The reaper
 * sleeps while no connection is open.
 *
 * The same thread ends answers that go on (events, a command, a console, a log)
 * when the token that asked for them is deleted, expires or gets other roles: who
 * may still have them asks again.
 *
 * A listener that has nearly as many connections as it takes makes room for who
 * comes next: one that has not asked anything yet goes, of the address that has
 * the most of those, the oldest first. So however many drip, from however many
 * addresses, others are answered, and also who is slow and alone.
 */
#include "api/server_int.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

enum { MAX_GROUPS = 256 };

int
conn_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (rc == 0)
		rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return -rc;
}

bool
conn_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ms)
{
	struct timespec ts = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000,
	};

	if (until_ms == UINT64_MAX)
		return pthread_cond_wait(cond, lock) == 0;
	return pthread_cond_timedwait(cond, lock, &ts) != ETIMEDOUT;
}

/* The peer's own group, or one it has beside. */
static bool
is_in_group(int fd, gid_t own, gid_t group)
{
	gid_t groups[MAX_GROUPS];
	socklen_t size = sizeof(groups);

	if (group == (gid_t)-1)
		return false;
	if (own == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

bool
conn_peer_of(const struct sockaddr_storage *from, uint64_t *peer)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	uint32_t mapped;

	*peer = 0;
	if (from->ss_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		*peer = in.sin_addr.s_addr;
	}
	if (from->ss_family != AF_INET6)
		return false;
	memcpy(&in6, from, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		memcpy(&mapped, in6.sin6_addr.s6_addr + 12, sizeof(mapped));
		*peer = mapped;
		return false;
	}
	memcpy(peer, &in6.sin6_addr, sizeof(*peer));
	return true;
}

static void
identify(struct server_conn *c)
{
	const struct api_server *s = c->listener->server;
	struct sockaddr_storage from = { 0 };
	struct ucred peer;
	socklen_t size = sizeof(peer), n_from = sizeof(from);

	c->uid = (uid_t)-1;
	c->peer = c->uid;
	if (c->listener->is_tcp) {
		c->is_allowed = true;
		/* who is gone already is nobody: of no family */
		(void)getpeername(c->fd, (struct sockaddr *)&from, &n_from);
		c->is_network = conn_peer_of(&from, &c->peer);
		return;
	}
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return;
	c->uid = peer.uid;
	c->peer = peer.uid;
	c->is_allowed = peer.uid == 0 || peer.uid == geteuid() ||
			is_in_group(c->fd, peer.gid, s->group);
}

/*
 * How many there are of who has connected as c. Who has one IPv6 address has as
 * many as a /64 has; of one IPv4 address libmicrohttpd counts them. The lock is
 * held.
 */
static unsigned
count_like(const struct api_server *s, const struct server_conn *c)
{
	const struct server_conn *o;
	unsigned n = 0;

	TAILQ_FOREACH(o, &s->conns, link)
		n += o->listener == c->listener && o->peer == c->peer &&
		     o->is_network == c->is_network;
	return n;
}

/* The lock is held. */
static bool
is_one_too_many(const struct api_server *s, const struct server_conn *c)
{
	if (c->listener->is_tcp ? !c->is_network
				: c->uid == 0 || c->uid == geteuid())
		return false;
	return count_like(s, c) > SERVER_PER_PEER;
}

/* The lock is held. */
static void
set_deadline(struct server_conn *c, uint64_t deadline_ms)
{
	struct api_server *s = c->listener->server;

	c->deadline_ms = deadline_ms;
	if (deadline_ms && deadline_ms < s->next_wake_ms)
		pthread_cond_signal(&s->alarm);
}

/* The lock is held. */
static void
end_connection(struct server_conn *c)
{
	/* conn_close() takes the lock before the fd is closed */
	shutdown(c->fd, SHUT_RDWR);
	c->deadline_ms = 0;
	c->is_ending = true;
}

/* Those of a listener that have asked nothing yet, by who they are. */
struct crowd {
	unsigned n_peers;
	struct {
		uint64_t peer;
		unsigned n;
		struct server_conn *oldest;
	} of[SERVER_CONNECTIONS];
};

static void
crowd_add(struct crowd *crowd, struct server_conn *c)
{
	unsigned i = 0;

	while (i < crowd->n_peers && crowd->of[i].peer != c->peer)
		i++;
	if (i == SERVER_CONNECTIONS)
		return;
	if (i == crowd->n_peers) {
		crowd->n_peers++;
		crowd->of[i].peer = c->peer;
		crowd->of[i].n = 0;
		crowd->of[i].oldest = c;
	}
	crowd->of[i].n++;
}

/* The oldest of who has the most; of equals, of who came first. */
static struct server_conn *
crowd_pick(const struct crowd *crowd)
{
	unsigned most = 0;

	for (unsigned i = 1; i < crowd->n_peers; i++)
		if (crowd->of[i].n > crowd->of[most].n)
			most = i;
	return crowd->n_peers > 0 ? crowd->of[most].oldest : NULL;
}

/* The lock is held. Of a listener, and not ending. */
static unsigned
count_of_listener(const struct api_server *s, const struct server_listener *l)
{
	const struct server_conn *c;
	unsigned n = 0;

	TAILQ_FOREACH(c, &s->conns, link)
		n += c->listener == l && !c->is_ending;
	return n;
}

/*
 * The lock is held. Who is being served stays; who waits between two requests
 * goes when nobody else can.
 */
static void
make_room(struct api_server *s, const struct server_listener *l)
{
	struct server_conn *c, *silent, *idle = NULL;
	struct crowd crowd;

	if (count_of_listener(s, l) <= SERVER_CONNECTIONS - SERVER_SPARE)
		return;
	crowd.n_peers = 0;
	TAILQ_FOREACH(c, &s->conns, link) {
		if (c->listener != l || c->is_ending || !c->deadline_ms)
			continue;
		if (!c->has_asked)
			crowd_add(&crowd, c);
		else if (!idle)
			idle = c;
	}
	silent = crowd_pick(&crowd);
	if (silent)
		end_connection(silent);
	else if (idle)
		end_connection(idle);
}

struct server_conn *
conn_open(struct server_listener *l, int fd)
{
	struct api_server *s = l->server;
	struct server_conn *c = calloc(1, sizeof(*c));
	bool is_too_many;

	if (!c)
		return NULL;
	c->listener = l;
	c->fd = fd;
	identify(c);
	pthread_mutex_lock(&s->lock);
	make_room(s, l);
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	set_deadline(c, loop_now_ms() + SERVER_REQUEST_MS);
	is_too_many = is_one_too_many(s, c);
	pthread_mutex_unlock(&s->lock);
	if (is_too_many) {
		log_debug("too many connections of one client uid=%u", c->uid);
		shutdown(fd, SHUT_RDWR);
	}
	return c;
}

void
conn_close(struct server_conn *c)
{
	struct api_server *s = c->listener->server;

	pthread_mutex_lock(&s->lock);
	TAILQ_REMOVE(&s->conns, c, link);
	pthread_mutex_unlock(&s->lock);
	free(c);
}

void
conn_set_deadline(struct server_conn *c, unsigned ms)
{
	struct api_server *s = c->listener->server;

	pthread_mutex_lock(&s->lock);
	if (!ms)
		c->has_asked = true; /* what it waits for is our answer */
	set_deadline(c, ms ? loop_now_ms() + ms : 0);
	pthread_mutex_unlock(&s->lock);
}

void
conn_guard(struct api_request *r)
{
	struct api_server *s = r->server;

	if (!s->token_state || *r->token == '\0')
		return;
	pthread_mutex_lock(&s->lock);
	/* its connection is there as long as nobody else has answered */
	if (r->is_pending) {
		memcpy(r->conn->token, r->token, sizeof(r->token));
		r->conn->token_state = r->token_state;
		if (loop_now_ms() + SERVER_GUARD_MS < s->next_wake_ms)
			pthread_cond_signal(&s->alarm);
	}
	pthread_mutex_unlock(&s->lock);
}

void
conn_end_request(struct server_conn *c)
{
	struct api_server *s = c->listener->server;

	pthread_mutex_lock(&s->lock);
	c->token[0] = '\0';
	c->has_asked = true;
	set_deadline(c, loop_now_ms() + SERVER_IDLE_MS);
	pthread_mutex_unlock(&s->lock);
}

void
conn_begin_request(struct server_conn *c)
{
	struct api_server *s = c->listener->server;
	uint64_t deadline = loop_now_ms() + SERVER_REQUEST_MS;

	pthread_mutex_lock(&s->lock);
	if (!c->deadline_ms || deadline < c->deadline_ms)
		set_deadline(c, deadline);
	pthread_mutex_unlock(&s->lock);
}

/* The lock is held. Its token is gone, or is not what it was. */
static bool
is_disowned(const struct api_server *s, const struct server_conn *c)
{
	return s->token_state(s->arg, c->token) != c->token_state;
}

/*
 * Ends who is late, and what goes on for a token that does not. Returns when to
 * look again. The lock is held.
 */
static uint64_t
reap(struct api_server *s)
{
	uint64_t now = loop_now_ms(), next = UINT64_MAX;
	struct server_conn *c;

	TAILQ_FOREACH(c, &s->conns, link) {
		if (*c->token && !c->is_ending) {
			if (is_disowned(s, c))
				end_connection(c);
			next = MIN(next, now + SERVER_GUARD_MS);
		}
		if (!c->deadline_ms)
			continue;
		if (c->deadline_ms > now) {
			next = MIN(next, c->deadline_ms);
			continue;
		}
		end_connection(c);
	}
	return next;
}

static void *
reaper(void *arg)
{
	struct api_server *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->reaper_ends) {
		s->next_wake_ms = reap(s);
		conn_wait(&s->alarm, &s->lock, s->next_wake_ms);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
conn_reaper_start(struct api_server *s)
{
	int rc;

	s->next_wake_ms = UINT64_MAX;
	rc = pthread_create(&s->reaper, NULL, reaper, s);
	s->has_reaper = rc == 0;
	return -rc;
}

void
conn_reaper_stop(struct api_server *s)
{
	if (!s->has_reaper)
		return;
	pthread_mutex_lock(&s->lock);
	s->reaper_ends = true;
	pthread_cond_signal(&s->alarm);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->reaper, NULL);
	s->has_reaper = false;
}
