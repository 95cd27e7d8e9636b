/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_console: a terminal in a router's container, over a WebSocket. What is
 * typed goes there as it is, what is shown comes back; the size of the terminal
 * follows. Ctrl-] ends it. Without a terminal here, standard input is what is
 * typed, and its end is Ctrl-D.
 */
#include "cli/args.h"
#include "cli/http.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/run.h"
#include "cli/websocket.h"
#include "lib/base.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>

enum {
	KEY_ESCAPE = 0x1d, /* Ctrl-] */
	KEY_END = 0x04,    /* Ctrl-D */
	MAX_TYPED = 4096,
	MAX_PENDING = WEBSOCKET_MAX + 65536,
};

struct console {
	struct http *http;
	uint8_t *in; /* of MAX_PENDING */
	size_t n_in;
	int kind; /* of the message that goes on */
	bool has_ended;
	int code;
	bool stdin_is_open;
};

static volatile sig_atomic_t is_resized;

static void
on_resize(int signal)
{
	(void)signal;
	is_resized = 1;
}

static int
send_message(struct console *c, int kind, const void *data, size_t n)
{
	uint8_t frame[MAX_TYPED + WEBSOCKET_MAX_HEAD];
	ssize_t left = websocket_frame(kind, data, n, frame);
	const uint8_t *at = frame;

	while (left > 0) {
		struct pollfd p = { .fd = http_fd(c->http), .events = POLLOUT };
		ssize_t sent = http_send(c->http, at, (size_t)left);

		if (sent == -EAGAIN && poll(&p, 1, -1) >= 0)
			continue;
		if (sent < 0)
			return (int)sent;
		at += sent;
		left -= sent;
	}
	return (int)left;
}

static int
send_size(struct console *c)
{
	struct winsize w;
	char text[64];

	is_resized = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0 ||
	    w.ws_col == 0)
		return 0;
	snprintf(text, sizeof(text), "{\"rows\": %u, \"columns\": %u}",
	    (unsigned)w.ws_row, (unsigned)w.ws_col);
	return send_message(c, WEBSOCKET_TEXT, text, strlen(text));
}

/* The last message: how the shell ended. */
static void
take_end(struct console *c, const uint8_t *data, size_t n)
{
	json_auto_t *doc = json_loadb((const char *)data, n, 0, NULL);
	const json_t *code = json_object_get(doc, "exit_code");
	const json_t *signal = json_object_get(doc, "signal");

	if (json_is_integer(code))
		c->code = (int)(json_integer_value(code) & 0xff);
	else if (json_is_integer(signal))
		c->code = 128 + (int)(json_integer_value(signal) & 0x7f);
	else
		return;
	c->has_ended = true;
}

static int
take_message(struct console *c, const struct websocket_message *m)
{
	int kind = m->kind ? m->kind : c->kind;

	if (kind < WEBSOCKET_CLOSE)
		c->kind = m->is_last ? 0 : kind;
	switch (kind) {
	case WEBSOCKET_BINARY:
		if (fwrite(m->data, 1, m->n, stdout) != m->n ||
		    fflush(stdout) != 0)
			return -EPIPE;
		return 0;
	case WEBSOCKET_TEXT:
		take_end(c, m->data, m->n);
		return 0;
	case WEBSOCKET_PING:
		return send_message(c, WEBSOCKET_PONG, m->data, m->n);
	case WEBSOCKET_PONG:
		return 0;
	case WEBSOCKET_CLOSE:
		return -ECONNRESET;
	default:
		return -EBADMSG;
	}
}

static int
take_all(struct console *c)
{
	struct websocket_message m;
	size_t used = 0;
	int rc = 0;

	while (rc == 0) {
		ssize_t n = websocket_read(c->in + used, c->n_in - used, &m);

		if (n <= 0) {
			rc = (int)n;
			break;
		}
		rc = take_message(c, &m);
		used += (size_t)n;
	}
	memmove(c->in, c->in + used, c->n_in - used);
	c->n_in -= used;
	return rc;
}

