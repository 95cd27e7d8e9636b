/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_exec: a command in a router's container, POST .../exec.
 *
 *	{"stdout": "..."}  {"stderr": "..."}	as it comes; what is not UTF-8
 *	{"stdout_base64": "..."}		is told in base64
 *	{"exit_code", "signal", "error"}	the last line
 *
 * init runs it (doc/decisions/exec-through-init.md). It is bounded in time and in
 * output, waits for a client that reads slowly, and ends with a client that goes.
 */
#include "agent/ops.h"

#include "agent/errand.h"
#include "agent/stream.h"
#include "agent/textbits.h"
#include "lib/base.h"

#include <stdio.h>
#include <sys/wait.h>

enum {
	DEFAULT_S = 60,
	MAX_S = 3600,
	MAX_OUTPUT = 16 << 20,
	/* that one piece can become: each byte as \u00XX, and the words */
	LINE_BYTES = 6 * (PIECE_MAX + TEXTBITS_TAIL) + 256,
};

struct exec {
	struct errand errand;
	struct stream *stream;
	unsigned seconds;
	size_t n_output;
	struct textbits out, err; /* characters that are not whole yet */
};

/* --- the end -------------------------------------------------------------- */

static void
exec_free(struct exec *x)
{
	errand_leave(&x->errand);
	free(x);
}

static void
refuse(struct exec *x, int status, const char *code, const char *remedy,
    const char *detail)
{
	errand_refuse(&x->errand, status, code, remedy, detail);
	exec_free(x);
}

/* Takes line. */
static int
put_line(struct exec *x, json_t *line)
{
	scoped_free char *text = json_dumps(line, JSON_COMPACT);
	int rc = -ENOMEM;

	json_decref(line);
	if (text) {
		size_t n = strlen(text);

		text[n] = '\n'; /* in place of its zero */
		rc = stream_put(x->stream, text, n + 1);
	}
	return rc;
}

static int
put_bits(struct exec *x, struct textbits *t, const char *name,
    const uint8_t *bytes, size_t n)
{
	json_t *line = textbits_line(t, name, bytes, n);

	return line ? put_line(x, line) : 0;
}

/* The last line; status of wait(2), or -1 and why. */
static void
end(struct exec *x, int status, const char *error)
{
	bool exited = status >= 0 && WIFEXITED(status);
	bool killed = status >= 0 && WIFSIGNALED(status);
	int rc = put_bits(x, &x->out, "stdout", NULL, 0);

	if (rc == 0)
		rc = put_bits(x, &x->err, "stderr", NULL, 0);
	if (rc == 0)
		rc = put_line(x,
		    json_pack("{s:o, s:o, s:s?}", "exit_code",
			exited ? json_integer(WEXITSTATUS(status))
			       : json_null(),
			"signal",
			killed ? json_integer(WTERMSIG(status)) : json_null(),
			"error", error));
	stream_end(x->stream, rc == 0);
	exec_free(x);
}

/* --- what the session says ------------------------------------------------ */

static void
client_left(void *arg)
{
	struct exec *x = arg;

	stream_end(x->stream, false);
	exec_free(x);
}

static void
room_again(void *arg)
{
	struct exec *x = arg;

	session_pause(x->errand.session, false);
}

static void
started(void *arg)
{
	struct exec *x = arg;
	const struct stream_hooks hooks = {
		.on_room = room_again,
		.on_gone = client_left,
		.arg = x,
	};

	if (x->stream)
		return; /* it says so twice */
	x->stream = stream_new(x->errand.visit.router->node->loop, x->errand.rq,
	    "application/x-ndjson", NULL, &hooks);
	x->errand.rq = NULL;
	if (!x->stream)
		exec_free(x);
	else
		loop_arm(x->errand.timer, (uint64_t)x->seconds * 1000);
}

static void
failed(void *arg, int no)
{
	struct exec *x = arg;
	char why[128];

	snprintf(
	    why, sizeof(why), "the command cannot be run: %s", strerror(no));
	if (x->stream)
		end(x, -1, why);
	else
		refuse(x, 422, "cannot-run",
		    "name a program of the container, by its path or by its "
		    "name if it is in /bin, /sbin, /usr/bin or /usr/sbin",
		    why);
}

static void
output(void *arg, enum piece_type type, const uint8_t *bytes, size_t n)
{
	struct exec *x = arg;
	bool is_out = type == PIECE_OUT;
	int rc;

	if (!x->stream) {
		refuse(x, 504, "no-answer", "try again",
		    "its init speaks before anything was started");
		return;
	}
	x->n_output += n;
	if (x->n_output > MAX_OUTPUT) {
		end(x, -1, "more than 16 MiB of output");
		return;
	}
	rc = put_bits(x, is_out ? &x->out : &x->err,
	    is_out ? "stdout" : "stderr", bytes, n);
	if (rc < 0)
		client_left(x);
	else if (stream_room(x->stream) < LINE_BYTES) {
		session_pause(x->errand.session, true);
		stream_want_room(x->stream, LINE_BYTES);
	}
}

static void
ended(void *arg, int status)
{
	struct exec *x = arg;

	if (x->stream)
		end(x, status, NULL);
	else
		refuse(x, 504, "no-answer", "try again",
		    "its init tells the end of what has not begun");
}

