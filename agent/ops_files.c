/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_files: files in a router's writable disk, GET and PUT .../files?path=.
 *
 * A process of init's own program, inside the container, reads or writes the file
 * (container-templates/init_file.c): what a path means is the container's affair,
 * and nothing that it leads to is the node's. An answer begins when there is
 * something to say, so that a file that cannot be read is a problem and no empty
 * file. A new content is there as a whole, or not at all.
 *
 * A content has an ETag, the tag that init says before it. It is init that
 * compares it with If-Match, in front of the rename: europad cannot know what the
 * tenant does beside it. An init of an older Europa has no tags, and is asked
 * again in its own words.
 */
#include "agent/ops.h"

#include "agent/errand.h"
#include "agent/stream.h"
#include "lib/base.h"

#include <stdio.h>
#include <sys/wait.h>

enum { READ_S = 60, TAG_BYTES = 64 };

struct transfer {
	struct errand errand;
	struct stream *stream; /* of a GET */
	bool is_put;
	bool is_plain; /* its init knows no tags */
	bool has_tag;  /* the whole line has come */
	size_t n_tag;
	char tag[TAG_BYTES];
};

static int start(struct transfer *x, struct router *r, struct api_request *rq);

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
	    "application/octet-stream", x->has_tag ? x->tag : NULL, &hooks);
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

/* Takes what belongs to the tag from bytes; false: that is none. */
static bool
take_tag(struct transfer *x, const uint8_t **bytes, size_t *n)
{
	while (!x->has_tag && *n > 0) {
		char c = (char)*(*bytes)++;

		--*n;
		if (c == '\n')
			x->has_tag = true;
		else if (c != '\0' && strchr("0123456789abcdef-", c) &&
			 x->n_tag + 1 < sizeof(x->tag))
			x->tag[x->n_tag++] = c;
		else
			return false;
	}
	return true;
}

static void
output(void *arg, enum piece_type type, const uint8_t *bytes, size_t n)
{
	struct transfer *x = arg;

	if (type != PIECE_OUT || (!x->is_plain && !take_tag(x, &bytes, &n)) ||
	    (x->is_put && n > 0)) {
		give_up(x, 504, "no-answer", "its init answers nonsense");
		return;
	}
	if (n == 0 || !begin_answer(x))
		return;
	if (stream_put(x->stream, bytes, n) < 0) {
		client_left(x);
	} else if (stream_room(x->stream) < PIECE_MAX) {
		session_pause(x->errand.session, true);
		stream_want_room(x->stream, PIECE_MAX);
	}
}

/* It is asked in the words of an older init, unless a tag is needed. */
static void
again_plainly(struct transfer *x)
{
	struct router *r = x->errand.visit.router;
	struct api_request *rq = x->errand.rq;
	int rc;

	if (api_if_match(rq)) {
		give_up(x, 504, "no-answer", "its init knows no ETags");
		return;
	}
	errand_leave(&x->errand);
	memset(&x->errand, 0, sizeof(x->errand));
	x->is_plain = true;
	rc = start(x, r, rq);
	if (rc == 0)
		return;
	transfer_free(x);
	errand_cannot(r, rq, rc);
}

/* Another content is there than the one that was to be replaced. */
static void
refuse_stale(struct transfer *x)
{
	if (!x->has_tag || op_etag_holds(x->errand.rq, x->tag, NULL))
		give_up(x, 504, "no-answer", "its init answers nonsense");
	else
		transfer_free(x);
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
	if (WEXITSTATUS(status) == EINVAL && !x->is_plain && x->n_tag == 0) {
		again_plainly(x);
		return;
	}
	if (WEXITSTATUS(status) == ESTALE && x->is_put) {
		refuse_stale(x);
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
		api_reply(
		    x->errand.rq, 204, NULL, x->has_tag ? x->tag : NULL, NULL);
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

/* What is to be there for a PUT, as init reads it. A tag is shorter than that. */
static void
wanted(const struct api_request *rq, char word[2 * TAG_BYTES])
{
	const char *tag = api_if_match(rq);

	if (!tag || strcmp(tag, "*") == 0)
		snprintf(word, 2 * TAG_BYTES, "%s", tag ? tag : "any");
	else
		snprintf(word, 2 * TAG_BYTES, "=%s", tag);
}

static int
send_words(struct transfer *x, const struct api_request *rq, size_t n_bytes)
{
	static const char *const verb[2][2] = { { "read", "get" },
		{ "write", "put" } };
	struct errand *e = &x->errand;
	char size[24], want[2 * TAG_BYTES];
	int rc;

	rc = errand_word(e, verb[x->is_put][x->is_plain]);
	if (rc == 0)
		rc = errand_word(e, api_query(rq, "path"));
	if (rc < 0 || !x->is_put)
		return rc;
	snprintf(size, sizeof(size), "%zu", n_bytes);
	rc = errand_word(e, size);
	if (rc < 0 || x->is_plain)
		return rc;
	wanted(rq, want);
	rc = errand_word(e, want);
	return rc == 0 && api_dry_run(rq) ? errand_word(e, "dry") : rc;
}

static int
send_order(struct transfer *x, struct api_request *rq)
{
	struct session *s = x->errand.session;
	const void *bytes = NULL;
	size_t n = 0;
	int rc;

	if (x->is_put)
		bytes = api_bytes(rq, &n);
	rc = send_words(x, rq, n);
	if (rc == 0)
		rc = session_send(s, PIECE_START, NULL, 0);
	if (rc == 0 && n > 0)
		rc = session_send(s, PIECE_IN, bytes, n);
	return rc < 0 ? rc : session_send(s, PIECE_EOF, NULL, 0);
}

static int
start(struct transfer *x, struct router *r, struct api_request *rq)
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
	int rc = errand_begin(&x->errand, r, rq, &plan, x);

	return rc < 0 ? rc : send_order(x, rq);
}

static void
begin(struct router *r, struct api_request *rq, bool is_put)
{
	struct transfer *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x) {
		x->is_put = is_put;
		rc = start(x, r, rq);
	}
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
	if (api_dry_run(rq) && !api_if_match(rq))
		api_reply(rq, 204, NULL, NULL, NULL);
	else
		begin(r, rq, true);
}
