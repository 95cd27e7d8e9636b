/* SPDX-License-Identifier: Apache-2.0 */
/* routepush: see routepush.h. One piece at a time, each answered before the next. */
#include "agent/routepush.h"

#include "lib/base.h"

enum { PIECE_BYTES = 60 << 10, LEAST_BYTES = 1 << 10, STEP_MS = 10000 };

struct routepush {
	struct routepush_config c;
	enum { BEGIN, TABLE, END, CHANGES } phase;
	size_t at;    /* of the file */
	size_t lines; /* of the client, given so far */
	size_t n;     /* bytes of the piece on its way */
	size_t skip;  /* bytes behind it that are left out */
	size_t room;  /* bytes of the next piece, at most */
	size_t n_left_out;
	char piece[PIECE_BYTES];
};

static void step(struct routepush *p);

static void
end(struct routepush *p, int rc, const json_t *json, size_t line)
{
	const struct routepush_result result = {
		.rc = rc,
		.json = json,
		.line = line,
		.n_left_out = p->n_left_out,
	};

	/* a table that was begun is forgotten with its stream */
	if (rc < 0 && rc != -ECANCELED)
		ctlclient_hang_up(p->c.client, rc);
	p->c.done(p->c.arg, &result);
	base_close(p->c.fd);
	free(p);
}

static size_t
count_lines(const char *text, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Where line number k of the piece begins, or its end. */
static size_t
begin_of(const struct routepush *p, size_t k)
{
	size_t at = 0;

	while (--k > 0 && at < p->n) {
		const char *eol = memchr(p->piece + at, '\n', p->n - at);

		at = eol ? (size_t)(eol + 1 - p->piece) : p->n;
	}
	return at;
}

static void heard(void *arg, int rc, const json_t *json);

static void
ask(struct routepush *p, const char *words)
{
	const struct ctlclient_question q = {
		.words = words,
		.body = p->piece,
		.n = p->n,
		.timeout_ms = STEP_MS,
		.done = heard,
		.arg = p,
	};
	int rc = ctlclient_ask(p->c.client, &q);

	if (rc < 0)
		end(p, rc, NULL, 0);
}

/* The next whole lines up to limit; 0: there are none. Negative errno. */
static int
read_piece(struct routepush *p, size_t limit)
{
	size_t n = MIN(limit - p->at, p->room);
	ssize_t k;

	p->n = 0;
	p->skip = 0;
	if (n == 0)
		return 0;
	k = pread(p->c.fd, p->piece, n, (off_t)p->at);
	if (k < 0)
		return -errno;
	while (k > 0 && p->piece[k - 1] != '\n')
		k--;
	p->n = (size_t)k;
	return k == 0 ? -EBADMSG : 0;
}

/*
 * A line is left out: those before it are given, then those behind it. Where one
 * is there may be a million, and each costs the piece that it is in: the next
 * ones are short, until some are taken.
 */
static void
leave_out(struct routepush *p, size_t line)
{
	size_t begin = begin_of(p, line), next = begin_of(p, line + 1);

	p->n_left_out++;
	p->room = LEAST_BYTES;
	p->skip = next - begin;
	p->n = begin;
	step(p);
}

static size_t
refused_line(const struct routepush *p, const json_t *json)
{
	json_int_t line = json_integer_value(json_object_get(json, "line"));

	if (line < 1 || (size_t)line > count_lines(p->piece, p->n))
		return 0;
	return (size_t)line;
}

static void
heard(void *arg, int rc, const json_t *json)
{
	struct routepush *p = arg;
	size_t line = rc == -EREMOTEIO ? refused_line(p, json) : 0;

	if (line > 0 && !p->c.strict) {
		leave_out(p, line);
		return;
	}
	if (rc < 0 || (p->phase == END && p->c.from >= p->c.end)) {
		end(p, rc, json, line > 0 ? p->lines + line : 0);
		return;
	}
	if (p->phase == BEGIN) {
		p->phase = TABLE;
	} else if (p->phase == END) {
		p->phase = CHANGES;
		p->at = p->c.from;
	} else {
		p->lines += count_lines(p->piece, p->n);
		p->at += p->n + p->skip;
		p->room = MIN(2 * p->room, sizeof(p->piece));
	}
	p->n = p->skip = 0;
	step(p);
}

static void
step(struct routepush *p)
{
	size_t limit = p->phase == CHANGES ? p->c.end : p->c.table;
	int rc = 0;

	/* what was left of a piece whose line was left out goes first */
	while (rc == 0 && p->n == 0) {
		p->at += p->skip;
		rc = read_piece(p, limit);
		if (p->n == 0)
			break;
	}
	if (rc < 0)
		end(p, rc, NULL, 0);
	else if (p->n > 0)
		ask(p,
		    p->phase == TABLE ? "replace routes add" : "change routes");
	else if (p->phase == TABLE) {
		p->phase = END;
		ask(p, "replace routes end");
	} else {
		end(p, 0, NULL, 0);
	}
}

int
routepush_new(const struct routepush_config *c)
{
	struct routepush *p = calloc(1, sizeof(*p));
	const struct ctlclient_question q = {
		.words = "replace routes begin",
		.timeout_ms = STEP_MS,
		.done = heard,
		.arg = p,
	};
	int rc = -ENOMEM;

	if (p) {
		p->c = *c;
		p->room = sizeof(p->piece);
		rc = ctlclient_ask(c->client, &q);
	}
	if (rc < 0) {
		free(p);
		base_close(c->fd);
	}
	return rc;
}
