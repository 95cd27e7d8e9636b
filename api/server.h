/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: HTTP in, requests out. Only server*.c know libmicrohttpd.
 *
 * A listener thread reads a whole request within its limits (line, headers,
 * body, time), finds its operation in the table that mirrors openapi.yaml,
 * parses the JSON body, suspends the connection and calls the handler. The
 * handler queues it for the agent's loop and returns at once; the agent answers
 * by api_reply() from any thread, now or seconds later, exactly once.
 * What the table or the parser refuses never reaches the agent.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "api/problem.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum api_op {
	API_NODE_GET,      /* GET /v1 */
	API_NODES_LIST,    /* GET /v1/nodes */
	API_NODE_ONE,      /* GET /v1/nodes/{h} */
	API_ROUTERS_LIST,  /* GET /v1/routers */
	API_ROUTER_CREATE, /* POST /v1/routers */
	API_ROUTER_GET,    /* GET /v1/routers/{r} */
	API_ROUTER_PUT,
	API_ROUTER_PATCH,
	API_ROUTER_DELETE,
	API_ROUTER_POWER,   /* PUT /v1/routers/{r}/power */
	API_ROUTER_RESTART, /* POST /v1/routers/{r}/restart */
	API_QUOTA_GET,      /* GET /v1/routers/{r}/quota */
	API_QUOTA_PATCH,
	API_VNICS_LIST,  /* GET /v1/routers/{r}/vnics */
	API_VNIC_CREATE, /* POST /v1/routers/{r}/vnics */
	API_VNIC_GET,    /* GET /v1/routers/{r}/vnics/{v} */
	API_VNIC_PATCH,
	API_VNIC_DELETE,
	API_ROUTES_GET, /* GET /v1/routers/{r}/routes */
	API_ROUTES_PUT,
	API_ROUTES_PATCH,
	API_NEIGHBOURS_GET, /* GET /v1/routers/{r}/neighbours */
	API_PIPELINE_GET,   /* GET /v1/routers/{r}/pipeline */
	API_PIPELINE_PUT,
	API_REVISIONS_LIST,    /* GET .../pipeline/revisions */
	API_REVISION_GET,      /* GET .../pipeline/revisions/{n} */
	API_PIPELINE_ROLLBACK, /* POST .../pipeline/rollback */
	API_STATS_GET,         /* GET /v1/routers/{r}/stats */
	API_PROJECTS_LIST,     /* GET /v1/projects */
	API_PROJECT_CREATE,    /* POST /v1/projects */
	API_PROJECT_GET,       /* GET /v1/projects/{p} */
	API_PROJECT_PATCH,
	API_PROJECT_DELETE,
	API_PROJECT_QUOTA_GET, /* GET /v1/projects/{p}/quota */
	API_PROJECT_QUOTA_PATCH,
	API_PROJECT_USAGE_GET, /* GET /v1/projects/{p}/usage */
	API_AUDIT_LIST,        /* GET /v1/audit */
	API_TOKENS_LIST,       /* GET /v1/tokens */
	API_TOKEN_CREATE,      /* POST /v1/tokens */
	API_TOKEN_GET,         /* GET /v1/tokens/{t} */
	API_TOKEN_PATCH,
	API_TOKEN_DELETE,
	API_EXEC,           /* POST /v1/routers/{r}/exec */
	API_TEMPLATES_LIST, /* GET /v1/templates */
	API_TEMPLATE_GET,
	API_CONSOLE,  /* GET /v1/routers/{r}/console */
	API_LOGS_GET, /* GET /v1/routers/{r}/logs */
	API_FILE_GET, /* GET /v1/routers/{r}/files */
	API_FILE_PUT,
	API_PORTS_LIST,  /* GET /v1/ports */
	API_PORT_CREATE, /* POST /v1/ports */
	API_PORT_GET,    /* GET /v1/ports/{p} */
	API_PORT_PUT,
	API_PORT_PATCH,
	API_PORT_DELETE,
	API_LINKS_LIST, /* GET /v1/links */
	API_LINK_CREATE,
	API_LINK_GET, /* GET /v1/links/{l} */
	API_LINK_PATCH,
	API_LINK_DELETE,
	API_SEGMENTS_LIST, /* GET /v1/segments: as links */
	API_SEGMENT_CREATE,
	API_SEGMENT_GET,
	API_SEGMENT_PATCH,
	API_SEGMENT_DELETE,
	API_OPENAPI_GET, /* GET /v1/openapi.json */
	API_EVENTS_GET,  /* GET /v1/events */
	API_METRICS_GET, /* GET /metrics */
	API_HEALTHZ,     /* GET /healthz: the process answers */
	API_READYZ,      /* GET /readyz: the node can do its work */
	API_N_OPS,
};

