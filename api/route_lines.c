/* SPDX-License-Identifier: Apache-2.0 */
/* route_lines: see route_lines.h. Blank lines are passed over. */
#include "api/route_lines.h"

#include "api/json_read.h"
#include "api/model_int.h"
#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>

enum { OUT_BYTES = 64 << 10, SYNC_BYTES = 8 << 20 };

struct route_lines {
	int fd;
	bool may_delete;
	bool stopped; /* nothing of what comes is looked at any more */
	struct problem p;
	size_t n_lines; /* of the client, blank ones too */
	size_t n_good;
	size_t n_bytes, n_synced; /* of the file */
	size_t n_line, n_out;
	char line[ROUTE_LINES_LINE];
	char out[OUT_BYTES];
};

int
route_lines_new(const char *dir, bool may_delete, struct route_lines **out)
{
	struct route_lines *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->may_delete = may_delete;
	l->fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (l->fd < 0) {
		int no = -errno;

		free(l);
		return no;
	}
	*out = l;
	return 0;
}

void
route_lines_free(struct route_lines *l)
{
	if (!l)
		return;
	problem_clear(&l->p);
	base_close(l->fd);
	free(l);
}

int
route_lines_fd(const struct route_lines *l)
{
	return l->fd;
}

size_t
route_lines_count(const struct route_lines *l)
{
	return l->n_good;
}

size_t
route_lines_bytes(const struct route_lines *l)
{
	return l->n_bytes;
}

/* The file cannot be written. */
static void
fail(struct route_lines *l, int no)
{
	l->stopped = true;
	if (no == ENOSPC || no == EDQUOT)
		problem_set(&l->p, 507, "disk-full",
		    "free space in the state folder, then try again",
		    "the routes do not fit on the disk");
	else
		problem_set(&l->p, 503, "state-unwritable",
		    "make the state folder writable, then try again",
		    "the routes cannot be written: %s", strerror(no));
}

static void
flush(struct route_lines *l)
{
	size_t done = 0;

	while (done < l->n_out) {
		ssize_t n = write(l->fd, l->out + done, l->n_out - done);

		if (n < 0) {
			fail(l, errno);
			return;
		}
		done += (size_t)n;
	}
	l->n_bytes += l->n_out;
	l->n_out = 0;
	/* in pieces, so that the last one is short */
	if (l->n_bytes - l->n_synced < SYNC_BYTES)
		return;
	l->n_synced = l->n_bytes;
	if (fdatasync(l->fd) < 0)
		fail(l, errno);
}

static void
put(struct route_lines *l, const struct model_route *t, bool is_delete)
{
	char prefix[64], via[64] = "";
	char text[192];
	int n;

	model_prefix_text(&t->prefix, prefix, sizeof(prefix));
	if (t->via.family != 0)
		model_address_text(&t->via, via, sizeof(via));
	if (is_delete)
		n = snprintf(text, sizeof(text), "delete %s\n", prefix);
	else
		n = snprintf(text, sizeof(text), "add %s%s%s%s%s\n", prefix,
		    via[0] ? " via " : "", via, t->vnic[0] ? " dev " : "",
		    t->vnic);
	if (l->n_out + (size_t)n > sizeof(l->out))
		flush(l);
	if (l->stopped)
		return;
	memcpy(l->out + l->n_out, text, (size_t)n);
	l->n_out += (size_t)n;
	l->n_good++;
}

/* "op" of a change: false: there is another one, and p says so. */
static bool
read_op(
    const struct route_lines *l, const struct model_reader *in, bool *is_delete)
{
	const char *s;

	*is_delete = false;
	if (!l->may_delete || !json_object_get(in->obj, "op"))
		return true;
	s = model_take_string(in, "op", 16);
	*is_delete = s && strcmp(s, "delete") == 0;
	if (!s || *is_delete || strcmp(s, "add") == 0)
		return s != NULL;
	model_complain(in, "op", "is neither \"add\" nor \"delete\"");
	return false;
}

static void
read_object(struct route_lines *l, const json_t *v)
{
	/* the last two as GET returns them */
	static const char *const table[] = { "prefix", "via", "vnic", "source",
		"active", NULL };
	static const char *const change[] = { "op", "prefix", "via", "vnic",
		"source", "active", NULL };
	unsigned before = l->p.n_errors;
	struct model_route t = { 0 };
	struct model_reader in;
	char at[MODEL_AT_BYTES];
	bool is_delete;

	model_at_index(at, "", l->n_lines - 1);
	if (!model_reader_begin(
		&in, v, at, l->may_delete ? change : table, &l->p) ||
	    !read_op(l, &in, &is_delete))
		return;
	model_route_read(&t, &in, is_delete);
	if (l->p.n_errors == before && l->p.status == 0)
		put(l, &t, is_delete);
}

static void
take_line(struct route_lines *l)
{
	static const char first[] = "line 1, "; /* to the parser all are */
	struct problem p = { 0 };
	const char *why = p.detail;
	size_t n = l->n_line;
	json_t *v;

	l->n_line = 0;
	l->n_lines++;
	if (l->stopped || strspn(l->line, " \t\r") == n)
		return;
	if (l->n_good == ROUTE_LINES_MAX) {
		problem_set(&l->p, 422, "invalid", "send fewer",
		    "more than %d routes", ROUTE_LINES_MAX);
		l->stopped = true;
		return;
	}
	v = json_read(l->line, n, &p);
	if (v) {
		read_object(l, v);
		json_decref(v);
	} else {
		if (strncmp(why, first, strlen(first)) == 0)
			why += strlen(first);
		problem_set(&l->p, 400, "not-json",
		    "send one JSON object a line, each line whole; with curl "
		    "by --data-binary @FILE, for -d joins the lines",
		    "line %zu: %.300s", l->n_lines, why);
		l->stopped = true;
	}
	problem_clear(&p);
	/* nobody reads more than these */
	if (l->p.n_errors == PROBLEM_MAX_ERRORS)
		l->stopped = true;
}

void
route_lines_take(struct route_lines *l, const char *bytes, size_t n)
{
	while (n > 0 && !l->stopped) {
		const char *eol = memchr(bytes, '\n', n);
		size_t k = eol ? (size_t)(eol - bytes) : n;

		if (l->n_line + k >= sizeof(l->line)) {
			problem_set(&l->p, 400, "not-json",
			    "send one JSON object a line",
			    "line %zu has more than %d bytes", l->n_lines + 1,
			    ROUTE_LINES_LINE - 1);
			l->stopped = true;
			return;
		}
		memcpy(l->line + l->n_line, bytes, k);
		l->n_line += k;
		l->line[l->n_line] = '\0';
		if (eol)
			take_line(l);
		bytes += k + (eol != NULL);
		n -= k + (eol != NULL);
	}
}

int
route_lines_end(struct route_lines *l, struct problem *p)
{
	if (l->n_line > 0 && !l->stopped)
		take_line(l);
	if (l->p.status == 0)
		flush(l);
	if (l->p.status == 0 && fdatasync(l->fd) < 0)
		fail(l, errno);
	if (l->p.status == 0)
		return 0;
	problem_clear(p);
	*p = l->p;
	l->p = (struct problem){ 0 };
	return -EINVAL;
}
