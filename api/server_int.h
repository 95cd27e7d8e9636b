/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_int: what the files of the server share; not for others.
 *
 *	server.c          life: sockets, daemons, stop
 *	server_listen.c   the sockets
 *	server_conn.c     who connects, and until when it must have spoken
 *	server_request.c  from bytes to a request that the handler gets
 *	server_auth.c     who asks
 *	server_body.c     the body: how long, how fast, and what it is
 *	server_headers.c  query, If-Match, Prefer, Host, Origin, media type
 *	server_reply.c    from an answer to bytes
 *	server_tls.c      the certificate
 *	server_upgrade.c  a connection that becomes a WebSocket
 *	server_static.c   the files of the web page
 *	server_parts.c    an answer that comes in parts
 *	server_stream.c   answers that go on
 *
 * Threads: each listener has one thread of libmicrohttpd (M); the reaper (R)
 * ends connections that are late; the handler's side (H) answers. What they
 * share is under server.lock, and no function of libmicrohttpd is called with
 * that lock held.
 *
 * A request is held by M until its connection has done with it, and by H from
 * the call of the handler to api_reply(). A server is held by its owner and by
 * each request that H holds.
 */
#ifndef API_SERVER_INT_H
#define API_SERVER_INT_H

#include "api/events.h"
#include "api/route.h"
#include "api/server.h"
#include "api/websocket.h"
#include "lib/sha256.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/queue.h>

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum server_limits {
	SERVER_BODY_BYTES = 64 << 10,
	SERVER_TEXT_BYTES = 256 << 10,  /* a program, a change of routes */
	SERVER_FILE_BYTES = 1 << 20,    /* one of a router */
	SERVER_LINES_BYTES = 128 << 20, /* routes, a stream */
	SERVER_LINES_RATE = 1 << 20,    /* bytes/s that a stream must bring */
	SERVER_STREAMS = 4,             /* that arrive at a time */
	SERVER_DRAIN_BYTES = 1 << 20,   /* of a body too large, then hang up */
	SERVER_HEADER_BYTES = 32 << 10,
	SERVER_REQUEST_MS = 5000, /* from its first byte to its last */
	SERVER_ANSWER_MS = 10000, /* for the client to take the answer */
	SERVER_IDLE_MS = 15000,   /* between requests */
	SERVER_GUARD_MS = 1000,   /* between two looks at a token */
	SERVER_GRACE_MS = 1000,   /* for requests under way at a stop */
	SERVER_FLUSH_MS = 500,    /* for their answers to leave */
	SERVER_CONNECTIONS = 256, /* of one listener */
	SERVER_PER_PEER = 64,     /* of one address, of one uid but root */
	SERVER_SPARE = 32,        /* of a listener, for who comes next */
	/* of one token over TCP: unanswered, and those for so long */
	SERVER_PENDING_OF_TOKEN = 64,
	SERVER_WAITING_OF_TOKEN = 16,
	SERVER_WAITS_MS = 1000,
	SERVER_READERS = 64,        /* of events, at a time */
	SERVER_READERS_OF_ONE = 16, /* uid but root, token, project */
	SERVER_READERS_TOKENS = 48, /* by tokens: the rest is the node's own */
	SERVER_REQUEST_ID_BYTES = 17,
	SERVER_KEY_BYTES = 255, /* of an Idempotency-Key */
	SERVER_HTTPS_PORT = 8780,
};

struct server_listener {
	struct api_server *server;
	struct MHD_Daemon *daemon;
	int fd;
	bool is_tcp;
	bool is_tls;
};

#define TLS_CERT_FILE "tls.crt"
#define TLS_KEY_FILE "tls.key"

struct server_tls {
	char *cert, *key; /* PEM; until the daemon has started */
	char fingerprint[65];
	char pin[64]; /* of the public key */
};

struct server_conn {
	TAILQ_ENTRY(server_conn) link;
	struct server_listener *listener;
	int fd;
	uid_t uid;            /* (uid_t)-1 over TCP */
	uint64_t peer;        /* its uid, or conn_peer_of() */
	bool is_network;      /* that is an IPv6 host's */
	bool is_allowed;      /* by SO_PEERCRED; always over TCP */
	uint64_t deadline_ms; /* under the lock; 0 = none */
	bool has_asked;       /* the same: a whole request has come */
	bool is_ending;       /* the same: shut down */
	/* under the lock: whose token it is to which an answer goes on, and what
	 * that was; "" = no such answer, or no token */
	char token[API_TOKEN_ID_BYTES];
	uint64_t token_state;
};

