/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_console: a terminal in a router's container, GET .../console, as a
 * WebSocket:
 *
 *	client, binary	what is typed
 *	client, text	{"rows": 24, "columns": 80}
 *	server, binary	what is shown
 *	server, text	{"exit_code", "signal"}, then it closes
 *
 * init runs a shell on a terminal of the container's (init_session.c). Nothing is
 * read from either side that the other one has no room for. A client that does
 * not answer a ping for half a minute is gone.
 */
#include "agent/ops.h"

#include "agent/errand.h"
#include "api/websocket.h"
#include "lib/base.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
	END_MS = 10000, /* to take the last words */
	PING_MS = 30000,
	OUT_BYTES = 64 << 10,
	OUT_SPARE = 1024,    /* for the last words, and pongs */
	IN_BYTES = 64 << 10, /* typed, and not taken yet */
	TEXT_BYTES = 256,
	ROWS = 24,
	COLUMNS = 80,
};

struct console {
	struct errand errand;
	struct api_socket *socket;
	struct loop_source *event;  /* until the socket is there */
	struct loop_source *source; /* of the socket */
	int fd;
	bool heard;  /* something, since the last ping */
	bool paused; /* the session is */
	bool over;   /* goes when all is sent */
	struct websocket_reader in;
	size_t n_text;
	char text[TEXT_BYTES];
	size_t n_out;
	uint8_t out[OUT_BYTES];
};

static void
console_free(struct console *x)
{
	errand_leave(&x->errand);
	loop_del(x->event);
	loop_del(x->source);
	if (x->socket)
		api_socket_close(x->socket);
	free(x);
}

/* --- to the client -------------------------------------------------------- */

static size_t
out_room(const struct console *x)
{
	size_t used = x->n_out + OUT_SPARE + WEBSOCKET_HEAD;

	return used < OUT_BYTES ? OUT_BYTES - used : 0;
}

/* One frame, if there is room for it. */
static void
put_frame(struct console *x, enum websocket_opcode opcode, const void *bytes,
    size_t n)
{
	if (x->n_out + WEBSOCKET_HEAD + n > OUT_BYTES)
		return;
	x->n_out += websocket_head(x->out + x->n_out, opcode, n);
	memcpy(x->out + x->n_out, bytes, n);
	x->n_out += n;
}

/* Returns false: x is gone. */
static bool
flush(struct console *x)
{
	ssize_t n;

	if (x->fd >= 0 && x->n_out > 0) {
		n = send(x->fd, x->out, x->n_out, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			console_free(x);
			return false;
		}
		if (n > 0) {
			x->n_out -= (size_t)n;
			memmove(x->out, x->out + n, x->n_out);
		}
	}
	if (x->over && x->n_out == 0) {
		console_free(x);
		return false;
	}
	if (x->paused && out_room(x) >= PIECE_MAX) {
		x->paused = false;
		session_pause(x->errand.session, false);
	}
	if (x->source)
		loop_set_events(x->source,
		    (x->over || session_waiting(x->errand.session) >= IN_BYTES
			    ? 0
			    : (uint32_t)EPOLLIN) |
			(x->n_out > 0 ? (uint32_t)EPOLLOUT : 0));
	return true;
}

/* A last word, a code, and the end. */
static void
finish(struct console *x, json_t *word, enum websocket_code code)
{
	scoped_free char *text = word ? json_dumps(word, JSON_COMPACT) : NULL;
	uint8_t bytes[2];

	json_decref(word);
	if (x->over)
		return;
	if (text)
		put_frame(x, WEBSOCKET_TEXT, text, strlen(text));
	store_be16(bytes, (uint16_t)code);
	put_frame(x, WEBSOCKET_CLOSE, bytes, sizeof(bytes));
	x->over = true;
	session_pause(x->errand.session, true);
	loop_arm(x->errand.timer, END_MS); /* or is hung up on */
	flush(x);
}

/* --- from the client ------------------------------------------------------ */

