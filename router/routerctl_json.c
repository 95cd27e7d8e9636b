/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerctl_json: a strict reader of RFC 8259, of bounded depth. All nodes lie in
 * a row; each knows where those behind it and its children begin.
 */
#include "router/routerctl.h"

#include "lib/base.h"

enum { MAX_DEPTH = 8, FIRST_NODES = 256 };

struct reader {
	struct json *j;
	char *at;
	unsigned depth;
};

static int read_value(struct reader *r, const char *key);

static void
skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

/* The number of a new node, or -ENOMEM. */
static int
add(struct reader *r, enum json_type type, const char *key)
{
	struct json *j = r->j;

	if (j->n == j->max) {
		unsigned max = j->max ? j->max * 2 : FIRST_NODES;
		void *p = reallocarray(j->node, max, sizeof(*j->node));

		if (!p)
			return -ENOMEM;
		j->node = p;
		j->max = max;
	}
	j->node[j->n] = (struct json_node){
		.type = type, .key = key, .text = "", .end = j->n + 1
	};
	return (int)j->n++;
}

/* Four digits of \u; -1: they are none. */
static int
read_hex(const char *s)
{
	int v = 0;

	for (unsigned i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef";
		const char *d = s[i] ? strchr(digits, s[i] | 32) : NULL;

		if (!d)
			return -1;
		v = v * 16 + (int)(d - digits);
	}
	return v;
}

static char *
put_utf8(char *to, unsigned v)
{
	if (v < 0x80) {
		*to++ = (char)v;
	} else if (v < 0x800) {
		*to++ = (char)(0xc0 | v >> 6);
		*to++ = (char)(0x80 | (v & 0x3f));
	} else {
		*to++ = (char)(0xe0 | v >> 12);
		*to++ = (char)(0x80 | (v >> 6 & 0x3f));
		*to++ = (char)(0x80 | (v & 0x3f));
	}
	return to;
}

/* What follows a backslash; NULL: nothing sensible. */
static char *
read_escape(struct reader *r, char *to)
{
	static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
	const char *e = *r->at ? strchr(from, *r->at) : NULL;
	int v;

	if (e) {
		r->at++;
		*to = is[e - from];
		return to + 1;
	}
	if (*r->at != 'u')
		return NULL;
	v = read_hex(r->at + 1);
	if (v <= 0) /* a zero would end the text */
		return NULL;
	r->at += 5;
	return put_utf8(to, (unsigned)v);
}

/* A string in its own place, which is never shorter. NULL: it is none. */
static char *
read_string(struct reader *r)
{
	char *start, *to;

	if (*r->at != '"')
		return NULL;
	start = to = ++r->at;
	while (*r->at != '"') {
		if ((unsigned char)*r->at < ' ')
			return NULL;
		if (*r->at != '\\') {
			*to++ = *r->at++;
			continue;
		}
		r->at++;
		to = read_escape(r, to);
		if (!to)
			return NULL;
	}
	r->at++;
	*to = '\0';
	return start;
}

static int
read_members(struct reader *r, bool named, char end)
{
	r->at++;
	skip_blanks(r);
	if (*r->at == end) {
		r->at++;
		return 0;
	}
	for (;;) {
		const char *key = NULL;
		int rc;

		skip_blanks(r);
		if (named) {
			key = read_string(r);
			skip_blanks(r);
			if (!key || *r->at++ != ':')
				return -EBADMSG;
		}
		rc = read_value(r, key);
		if (rc < 0)
			return rc;
		skip_blanks(r);
		if (*r->at == end) {
			r->at++;
			return 0;
		}
		if (*r->at++ != ',')
			return -EBADMSG;
	}
}

static int
read_many(struct reader *r, const char *key)
{
	bool named = *r->at == '{';
	int i = add(r, named ? JSON_OBJECT : JSON_ARRAY, key), rc;

	if (i < 0)
		return i;
	if (++r->depth > MAX_DEPTH)
		return -EBADMSG;
	rc = read_members(r, named, named ? '}' : ']');
	r->depth--;
	r->j->node[i].end = r->j->n;
	return rc;
}

/* A word or a number; what follows it has been looked at, so it may be ended. */
static int
read_word(struct reader *r, const char *key)
{
	size_t n = strcspn(r->at, ",]} \t\r\n");
	char *start = r->at, after = start[n];
	enum json_type type = JSON_NUMBER;
	int i;

	if (n == 4 && memcmp(start, "null", 4) == 0)
		type = JSON_NULL;
	else if ((n == 4 && memcmp(start, "true", 4) == 0) ||
		 (n == 5 && memcmp(start, "false", 5) == 0))
		type = JSON_BOOL;
	else if (n == 0 || strspn(start, "+-.0123456789eE") < n)
		return -EBADMSG;
	i = add(r, type, key);
	if (i < 0)
		return i;
	/* moved one to the left, over the ':' or '[' or ',' before it */
	memmove(start - 1, start, n);
	start[n - 1] = '\0';
	start[n] = after;
	r->j->node[i].text = type == JSON_NULL ? "" : start - 1;
	r->at += n;
	return 0;
}

static int
read_value(struct reader *r, const char *key)
{
	const char *text;
	int i;

	skip_blanks(r);
	if (*r->at == '{' || *r->at == '[')
		return read_many(r, key);
	if (*r->at != '"')
		return read_word(r, key);
	text = read_string(r);
	if (!text)
		return -EBADMSG;
	i = add(r, JSON_STRING, key);
	if (i < 0)
		return i;
	r->j->node[i].text = text;
	return 0;
}

int
json_read(struct json *j, char *text)
{
	struct reader r = { .j = j, .at = text };
	int rc;

	*j = (struct json){ .node = NULL };
	skip_blanks(&r);
	if (*r.at != '{')
		return -EBADMSG;
	rc = read_value(&r, NULL);
	skip_blanks(&r);
	return rc == 0 && *r.at != '\0' ? -EBADMSG : rc;
}

void
json_free(struct json *j)
{
	free(j->node);
	*j = (struct json){ .node = NULL };
}

const struct json_node *
json_first(const struct json *j, const struct json_node *o)
{
	unsigned i = (unsigned)(o - j->node) + 1;

	return i < o->end ? &j->node[i] : NULL;
}

const struct json_node *
json_next(
    const struct json *j, const struct json_node *o, const struct json_node *c)
{
	return c->end < o->end ? &j->node[c->end] : NULL;
}

const struct json_node *
json_get(const struct json *j, const struct json_node *o, const char *key)
{
	if (o->type != JSON_OBJECT)
		return NULL;
	for (const struct json_node *c = json_first(j, o); c;
	     c = json_next(j, o, c))
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

const char *
json_text(const struct json *j, const struct json_node *o, const char *key,
    const char *otherwise)
{
	const struct json_node *c = json_get(j, o, key);

	return c && c->text[0] ? c->text : otherwise;
}