struct api_server {
	pthread_mutex_t lock;
	pthread_cond_t idle;   /* n_pending or n_sending became smaller */
	pthread_cond_t alarm;  /* an earlier deadline, or the end */
	unsigned refs;         /* owner, and each request that H holds */
	unsigned n_pending;    /* suspended, until after they are resumed */
	unsigned n_sending;    /* answered, and not yet sent */
	unsigned n_streams;    /* tables in lines that arrive */
	bool is_stopping;      /* no more requests */
	bool reaper_ends;      /* after the daemons */
	uint64_t next_wake_ms; /* when the reaper looks next */
	TAILQ_HEAD(conn_list, server_conn) conns;
	TAILQ_HEAD(request_list, api_request) pending;
	TAILQ_HEAD(parts_list, api_parts) parts;
	LIST_HEAD(stream_list, stream) readers;
	struct events *events;

	/* set at start and not changed */
	struct server_listener unix_socket;
	struct server_listener tcp;
	struct server_listener https;
	struct server_tls tls;
	pthread_t reaper;
	bool has_reaper;
	int web_fd;  /* folder, or -1 */
	gid_t group; /* (gid_t)-1: only root and our own uid */
	unsigned tcp_port;
	char *https_listen; /* "" = none */
	char *socket_path;
	bool made_socket; /* else the service manager's: it outlives us */
	char *spool_dir;
	api_handler_fn handler;
	bool (*authenticate)(
	    void *arg, const char *secret, char id[API_TOKEN_ID_BYTES]);
	uint64_t (*token_state)(void *arg, const char *id);
	void *arg;
};

struct api_request {
	TAILQ_ENTRY(api_request) link; /* under the lock */
	struct api_server *server;
	struct server_conn *conn;   /* M, and until resumed */
	struct MHD_Connection *mhd; /* the same */
	unsigned refs;              /* under the lock: M, H */
	bool is_pending;            /* under the lock: suspended, unanswered */
	bool is_handed;             /* M: the answer will come from elsewhere */

	struct MHD_Response *response; /* set once; then M queues it */
	int status;

	char *method;
	char *path; /* printable, as the client wrote it */
	char id[SERVER_REQUEST_ID_BYTES];
	uid_t uid;
	char token[API_TOKEN_ID_BYTES];
	uint64_t token_state;
	struct route_match match;
	char *body; /* n_body bytes, at most limit */
	size_t n_body;
	size_t n_seen; /* of the body, also those not kept */
	size_t limit;  /* of n_seen */
	uint64_t began_ms;
	struct route_lines *lines; /* a stream: no body is kept */
	bool has_place;            /* M: one of the few for long bodies */
	json_t *json;
	json_t *query; /* object of strings, NULL if none */
	char *if_match;
	char *key;               /* Idempotency-Key */
	char digest[SHA256_HEX]; /* of all that it says, if it has a key */
	void (*on_answer)(void *arg, const struct api_answer *answer);
	void *on_answer_arg;
	bool is_async;
	bool wants_text;
	void (*on_result)(void *arg, const struct api_request *r, int status);
	void *on_result_arg;           /* H: these two */
	char accept[WEBSOCKET_ACCEPT]; /* of a handshake that is good */
	struct api_socket *socket;     /* that it becomes; held */
	bool wants_lines;
	char last_event[64]; /* Last-Event-ID, cut */
	const char *last_id; /* that, or NULL */
};

/* server_listen.c --- Return 0 or negative errno. Context: start */
int listen_on_unix(
    struct api_server *s, const char *group, int inherited, struct err *e);
int listen_on_tcp(struct api_server *s, struct err *e);
int listen_on_https(struct api_server *s, struct err *e);

/* server_tls.c --- What is in the folder, made if it is not there. */
int tls_open(struct server_tls *t, const char *path, struct err *e);
void tls_close(struct server_tls *t); /* keeps who it is */