/* Returns 0, or the code that ends the connection. */
static int
resize(struct console *x)
{
	json_t *o = json_loadb(x->text, x->n_text, 0, NULL);
	json_int_t rows = json_integer_value(json_object_get(o, "rows"));
	json_int_t columns = json_integer_value(json_object_get(o, "columns"));
	uint8_t bytes[4];
	int rc = WEBSOCKET_REFUSED;

	if (rows > 0 && rows < 10000 && columns > 0 && columns < 10000) {
		bytes[0] = (uint8_t)rows; /* little-endian, see piece.h */
		bytes[1] = (uint8_t)(rows >> 8);
		bytes[2] = (uint8_t)columns;
		bytes[3] = (uint8_t)(columns >> 8);
		session_send(
		    x->errand.session, PIECE_SIZE, bytes, sizeof(bytes));
		rc = 0;
	}
	json_decref(o);
	return rc;
}

/* Returns 0, or the code that ends the connection. */
static int
take_frame(struct console *x, const struct websocket_frame *f)
{
	int rc;

	switch (f->opcode) {
	case WEBSOCKET_BINARY:
		if (f->n > 0)
			session_send(
			    x->errand.session, PIECE_IN, f->bytes, f->n);
		return 0;
	case WEBSOCKET_TEXT:
		if (x->n_text + f->n > sizeof(x->text))
			return WEBSOCKET_TOO_LONG;
		memcpy(x->text + x->n_text, f->bytes, f->n);
		x->n_text += f->n;
		if (!f->is_last)
			return 0;
		rc = resize(x);
		x->n_text = 0;
		return rc;
	case WEBSOCKET_PING:
		/* one that pings and does not read hears no more of it */
		if (x->n_out < OUT_BYTES - OUT_SPARE)
			put_frame(x, WEBSOCKET_PONG, f->bytes, f->n);
		return 0;
	case WEBSOCKET_CLOSE:
		return WEBSOCKET_NORMAL;
	default:
		return 0;
	}
}

/* Returns false: it is over, or x is gone. */
static bool
take_frames(struct console *x)
{
	struct websocket_frame f;
	int rc;

	while ((rc = websocket_next(&x->in, &f)) == 1 && !x->over) {
		rc = take_frame(x, &f);
		if (rc > 0) {
			finish(x, NULL, (enum websocket_code)rc);
			return false;
		}
		websocket_drop(&x->in, &f);
	}
	if (rc >= 0)
		return !x->over;
	finish(x, NULL, (enum websocket_code) - rc);
	return false;
}

static void
socket_ready(void *arg, int fd, uint32_t events)
{
	struct console *x = arg;
	uint8_t *at;
	size_t room = websocket_room(&x->in, &at);
	ssize_t n;

	if (events & EPOLLIN && room > 0) {
		n = recv(fd, at, room, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			console_free(x);
			return;
		}
		x->heard = true;
		websocket_filled(&x->in, n > 0 ? (size_t)n : 0);
		if (!take_frames(x))
			return;
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		console_free(x);
		return;
	}
	flush(x);
}

/* The 101 is sent, or never will be. */
static void
socket_comes(void *arg, int event_fd, uint32_t events)
{
	struct console *x = arg;
	const char *early;
	size_t n, room;
	uint64_t count;
	uint8_t *at;
	int fd;

	(void)events;
	if (read(event_fd, &count, sizeof(count)) < 0)
		return;
	fd = api_socket_open(x->socket, &early, &n);
	if (fd == -EAGAIN)
		return;
	loop_del(x->event);
	x->event = NULL;
	room = websocket_room(&x->in, &at);
	if (fd < 0 || n > room ||
	    loop_add_fd(x->errand.visit.router->node->loop, fd, EPOLLIN,
		socket_ready, x, &x->source) < 0) {
		console_free(x);
		return;
	}
	x->fd = fd;
	memcpy(at, early, n);
	websocket_filled(&x->in, n);
	loop_arm(x->errand.timer, PING_MS);
	if (take_frames(x))
		flush(x);
}

/* --- what the session says ------------------------------------------------ */

static void
refuse(struct console *x, int status, const char *code, const char *remedy,
    const char *detail)
{
	errand_refuse(&x->errand, status, code, remedy, detail);
	console_free(x);
}

static void
started(void *arg)
{
	struct console *x = arg;

	if (x->socket)
		return; /* it says so twice */
	x->socket = api_reply_socket(x->errand.rq);
	x->errand.rq = NULL;
	if (!x->socket || loop_add_fd(x->errand.visit.router->node->loop,
			      api_socket_event(x->socket), EPOLLIN,
			      socket_comes, x, &x->event) < 0)
		console_free(x);
}

