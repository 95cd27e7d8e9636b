/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_body: the body of a request, which is JSON, a program, or a stream of
 * lines, as its operation and its media type say.
 *
 * A stream is checked line by line while it arrives and waits in a file without
 * a name, so that no client fills our memory; it has no fixed time, but a rate
 * that it must keep, and only a few whole tables come at once: until the last
 * byte, not until the answer, which depends on a router. A change of routes is
 * short, and does not wait for those. A body that is too large is read on for a
 * while and dropped, so that the client hears why.
 */
#include "api/server_int.h"

#include "api/json_read.h"
#include "api/route_lines.h"
#include "lib/base.h"
#include "lib/loop.h"

#include <microhttpd.h>

static bool
is_stream(const struct api_request *r)
{
	return r->match.status == 200 &&
	       (headers_say_lines(r) || r->match.op == API_ROUTES_PATCH);
}

static size_t
limit_of(const struct api_request *r)
{
	if (is_stream(r) && r->match.op != API_ROUTES_PATCH)
		return SERVER_LINES_BYTES;
	if (r->match.status == 200 &&
	    (r->match.flags & ROUTE_LUA || r->match.op == API_ROUTES_PATCH))
		return SERVER_TEXT_BYTES;
	if (r->match.status == 200 && r->match.flags & ROUTE_BYTES)
		return SERVER_FILE_BYTES;
	return SERVER_BODY_BYTES;
}

bool
body_is_too_large(const struct api_request *r, struct problem *p)
{
	if (r->n_seen <= r->limit)
		return false;
	problem_set(p, 413, "too-large", "send less",
	    "the body has more than %zu bytes", r->limit);
	return true;
}

static const char *
header_of(const struct api_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, name);
}

/*
 * Announced, and refused before it is sent: the client waits for us, or has more
 * than we would read for nothing. Any other one still writes when we close, and
 * would lose the answer.
 */