/* server_conn.c --- Context: M, but for conn_reaper_*() */
struct server_conn *conn_open(struct server_listener *l, int fd);
void conn_close(struct server_conn *c);
/* Its IPv4 address as a number, or, then true, the /64 of its IPv6 one; 0: none. */
bool conn_peer_of(const struct sockaddr_storage *from, uint64_t *peer);
/* The connection ends if nothing changes this within ms; 0 = it may wait. */
void conn_set_deadline(struct server_conn *c, unsigned ms);
/* A request begins: never later than the connection was to end anyway. */
void conn_begin_request(struct server_conn *c);
/* A request has been answered: the connection waits for the next one. */
void conn_end_request(struct server_conn *c);
/* The answer to r goes on: it ends with r's token. Before it is sent. */
void conn_guard(struct api_request *r);
int conn_reaper_start(struct api_server *s);
void conn_reaper_stop(struct api_server *s);
int conn_cond_init(pthread_cond_t *cond); /* on the monotonic clock */
/* Waits until the absolute time; lock is held. Returns false when it is over. */
bool conn_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ms);

/* server_request.c --- Context: M */
struct api_request *request_new(struct server_conn *c,
    struct MHD_Connection *mhd, const char *method, const char *path);
/* First sight of it. Returns false: already answered. */
bool request_begin(struct api_request *r);
/* All has been read: r->response is set, or the connection is suspended. */
void request_finish(struct api_request *r);
/* Drops one hold of r, and what it holds with the last. Context: any thread. */
void request_unref(struct api_request *r);
/* server.c */
void server_unref(struct api_server *s);
/* One hold less of what has these; true: that was the last. */
bool server_drop(pthread_mutex_t *lock, unsigned *refs);
/* Makes an eventfd readable, if it is not. */
void server_raise(int event_fd);

/* server_body.c --- Context: M; false: already answered, or hang up */
bool body_begin(struct api_request *r);
bool body_take(struct api_request *r, const char *bytes, size_t n);
/* All is there. Returns 0, or negative with p set. */
int body_finish(struct api_request *r, struct problem *p);
/* It is larger than its operation allows: p is set. */
bool body_is_too_large(const struct api_request *r, struct problem *p);
void body_free(struct api_request *r);

/* server_auth.c --- Context: M; false: p is set */
bool auth_check(struct api_request *r, struct problem *p);
/* Whoever asks has not got too many answers to wait for already. */
bool auth_may_wait(const struct api_request *r, struct problem *p);

/* server_headers.c --- Context: M; false or negative: p is set */
bool headers_host_is_ours(const struct api_request *r, struct problem *p);
bool headers_media_fits(const struct api_request *r, struct problem *p);
/* The body comes as lines of JSON. */
bool headers_say_lines(const struct api_request *r);
int headers_read_query(struct api_request *r, struct problem *p);
int headers_read_conditions(struct api_request *r, struct problem *p);
int headers_read_key(struct api_request *r, struct problem *p);

/* server_reply.c */
/* The answer to a request that no handler has. Context: M. */
void reply_now(struct api_request *r, const struct problem *p);
void reply_common_headers(const struct api_request *r,
    struct MHD_Response *response, const char *media_type);
/* NULL: none. */
void reply_etag(struct MHD_Response *response, const char *etag);
/* Ends r, from the handler's side; response NULL: hang up. */
void reply_send(
    struct api_request *r, int status, struct MHD_Response *response);
void reply_header(
    struct MHD_Response *response, const char *name, const char *value);
/* Ends what is pending with 503. Context: the thread that stops the server. */
void reply_all_stopped(struct api_server *s);
/* r is pending from now on; false: the server stops, r is answered. */
bool reply_expect(struct api_request *r);

/* server_upgrade.c: the request of r->socket is over */
void upgrade_release(struct api_request *r);

/* server_parts.c: cuts all short. Context: the thread that stops the server. */
void parts_cut_all(struct api_server *s);

/* server_stream.c: has all of them see that the server stops */
void stream_end_all(struct api_server *s);

/* server_static.c --- true: r is answered. Context: M */
bool static_serve(struct api_request *r);

#endif