static void
output(void *arg, enum piece_type type, const uint8_t *bytes, size_t n)
{
	struct console *x = arg;

	(void)type;
	if (!x->socket) {
		refuse(x, 504, "no-answer", "try again",
		    "its init speaks before anything was started");
		return;
	}
	put_frame(x, WEBSOCKET_BINARY, bytes, n);
	x->paused = out_room(x) < PIECE_MAX;
	session_pause(x->errand.session, x->paused);
	flush(x);
}

static void
ended(void *arg, int status)
{
	struct console *x = arg;

	if (!x->socket) {
		refuse(x, 504, "no-answer", "try again",
		    "its init tells the end of what has not begun");
		return;
	}
	finish(x,
	    json_pack("{s:o, s:o}", "exit_code",
		WIFEXITED(status) ? json_integer(WEXITSTATUS(status))
				  : json_null(),
		"signal",
		WIFSIGNALED(status) ? json_integer(WTERMSIG(status))
				    : json_null()),
	    WEBSOCKET_NORMAL);
}

static void
failed(void *arg, int no)
{
	struct console *x = arg;
	char why[128];

	snprintf(
	    why, sizeof(why), "there is no shell to be run: %s", strerror(no));
	if (x->socket)
		finish(x, NULL, WEBSOCKET_GOING);
	else
		refuse(x, 422, "cannot-run",
		    "use a template with a shell: install busybox-static on "
		    "the node before its templates are made",
		    why);
}

static void
gone(void *arg, int rc)
{
	struct console *x = arg;

	if (x->socket)
		finish(x, NULL, WEBSOCKET_GOING);
	else
		refuse(x, 504, "no-answer",
		    "try again; a container that an older europad started has "
		    "to be restarted first",
		    rc == -EBADMSG ? "its init answers nonsense"
				   : "its init hung up");
}

static void
sent(void *arg)
{
	flush(arg); /* there is room for more to be typed */
}

/* Late to begin, or to end; or it is time to ask whether anybody is there. */
static void
timer_fired(void *arg)
{
	struct console *x = arg;

	if (!x->socket) {
		refuse(x, 504, "no-answer", "try again",
		    "its init does not answer in time");
		return;
	}
	if (x->over || !x->heard) {
		console_free(x);
		return;
	}
	x->heard = false;
	put_frame(x, WEBSOCKET_PING, "", 0);
	loop_arm(x->errand.timer, PING_MS);
	flush(x);
}

static void
visit_ends(struct visit *v)
{
	struct console *x = CONTAINER_OF(v, struct console, errand.visit);

	if (!x->socket) {
		refuse(x, 409, "wrong-state", "create a new one",
		    "it is being deleted, or the node stops");
		return;
	}
	console_free(x);
}

/* --- the request ---------------------------------------------------------- */

static int
begin(struct console *x, struct router *r, struct api_request *rq)
{
	static const struct errand_plan plan = {
		.session.kind = WIRE_SESSION_CONSOLE,
		.session.rows = ROWS,
		.session.columns = COLUMNS,
		.session.hooks = {
			.on_started = started,
			.on_failed = failed,
			.on_output = output,
			.on_exit = ended,
			.on_gone = gone,
			.on_sent = sent,
		},
		.on_time = timer_fired,
		.end = visit_ends,
	};
	int rc = errand_begin(&x->errand, r, rq, &plan, x);

	if (rc == 0)
		rc = errand_word(&x->errand, "sh");
	if (rc == 0)
		rc = errand_word(&x->errand, "-l");
	return rc < 0 ? rc
		      : session_send(x->errand.session, PIECE_START, NULL, 0);
}

void
op_console(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	struct console *x;
	int rc = -ENOMEM;

	if (!r || !visit_may_enter(r, rq))
		return;
	x = calloc(1, sizeof(*x));
	if (x) {
		x->fd = -1;
		x->heard = true;
		rc = begin(x, r, rq);
	}
	if (rc == 0)
		return;
	if (x)
		console_free(x);
	errand_cannot(r, rq, rc);
}