static void
gone(void *arg, int rc)
{
	struct exec *x = arg;

	if (x->stream)
		end(x, -1, "the container ended, or its init hung up");
	else
		refuse(x, 504, "no-answer",
		    "try again; a container that an older europad started has "
		    "to be restarted first",
		    rc == -EBADMSG ? "its init answers nonsense"
				   : "its init hung up");
}

static void
late(void *arg)
{
	struct exec *x = arg;

	if (x->stream)
		end(x, -1, "it took longer than timeout_seconds");
	else
		refuse(x, 504, "no-answer", "try again",
		    "its init does not answer in time");
}

static void
visit_ends(struct visit *v)
{
	struct exec *x = CONTAINER_OF(v, struct exec, errand.visit);

	if (x->stream)
		end(x, -1, "the router is being deleted, or the node stops");
	else
		refuse(x, 409, "wrong-state", "create a new one",
		    "it is being deleted, or the node stops");
}

/* --- the request ---------------------------------------------------------- */

static void
check_argv(const json_t *argv, struct problem *p)
{
	size_t n = json_array_size(argv), bytes = 0;

	if (n < 1 || n > PIECE_MAX_ARGS) {
		problem_add(p, "/argv", "want 1 to %d words", PIECE_MAX_ARGS);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(argv, i);
		char at[32];

		snprintf(at, sizeof(at), "/argv/%zu", i);
		if (!json_is_string(v))
			problem_add(p, at, "must be a string");
		else if (json_string_length(v) > PIECE_MAX ||
			 (i == 0 && json_string_length(v) == 0))
			problem_add(
			    p, at, "want %d to %d bytes", i == 0, PIECE_MAX);
		bytes += json_string_length(v) + 1;
	}
	if (bytes > PIECE_ARGS_BYTES)
		problem_add(p, "/argv", "has more than %d bytes in all",
		    PIECE_ARGS_BYTES);
}

/* Returns 0 and the seconds, or -EINVAL with p set. */
static int
check_body(const json_t *body, unsigned *seconds, struct problem *p)
{
	const json_t *in = json_object_get(body, "stdin");
	const json_t *s = json_object_get(body, "timeout_seconds");
	json_int_t wait = s ? json_integer_value(s) : DEFAULT_S;
	const char *key;
	json_t *unused;

	/* iteration takes no const; nothing is changed */
	json_object_foreach((json_t *)(uintptr_t)body, key, unused)
		if (strcmp(key, "argv") != 0 && strcmp(key, "stdin") != 0 &&
		    strcmp(key, "timeout_seconds") != 0)
			problem_add(p, "",
			    "\"%.40s\": unknown member; known are argv, stdin, "
			    "timeout_seconds",
			    key);
	check_argv(json_object_get(body, "argv"), p);
	if (in && !json_is_string(in))
		problem_add(p, "/stdin", "must be a string");
	if (wait < 1 || wait > MAX_S || (s && !json_is_integer(s)))
		problem_add(p, "/timeout_seconds", "want 1 to %d", MAX_S);
	*seconds = (unsigned)wait;
	return p->status ? -EINVAL : 0;
}

static int
send_command(struct session *s, const json_t *body)
{
	const json_t *argv = json_object_get(body, "argv"), *v;
	const json_t *in = json_object_get(body, "stdin");
	int rc = 0;
	size_t i;

	json_array_foreach(argv, i, v)
	{
		if (rc == 0)
			rc = session_send(s, PIECE_ARG, json_string_value(v),
			    json_string_length(v));
	}
	if (rc == 0)
		rc = session_send(s, PIECE_START, NULL, 0);
	if (rc == 0 && json_string_length(in) > 0)
		rc = session_send(
		    s, PIECE_IN, json_string_value(in), json_string_length(in));
	return rc < 0 ? rc : session_send(s, PIECE_EOF, NULL, 0);
}

static void
begin(struct router *r, struct api_request *rq, unsigned seconds)
{
	static const struct errand_plan plan = {
		.session.kind = WIRE_SESSION_EXEC,
		.session.hooks = {
			.on_started = started,
			.on_failed = failed,
			.on_output = output,
			.on_exit = ended,
			.on_gone = gone,
		},
		.on_time = late,
		.end = visit_ends,
	};
	struct exec *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x) {
		x->seconds = seconds;
		rc = errand_begin(&x->errand, r, rq, &plan, x);
	}
	if (rc == 0)
		rc = send_command(x->errand.session, api_body(rq));
	if (rc == 0)
		return;
	if (x)
		exec_free(x);
	errand_cannot(r, rq, rc);
}

void
op_exec(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	struct problem p;
	unsigned seconds;

	if (!r)
		return;
	problem_init(&p);
	if (check_body(api_body(rq), &seconds, &p) < 0) {
		op_problem(rq, &p);
		return;
	}
	if (!visit_may_enter(r, rq))
		return;
	if (api_dry_run(rq))
		api_reply(
		    rq, 200, json_pack("{s:b}", "would_run", 1), NULL, NULL);
	else
		begin(r, rq, seconds);
}