/* All that is there: TLS may have more than its socket shows. */
static int
receive(struct console *c)
{
	for (;;) {
		ssize_t n =
		    http_recv(c->http, c->in + c->n_in, MAX_PENDING - c->n_in);
		int rc;

		if (n == -EAGAIN)
			return 0;
		if (n <= 0)
			return -ECONNRESET;
		c->n_in += (size_t)n;
		rc = take_all(c);
		if (rc < 0)
			return rc;
	}
}

/* Returns -ECANCELED at Ctrl-]. */
static int
type(struct console *c)
{
	static const char end = KEY_END;
	char typed[MAX_TYPED];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0) {
		c->stdin_is_open = false;
		return send_message(c, WEBSOCKET_BINARY, &end, 1);
	}
	if (isatty(STDIN_FILENO) && memchr(typed, KEY_ESCAPE, (size_t)n))
		return -ECANCELED;
	return send_message(c, WEBSOCKET_BINARY, typed, (size_t)n);
}

static int
serve(struct console *c)
{
	int rc = take_all(c); /* what came with the head */

	if (rc == 0)
		rc = send_size(c);
	while (rc == 0) {
		struct pollfd p[] = {
			{ .fd = http_fd(c->http), .events = POLLIN },
			{ .fd = c->stdin_is_open ? STDIN_FILENO : -1,
			    .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return -errno;
		if (is_resized)
			rc = send_size(c);
		else if (p[0].revents)
			rc = receive(c);
		else if (p[1].revents)
			rc = type(c);
	}
	return rc;
}

static int
run_on_terminal(struct console *c)
{
	struct termios saved, raw;
	bool is_terminal = tcgetattr(STDIN_FILENO, &saved) == 0;
	int rc;

	if (is_terminal) {
		raw = saved;
		cfmakeraw(&raw);
		signal(SIGWINCH, on_resize);
		fputs("Ctrl-] ends it\r\n", stderr);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	rc = serve(c);
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
		fputc('\n', stderr);
	}
	return rc;
}

static int
finish(const struct console *c, int rc)
{
	if (c->has_ended)
		return c->code;
	if (rc == -ECANCELED)
		return EXIT_DONE;
	return cli_fail(rc == -EPIPE ? EXIT_OTHER : EXIT_UNREACHABLE,
	    "the console broke off: %s", strerror(-rc));
}

static int
open_console(struct cli *c, const char *path, struct http_answer *a)
{
	char key[WEBSOCKET_KEY], wanted[WEBSOCKET_ACCEPT], header[64];
	struct http_request rq = { .method = "GET",
		.path = path,
		.headers = { "Connection: Upgrade", "Upgrade: websocket",
		    "Sec-WebSocket-Version: 13", header } };
	struct err e;
	int rc = websocket_key(key);

	if (rc < 0)
		return cli_fail(EXIT_OTHER, "no random bytes");
	snprintf(header, sizeof(header), "Sec-WebSocket-Key: %s", key);
	rc = request_upgrade(c, &rq, a, &e);
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	websocket_accept(key, wanted);
	if (a->status == 101 && strcmp(a->accept, wanted) == 0)
		return EXIT_DONE;
	if (a->status == 101 || refusal_code(a) == EXIT_DONE)
		return cli_fail(EXIT_OTHER, "this is no WebSocket");
	refusal_print(stderr, a);
	return refusal_code(a);
}

int
run_console(struct cli *c, const struct call *call)
{
	struct console console = { .stdin_is_open = true };
	struct http_answer a = { 0 };
	struct err e;
	scoped_free char *path = request_path(call, &e);
	int rc = path ? open_console(c, path, &a) : EXIT_OTHER;

	if (rc == EXIT_DONE) {
		console.http = c->http;
		console.n_in = a.n_body;
		console.in = malloc(MAX_PENDING);
		if (!console.in)
			rc = cli_fail(EXIT_OTHER, "no memory");
		else
			memcpy(console.in, a.body, a.n_body);
	}
	if (rc == EXIT_DONE)
		rc = finish(&console, run_on_terminal(&console));
	free(console.in);
	http_answer_free(&a);
	return rc;
}