enum { API_TOKEN_ID_BYTES = 37 };

struct route_lines;
struct api_request; /* opaque; lives until api_reply() */

const char *api_method(const struct api_request *r);
/* As it was asked for, printable, without the query. */
const char *api_path(const struct api_request *r);
/* It is to change something, or may (a console), and is no dry run. */
bool api_is_change(const struct api_request *r);
enum api_op api_op(const struct api_request *r);
/* {r}, {p}, {l} or {s}, already checked to be a name; "" if the path has none */
const char *api_name(const struct api_request *r);
/* The project that it is about: "default" if the query names none; NULL if the
 * operation is of no project. It need not exist. */
const char *api_project(const struct api_request *r);
/* {v}; "" if the path has none */
const char *api_subname(const struct api_request *r);
/* {n}; 0 if the path has none */
unsigned api_number(const struct api_request *r);
/* The value of a query parameter that the operation has, or NULL. */
const char *api_query(const struct api_request *r, const char *key);
/* All of them, as list_page() takes them, borrowed; NULL if there are none. */
const json_t *api_query_all(const struct api_request *r);
/* The body, borrowed; NULL for operations without one. */
const json_t *api_body(const struct api_request *r);
/* A body that is a program, borrowed: UTF-8 without zeros; NULL if none. */
const char *api_text(const struct api_request *r, size_t *n);
/* A body that is any bytes, borrowed; NULL if there are none. */
const void *api_bytes(const struct api_request *r, size_t *n);
/* A body that was lines of routes, borrowed, checked; NULL if it was not. */
struct route_lines *api_lines(const struct api_request *r);
/* The client asked for the program itself and not for an object with it. */
bool api_wants_text(const struct api_request *r);
/* Header If-Match without quotes, or NULL. */
const char *api_if_match(const struct api_request *r);
bool api_dry_run(const struct api_request *r);       /* ?dry_run=true */
bool api_respond_async(const struct api_request *r); /* Prefer: respond-async */
/* Header Idempotency-Key, or NULL; and what the request is, as a digest. */
const char *api_key(const struct api_request *r);
const char *api_digest(const struct api_request *r);
const char *api_request_id(const struct api_request *r);
/* Who asks, over the unix socket and without a token; else (uid_t)-1. */
uid_t api_uid(const struct api_request *r);
/* What authenticate() called the token of who asks, "" if he has none. */
const char *api_token(const struct api_request *r);

/* What the table of operations wants of who asks. */
enum api_role {
	API_ROLE_NONE,
	API_ROLE_VIEWER,
	API_ROLE_OPERATOR,
	API_ROLE_ADMIN,
};
enum api_scope {
	API_SCOPE_OPEN,    /* nobody is asked who he is */
	API_SCOPE_ANYONE,  /* any token will do */
	API_SCOPE_PROJECT, /* the role in the project that it is about */
	API_SCOPE_NODE,    /* the role with the node */
};
enum api_scope api_scope(const struct api_request *r);
enum api_role api_role_needed(const struct api_request *r);

/*
 * Answers, and ends r. Takes body (NULL: none, for 204). etag and location may
 * be NULL. Context: any thread, exactly once per request.
 */
void api_reply(struct api_request *r, int status, json_t *body,
    const char *etag, const char *location);

/* The same, 200, with JSON of n bytes that is text already; takes it. */
void api_reply_written(struct api_request *r, char *text, size_t n);

/* The same with a program as the body, of n bytes, copied. */
void api_reply_text(
    struct api_request *r, const char *text, size_t n, const char *etag);

/* And with any other text. */
void api_reply_media(
    struct api_request *r, const char *media_type, const char *text, size_t n);

/* Answers with a problem document (and Retry-After on 503, Allow on 405). */
void api_reply_problem(struct api_request *r, const struct problem *p);
/* The same with a Location, for 409 start-failed. */
void api_reply_problem_at(
    struct api_request *r, const struct problem *p, const char *location);

/* fn hears how r was answered, once, before the answer leaves. */
void api_on_result(struct api_request *r,
    void (*fn)(void *arg, const struct api_request *r, int status), void *arg);

/*
 * An answer that comes in parts. It has two ends: who puts bytes in, on one
 * thread, and the listener, which sends them; whoever is slower is waited for by
 * the other. The listener sees nothing of a client that goes away while there is
 * nothing to send, so the owner watches the peer's descriptor.
 */
struct api_parts;

enum { API_PARTS_BYTES = 64 << 10 }; /* that can wait in one */

/*
 * Answers r with 200 and what will be put; etag may be NULL. Ends r. NULL without
 * memory: then r is answered, too. Context: any thread, exactly once per request.
 */
struct api_parts *api_reply_parts(
    struct api_request *r, const char *media_type, const char *etag);
