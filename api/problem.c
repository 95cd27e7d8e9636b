/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem: gathers what is wrong with a request and writes it as RFC 9457.
 *
 * Text in here may come from the client: it is cut to fit, and bytes that a cut
 * leaves without their rest are replaced: the document is always valid UTF-8.
 */
#include "api/problem.h"

#include "lib/base.h"

#include <stdarg.h>
#include <stdio.h>

static const char more_key[] = "more_errors";

static const struct {
	const char *code;
	const char *title;
} titles[] = {
	{ "invalid", "The request can never work as it is" },
	{ "exists", "The name is taken" },
	{ "not-found", "No such object" },
	{ "wrong-state", "Not possible in the present state" },
	{ "in-use", "Something else uses it" },
	{ "start-failed", "It was made, and did not start" },
	{ "key-reused", "The key names another request" },
	{ "in-progress", "The same request is under way" },
	{ "stale", "It has changed since you read it" },
	{ "quota-exceeded", "More than the quota allows" },
	{ "pipeline-refused", "The pipeline did not pass its check" },
	{ "not-applied", "Recorded, not yet applied" },
	{ "no-answer", "The router does not answer" },
};

static const struct {
	int status;
	const char *title;
} statuses[] = {
	{ 400, "Bad request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not found" },
	{ 405, "Method not allowed" },
	{ 409, "Conflict" },
	{ 412, "Precondition failed" },
	{ 413, "Body too large" },
	{ 415, "Media type not supported" },
	{ 422, "The request can never work as it is" },
	{ 429, "Too many requests" },
	{ 503, "Not available now" },
	{ 504, "Recorded, not yet applied" },
	{ 507, "The machine is full" },
};

void
problem_init(struct problem *p)
{
	/* not the whole of it, 13 KB: each request has several */
	p->status = 0;
	p->code = NULL;
	p->detail[0] = '\0';
	p->remedy[0] = '\0';
	p->n_errors = 0;
	p->extra = NULL;
}

void
problem_clear(struct problem *p)
{
	json_decref(p->extra);
	problem_init(p);
}

int
problem_set(struct problem *p, int status, const char *code, const char *remedy,
    const char *fmt, ...)
{
	va_list ap;

	p->status = status;
	p->code = code;
	snprintf(p->remedy, sizeof(p->remedy), "%s", remedy ? remedy : "");
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void
problem_clean_text(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

/* Errors that found no room are a number beside the list. */
static unsigned
count_one_more(struct problem *p)
{
	json_int_t n = 1;

	if (!p->extra)
		p->extra = json_object();
	n += json_integer_value(json_object_get(p->extra, more_key));
	json_object_set_new(p->extra, more_key, json_integer(n));
	return (unsigned)n;
}

int
problem_add(struct problem *p, const char *pointer, const char *fmt, ...)
{
	bool is_ours = p->status == 0 || (p->code && p->n_errors > 0 &&
					     strcmp(p->code, "invalid") == 0);
	static const char remedy[] =
	    "correct the members named in errors and send the request again";
	const char *where;
	unsigned beyond = 0;
	va_list ap;

	if (p->n_errors < PROBLEM_MAX_ERRORS) {
		typeof(&p->error[0]) slot = &p->error[p->n_errors++];

		snprintf(slot->pointer, sizeof(slot->pointer), "%s", pointer);
		va_start(ap, fmt);
		vsnprintf(slot->detail, sizeof(slot->detail), fmt, ap);
		va_end(ap);
	} else {
		beyond = count_one_more(p);
	}
	if (!is_ours)
		return -EINVAL;
	where = p->error[0].pointer[0] ? p->error[0].pointer : "the whole";
	if (p->n_errors == 1)
		return problem_set(p, 422, "invalid", remedy, "%s: %s", where,
		    p->error[0].detail);
	return problem_set(p, 422, "invalid", remedy,
	    "%u errors, the first: %s: %s", p->n_errors + beyond, where,
	    p->error[0].detail);
}

/* A JSON string of s, whatever its bytes are. */
static json_t *
text(const char *s)
{
	json_t *v = json_string(s);
	char copy[512];
	size_t n;

	if (v)
		return v;
	n = MIN(strlen(s), sizeof(copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
	return json_stringn(copy, n);
}

static const char *
title_of(const struct problem *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (p->code && strcmp(p->code, titles[i].code) == 0)
			return titles[i].title;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (p->status == statuses[i].status)
			return statuses[i].title;
	return "The request was not done";
}

static json_t *
errors_json(const struct problem *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->n_errors; i++)
		json_array_append_new(
		    list, json_pack("{s:o, s:o}", "pointer",
			      text(p->error[i].pointer), "detail",
			      text(p->error[i].detail)));
	return list;
}

json_t *
problem_json(
    const struct problem *p, const char *instance, const char *request_id)
{
	const char *code = p->code ? p->code : "failed";
	json_t *doc = json_object();
	char type[96];

	snprintf(type, sizeof(type), "urn:europa:problem:%s", code);
	json_object_set_new(doc, "type", text(type));
	json_object_set_new(doc, "title", text(title_of(p)));
	json_object_set_new(doc, "status", json_integer(p->status));
	json_object_set_new(doc, "detail", text(p->detail));
	if (instance)
		json_object_set_new(doc, "instance", text(instance));
	json_object_set_new(doc, "code", text(code));
	if (p->n_errors > 0)
		json_object_set_new(doc, "errors", errors_json(p));
	if (request_id)
		json_object_set_new(doc, "request_id", text(request_id));
	if (p->remedy[0])
		json_object_set_new(doc, "remedy", text(p->remedy));
	if (p->extra)
		json_object_update_missing(doc, p->extra);
	return doc;
}
