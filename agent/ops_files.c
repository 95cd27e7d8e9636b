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

#include "agent/errand.h"
#include "agent/stream.h"
#include "lib/base.h"

#include <stdio.h>
#include <sys/wait.h>

enum { READ_S = 60 };

struct transfer {
	struct errand errand;
	struct stream *stream; /* of a GET */
	bool is_put;
};

static void
transfer_free(struct transfer *x)
{
	errand_leave(&x->errand);
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
give_up(struct transfer *x, int status, const char *code, const char *detail)
{
	if (x->stream)
		stream_end(x->stream, false);
	else
		errand_refuse(&x->errand, status, code,
		    "try again; a container that an older europad started has "
		    "to be restarted first",
		    detail);
	transfer_free(x);
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

	session_pause(x->errand.session, false);
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
	x->stream = stream_new(x->errand.visit.router->node->loop, x->errand.rq,
	    "application/octet-stream", &hooks);
	if (!x->stream) {
		transfer_free(x);
		return false;
	}
	loop_arm(x->errand.timer, (uint64_t)READ_S * 1000);
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
		session_pause(x->errand.session, true);
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
		set_problem(
		    &p, api_query(x->errand.rq, "path"), WEXITSTATUS(status));
		op_problem(x->errand.rq, &p);
		transfer_free(x);
		return;
	}
	if (x->is_put) {
		api_reply(x->errand.rq, 204, NULL, NULL, NULL);
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
	give_up(CONTAINER_OF(v, struct transfer, errand.visit), 409,
	    "wrong-state", "it is being deleted, or the node stops");
}

/* --- the request ---------------------------------------------------------- */

static int
send_order(struct errand *x, struct api_request *rq, bool is_put)
{
	const void *bytes = NULL;
	char size[24];
	size_t n = 0;
	int rc;

	if (is_put)
		bytes = api_bytes(rq, &n);
	snprintf(size, sizeof(size), "%zu", n);
	rc = errand_word(x, is_put ? "put" : "get");
	if (rc == 0)
		rc = errand_word(x, api_query(rq, "path"));
	if (rc == 0 && is_put)
		rc = errand_word(x, size);
	if (rc == 0)
		rc = session_send(x->session, PIECE_START, NULL, 0);
	if (rc == 0 && n > 0)
		rc = session_send(x->session, PIECE_IN, bytes, n);
	return rc < 0 ? rc : session_send(x->session, PIECE_EOF, NULL, 0);
}

static void
begin(struct router *r, struct api_request *rq, bool is_put)
{
	static const struct errand_plan plan = {
		.session.kind = WIRE_SESSION_FILE,
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
	struct transfer *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x) {
		x->is_put = is_put;
		rc = errand_begin(&x->errand, r, rq, &plan, x);
	}
	if (rc == 0)
		rc = send_order(&x->errand, rq, is_put);
	if (rc == 0)
		return;
	if (x)
		transfer_free(x);
	errand_cannot(r, rq, rc);
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