/* Bytes that can be put now; 0 when the client is gone, too. */
size_t api_parts_room(struct api_parts *s);
/* Copies n bytes, all of them. Returns 0, -EAGAIN (no room) or -EPIPE (gone). */
int api_parts_put(struct api_parts *s, const void *bytes, size_t n);
/* The owner is told once when n bytes can be put. */
void api_parts_want_room(struct api_parts *s, size_t n);
/* Readable when the owner is told, of room or that the client has gone. */
int api_parts_event(const struct api_parts *s);
/* The client's socket, to be watched for EPOLLRDHUP and never read; or -1. */
int api_parts_peer(const struct api_parts *s);
/* Lets go. whole: that was all; else the client sees that it is cut short. */
void api_parts_end(struct api_parts *s, bool whole);
/* An answer as it leaves; etag and location may be NULL. */
struct api_answer {
	int status;
	const char *text; /* of n bytes */
	size_t n;
	const char *media_type;
	const char *etag;
	const char *location;
};

/* fn hears of the answer to r just before the client does, once. */
void api_on_answer(struct api_request *r,
    void (*fn)(void *arg, const struct api_answer *answer), void *arg);
/* Answers as another request was answered before. */
void api_reply_again(struct api_request *r, const struct api_answer *answer);

/*
 * A connection that has become a WebSocket; see api/websocket.h. The operation's
 * table row has checked the handshake.
 */
struct api_socket;

enum { API_SOCKET_EARLY = 4096 }; /* bytes that may come before the 101 */

/*
 * Answers r with 101. Ends r. NULL without memory: then r is answered, too.
 * Context: any thread, exactly once per request.
 */
struct api_socket *api_reply_socket(struct api_request *r);
/* Readable when api_socket_open() has something to say; read it then. */
int api_socket_event(const struct api_socket *s);
/*
 * The descriptor, for send() and recv(), and what came on it already; -EAGAIN: it
 * is not there yet; -EPIPE: it will not be.
 */
int api_socket_open(struct api_socket *s, const char **early, size_t *n);
/* Takes s: the connection ends. */
void api_socket_close(struct api_socket *s);

typedef void (*api_handler_fn)(void *arg, struct api_request *r);

struct api_config {
	const char *socket_path;  /* unix socket, mode 0660 */
	const char *socket_group; /* group that may connect, beside root */
	int inherited_fd;         /* > 0: listens already, instead of both */
	unsigned tcp_port;        /* on 127.0.0.1, plain; 0 = no TCP */
	const char *https_listen; /* ADDRESS:PORT, see api_listen_is_valid();
	                             "" or NULL = no HTTPS */
	const char *tls_dir;      /* where the certificate is, or is made */
	const char *web_dir;      /* static files for GET /, or "" */
	const char *spool_dir;    /* where long bodies wait, without a name */
	const char *version;
	api_handler_fn handler; /* called on a listener thread */
	/* the same: is this a token of ours, and what is it called? NULL: there
	 * are none */
	bool (*authenticate)(
	    void *arg, const char *secret, char id[API_TOKEN_ID_BYTES]);
	/* of a token by the name that authenticate gave it: 0 when it is not
	 * good any more, else a number that changes with what it may do. When it
	 * is another number than at the request, an answer that goes on is
	 * ended. NULL: tokens are never looked at again */
	uint64_t (*token_state)(void *arg, const char *id);
	void *arg;
};

struct api_server;

/*
 * Something happened: says so to the readers of events, of project or, if that
 * is NULL, to all. Takes data, an object. s may be NULL. Context: any thread.
 */
void api_event(
    struct api_server *s, const char *type, const char *project, json_t *data);
/*
 * The project is gone: its readers' streams end, and who reads another of this
 * name hears nothing of it. s may be NULL. Context: that of api_reply_events().
 */
void api_events_forget(struct api_server *s, const char *project);
/* Has all readers hear that they are connected, each 15 seconds. */
void api_events_beat(struct api_server *s);
/* Answers r with events, as they come. */
void api_reply_events(struct api_request *r);

/* Starts the listeners. Returns 0, or negative errno with e set. */
int api_server_start(
    const struct api_config *c, struct api_server **out, struct err *e);

/* ADDRESS, ADDRESS:PORT or :PORT; an IPv6 address in [] if a port follows. */
bool api_listen_is_valid(const char *text);

/* SHA-256 of the certificate in hexadecimal, and what curl --pinnedpubkey wants;
 * "" without HTTPS. */
const char *api_server_fingerprint(const struct api_server *s);
const char *api_server_pin(const struct api_server *s);

/*
 * Stops them: no new requests; those under way are answered 503 if the agent
 * does not answer within a second. NULL is allowed.
 */
void api_server_stop(struct api_server *s);

#endif