static bool
is_refused_unsent(const struct api_request *r)
{
	const char *s = header_of(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long n = s ? strtoull(s, NULL, 10) : 0;

	return n > r->limit && (n - r->limit > SERVER_DRAIN_BYTES ||
				   r->limit == SERVER_LINES_BYTES ||
				   header_of(r, MHD_HTTP_HEADER_EXPECT));
}

/* One of the few places for long bodies; false: there is none. */
static bool
take_place(struct api_request *r)
{
	struct api_server *s = r->server;

	pthread_mutex_lock(&s->lock);
	r->has_place = s->n_streams < SERVER_STREAMS;
	s->n_streams += r->has_place;
	pthread_mutex_unlock(&s->lock);
	return r->has_place;
}

static void
give_place(struct api_request *r)
{
	struct api_server *s = r->server;

	pthread_mutex_lock(&s->lock);
	s->n_streams -= r->has_place;
	r->has_place = false;
	pthread_mutex_unlock(&s->lock);
}

static int
place_begin(struct api_request *r, struct problem *p)
{
	if (take_place(r))
		return 0;
	return problem_set(p, 503, "busy", "try again in a second",
	    "%d long bodies arrive already", SERVER_STREAMS);
}

static int
stream_begin(struct api_request *r, struct problem *p)
{
	bool is_change = r->match.op == API_ROUTES_PATCH;
	int rc;

	if (!is_change && place_begin(r, p) < 0)
		return -EBUSY;
	rc = route_lines_new(r->server->spool_dir, is_change, &r->lines);
	if (rc == 0)
		return 0;
	give_place(r);
	if (rc == -ENOSPC)
		return problem_set(p, 507, "disk-full",
		    "free space in the state folder, then try again", "%s: %s",
		    r->server->spool_dir, strerror(-rc));
	return problem_set(p, 503, "state-unwritable",
	    "make the state folder writable, then try again", "%s: %s",
	    r->server->spool_dir, strerror(-rc));
}

bool
body_begin(struct api_request *r)
{
	struct problem p;

	problem_init(&p);
	r->limit = limit_of(r);
	if (is_refused_unsent(r)) {
		r->n_seen = r->limit + 1;
		body_is_too_large(r, &p);
		reply_now(r, &p);
		return false;
	}
	if (is_stream(r) && headers_media_fits(r, &p))
		stream_begin(r, &p);
	else if (r->match.status == 200 && r->match.flags & ROUTE_BYTES)
		place_begin(r, &p);
	if (p.status == 0)
		return true;
	reply_now(r, &p);
	return false;
}

/* Late at once if the stream is slower than it must be; else later. */
static bool
keeps_its_rate(struct api_request *r)
{
	uint64_t until = r->began_ms + SERVER_REQUEST_MS +
			 (uint64_t)r->n_seen * 1000 / SERVER_LINES_RATE;
	uint64_t now = loop_now_ms();

	if (now >= until)
		return false;
	conn_set_deadline(r->conn, (unsigned)(until - now));
	return true;
}

bool
body_take(struct api_request *r, const char *bytes, size_t n)
{
	char *body;

	r->n_seen += n;
	if (r->n_seen > r->limit) /* told when all is read */
		return r->n_seen <= r->limit + SERVER_DRAIN_BYTES;
	if (r->lines) {
		route_lines_take(r->lines, bytes, n);
		return keeps_its_rate(r);
	}
	body = realloc(r->body, r->n_body + n);
	if (!body)
		return false;
	memcpy(body + r->n_body, bytes, n);
	r->body = body;
	r->n_body += n;
	return true;
}

/* What curl -d makes of a program that begins with a comment. */
static bool
is_one_comment(const struct api_request *r)
{
	return r->n_body > 2 && memcmp(r->body, "--", 2) == 0 &&
	       r->body[2] != '[' && !memchr(r->body, '\n', r->n_body);
}

/* What can stand in JSON, and in a file that others read. */
static int
check_text(const struct api_request *r, struct problem *p)
{
	json_t *s;

	if (r->n_body == 0)
		return problem_set(p, 400, "no-body",
		    "send the program, with curl by --data-binary @FILE",
		    "the operation needs a body");
	s = json_stringn(r->body, r->n_body);
	if (!s || memchr(r->body, '\0', r->n_body)) {
		json_decref(s);
		return problem_add(
		    p, "", "is not text: want UTF-8 without zero bytes");
	}
	json_decref(s);
	if (is_one_comment(r))
		return problem_add(p, "",
		    "is one line, a comment; with curl send it by "
		    "--data-binary @FILE, for -d joins the lines");
	return 0;
}

int
body_finish(struct api_request *r, struct problem *p)
{
	unsigned wanted = ROUTE_BODY | ROUTE_LUA | ROUTE_BYTES;

	if (!(r->match.flags & wanted))
		return 0;
	if (r->n_seen == 0 && r->match.flags & ROUTE_EMPTY)
		return 0;
	if (!headers_media_fits(r, p))
		return -EINVAL;
	if (r->lines) {
		int rc = route_lines_end(r->lines, p);

		give_place(r);
		return rc;
	}
	if (r->match.flags & ROUTE_BYTES)
		return 0;
	if (r->match.flags & ROUTE_LUA)
		return check_text(r, p);
	if (r->n_body == 0)
		return problem_set(p, 400, "no-body", "send a JSON object",
		    "the operation needs a body");
	r->json = json_read(r->body, r->n_body, p);
	if (!r->json && r->match.flags & ROUTE_LINES)
		snprintf(p->remedy, sizeof(p->remedy),
		    "send one JSON object, or lines with Content-Type: "
		    "application/x-ndjson");
	return r->json ? 0 : -EINVAL;
}

void
body_free(struct api_request *r)
{
	free(r->body);
	route_lines_free(r->lines);
	give_place(r);
}
