/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_files: files in a router's writable disk, GET and PUT .../files?path=.
 *
 * A process of init's own program, inside the container, reads or writes the file
 * (container-templates/init_file.c): what a path means is the container's affair,
 * and nothing that it leads to is the node's. An answer begins when there is
 * something to say, so that a file that cannot be read is a problem and no empty
 * file. A new content is there as a whole, or not at all.
 */
#include "agent/ops.h"

#include "agent/session.h"
#include "agent/stream.h"
#include "agent/visit.h"
#include "lib/base.h"

#include <stdio.h>
#include <sys/wait.h>

enum { ANSWER_MS = 10000, READ_S = 60 };

struct transfer {
	struct visit visit;
	struct api_request *rq; /* until it is answered */
	struct session *session;
	struct stream *stream; /* of a GET */
	struct loop_source *timer;
	bool is_put;
};

static void
transfer_free(struct transfer *x)
{
	visit_leave(&x->visit);
	session_free(x->session);
	loop_del(x->timer);
	free(x);
}

/* --- what went wrong ------------------------------------------------------ */

static void
set_problem(struct problem *p, const char *path, int no)
{
	switch (no) {
	case ENOENT:
		problem_set(p, 404, "not-found",
		    "name a file, below a folder that is there",
		    "there is no %s", path);
		break;
	case ENOSPC:
	case EDQUOT:
		problem_set(p, 409, "quota-exceeded",
		    "delete files, or PATCH a larger disk_bytes",
		    "the disk of the router is full");
		break;
	case EFBIG:
		problem_set(p, 422, "too-large", "cut it in the container",
		    "%s has more than 16 MiB", path);
		break;
	default:
		/* a folder, a device, a FIFO, /proc, read-only, ... */
		problem_set(p, 422, "not-a-file",
		    "name a regular file in /var, /run or /tmp", "%s: %s", path,
		    no == EMEDIUMTYPE ? "not a regular file of a writable disk"
				      : strerror(no));
		break;
	}
}

static void
refuse(struct transfer *x, struct problem *p)
{
	op_problem(x->rq, p);
	transfer_free(x);
}

static void
give_up(struct transfer *x, int status, const char *code, const char *detail)
{
	struct problem p;

	if (x->stream) {
		stream_end(x->stream, false);
		transfer_free(x);
		return;
	}
	problem_init(&p);
	problem_set(&p, status, code,
	    "try again; a container that an older europad started has to be "
	    "restarted first",
	    "router %s: %s", x->visit.router->spec.name, detail);
	refuse(x, &p);
}

/* --- what the session says ------------------------------------------------ */

static void
client_left(void *arg)
{
	struct transfer *x = arg;

	stream_end(x->stream, false);
	transfer_free(x);
}

static void
room_again(void *arg)
{
	struct transfer *x = arg;

	session_pause(x->session, false);
}

/* false: x is gone */
static bool
begin_answer(struct transfer *x)
{
	const struct stream_hooks hooks = {
		.on_room = room_again,
		.on_gone = client_left,
		.arg = x,
	};

	if (x->stream)
		return true;
	x->stream = stream_new(x->visit.router->node->loop, x->rq,
	    "application/octet-stream", &hooks);
	if (!x->stream) {
		transfer_free(x);
		return false;
	}
	loop_arm(x->timer, (uint64_t)READ_S * 1000);
	return true;
}

static void
started(void *arg)
{
	(void)arg; /* whether it has the file is still to be seen */
}

static void
output(void *arg, enum piece_type type, const uint8_t *bytes, size_t n)
{
	struct transfer *x = arg;

	if (x->is_put || type != PIECE_OUT) {
		give_up(x, 504, "no-answer", "its init answers nonsense");
		return;
	}
	if (!begin_answer(x))
		return;
	if (stream_put(x->stream, bytes, n) < 0) {
		client_left(x);
	} else if (stream_room(x->stream) < PIECE_MAX) {
		session_pause(x->session, true);
		stream_want_room(x->stream, PIECE_MAX);
	}
}

static void
ended(void *arg, int status)
{
	struct transfer *x = arg;
	struct problem p;

	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && x->stream)) {
		give_up(x, 504, "no-answer", "it was killed in the container");
		return;
	}
	if (WEXITSTATUS(status) != 0) {
		problem_init(&p);
		set_problem(&p, api_query(x->rq, "path"), WEXITSTATUS(status));
		refuse(x, &p);
		return;
	}
	if (x->is_put) {
		api_reply(x->rq, 204, NULL, NULL, NULL);
	} else {
		if (!begin_answer(x)) /* an empty file */
			return;
		stream_end(x->stream, true);
	}
	transfer_free(x);
}

static void
failed(void *arg, int no)
{
	(void)no;
	give_up(arg, 503, "busy", "its init cannot start a process");
}

static void
gone(void *arg, int rc)
{
	give_up(arg, 504, "no-answer",
	    rc == -EBADMSG ? "its init answers nonsense" : "its init hung up");
}

static void
late(void *arg)
{
	give_up(arg, 504, "no-answer", "its init does not answer in time");
}

static void
visit_ends(struct visit *v)
{
	give_up(CONTAINER_OF(v, struct transfer, visit), 409, "wrong-state",
	    "it is being deleted, or the node stops");
}

/* --- the request ---------------------------------------------------------- */

static int
send_order(struct session *s, struct api_request *rq, bool is_put)
{
	const char *path = api_query(rq, "path");
	const char *verb = is_put ? "put" : "get";
	const void *bytes = NULL;
	char size[24];
	size_t n = 0;
	int rc;

	if (is_put)
		bytes = api_bytes(rq, &n);
	snprintf(size, sizeof(size), "%zu", n);
	rc = session_send(s, PIECE_ARG, verb, strlen(verb));
	if (rc == 0)
		rc = session_send(s, PIECE_ARG, path, strlen(path));
	if (rc == 0 && is_put)
		rc = session_send(s, PIECE_ARG, size, strlen(size));
	if (rc == 0)
		rc = session_send(s, PIECE_START, NULL, 0);
	if (rc == 0 && n > 0)
		rc = session_send(s, PIECE_IN, bytes, n);
	return rc < 0 ? rc : session_send(s, PIECE_EOF, NULL, 0);
}

static void
begin(struct router *r, struct api_request *rq, bool is_put)
{
	struct transfer *x = calloc(1, sizeof(*x));
	const struct session_config c = {
		.link = r->link,
		.kind = WIRE_SESSION_FILE,
		.hooks = {
			.on_started = started,
			.on_failed = failed,
			.on_output = output,
			.on_exit = ended,
			.on_gone = gone,
			.arg = x,
		},
	};
	struct problem p;
	int rc = x ? 0 : -ENOMEM;

	if (rc == 0) {
		x->rq = rq;
		x->is_put = is_put;
		visit_begin(&x->visit, r, visit_ends);
		rc = loop_add_timer(r->node->loop, late, x, &x->timer);
	}
	if (rc == 0)
		rc = session_new(r->node->loop, &c, &x->session);
	if (rc == 0)
		rc = send_order(x->session, rq, is_put);
	if (rc == 0) {
		loop_arm(x->timer, ANSWER_MS);
		return;
	}
	if (x)
		transfer_free(x);
	problem_init(&p);
	problem_set(&p, 503, "busy", "try again in a second",
	    "router %s: its init cannot be asked: %s", r->spec.name,
	    strerror(-rc));
	op_problem(rq, &p);
}

/* The router, or NULL: then rq is answered. */
static struct router *
find(struct node *n, struct api_request *rq)
{
	struct router *r = op_find_router(n, rq);
	const char *path = api_query(rq, "path");
	struct problem p;

	if (!r)
		return NULL;
	if (!path || *path != '/') {
		problem_init(&p);
		problem_set(&p, 400, "bad-query", "add ?path=/var/...",
		    "path must be the absolute path of a file in the "
		    "container");
		op_problem(rq, &p);
		return NULL;
	}
	return visit_may_enter(r, rq) ? r : NULL;
}

void
op_file_get(struct node *n, struct api_request *rq)
{
	struct router *r = find(n, rq);

	if (r)
		begin(r, rq, false);
}

void
op_file_put(struct node *n, struct api_request *rq)
{
	struct router *r = find(n, rq);

	if (!r)
		return;
	if (api_dry_run(rq))
		api_reply(rq, 204, NULL, NULL, NULL);
	else
		begin(r, rq, true);
}
