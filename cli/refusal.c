/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal: see refusal.h. The status says nearly all; a few need the code of the
 * problem: what is over a quota is a conflict to HTTP and a matter of capacity
 * to people, and a router that is silent has recorded nothing.
 */
#include "cli/refusal.h"

#include "cli/value.h"
#include "lib/base.h"

#include <jansson.h>

static const struct {
	unsigned status;
	const char *code; /* of the problem; NULL: any */
	int exit;
} exits[] = {
	{ 400, NULL, EXIT_INVALID },
	{ 401, NULL, EXIT_DENIED },
	{ 403, NULL, EXIT_DENIED },
	{ 404, NULL, EXIT_NOT_FOUND },
	{ 405, NULL, EXIT_INVALID },
	{ 406, NULL, EXIT_INVALID },
	{ 409, "quota-exceeded", EXIT_CAPACITY },
	{ 409, NULL, EXIT_CONFLICT },
	{ 412, NULL, EXIT_CONFLICT },
	{ 413, NULL, EXIT_INVALID },
	{ 415, NULL, EXIT_INVALID },
	{ 422, NULL, EXIT_INVALID },
	{ 429, NULL, EXIT_CAPACITY },
	{ 503, NULL, EXIT_UNREACHABLE },
	{ 504, "no-answer", EXIT_UNREACHABLE },
	{ 504, NULL, EXIT_NOT_APPLIED },
	{ 507, NULL, EXIT_CAPACITY },
};

static json_t *
problem_of(const struct http_answer *a)
{
	return a->body ? json_loadb(a->body, a->n_body, 0, NULL) : NULL;
}

int
refusal_code(const struct http_answer *a)
{
	json_auto_t *doc = NULL;
	const char *code;

	if (a->status >= 200 && a->status < 300)
		return EXIT_DONE;
	doc = problem_of(a);
	code = json_string_value(json_object_get(doc, "code"));
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		if (exits[i].status == a->status &&
		    (!exits[i].code ||
			(code && strcmp(code, exits[i].code) == 0)))
			return exits[i].exit;
	return EXIT_OTHER;
}

/* A member as text, or NULL if it is not there. */
static char *
member(const json_t *doc, const char *name)
{
	const json_t *v = json_object_get(doc, name);

	return v ? value_text(v) : NULL;
}

static void
print_line(FILE *f, const char *before, const json_t *doc, const char *name)
{
	scoped_free char *text = member(doc, name);

	if (text)
		fprintf(f, "%s%s\n", before, text);
}

/* The places; a single one is in the detail already. */
static void
print_errors(FILE *f, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "errors");
	const char *detail = json_string_value(json_object_get(doc, "detail"));
	json_t *one = json_array_get(list, 0);
	const char *at = json_string_value(json_object_get(one, "pointer"));
	size_t i;

	if (json_array_size(list) == 1 && at && *at && detail &&
	    strncmp(detail, at, strlen(at)) == 0)
		return;
	json_array_foreach(list, i, one)
	{
		scoped_free char *where = member(one, "pointer");
		scoped_free char *why = member(one, "detail");

		fprintf(f, "  %s: %s\n", where ? where : "-", why ? why : "-");
	}
	print_line(f, "  not listed: ", doc, "more_errors");
}

void
refusal_print(FILE *f, const struct http_answer *a)
{
	json_auto_t *doc = problem_of(a);

	if (!json_is_object(doc) || !json_object_get(doc, "detail")) {
		fprintf(f, "europactl: the server says %u, and not why\n",
		    a->status);
		return;
	}
	print_line(f, "europactl: ", doc, "detail");
	print_errors(f, doc);
	print_line(f, "line: ", doc, "line");
	print_line(f, "wanted: ", doc, "wanted");
	print_line(f, "best: ", doc, "best");
	print_line(f, "etag: ", doc, "etag");
	print_line(f, "remedy: ", doc, "remedy");
}

int
refusal_no_answer(int rc, const struct err *e)
{
	cli_say("%s", e->msg);
	switch (rc) {
	case -EACCES:
		fputs("remedy: ask as root, or as a member of the group "
		      "europa: usermod -aG europa USER, and log in again\n",
		    stderr);
		return EXIT_DENIED;
	case -EKEYREJECTED:
		fputs("remedy: compare with the fingerprint that the node "
		      "shows; europactl config add --trust pins a new one\n",
		    stderr);
		return EXIT_UNREACHABLE;
	case -ECONNREFUSED:
		fputs("remedy: is europad running there? europactl doctor "
		      "looks at this host\n",
		    stderr);
		return EXIT_UNREACHABLE;
	case -EINVAL:
	case -ENAMETOOLONG:
		return EXIT_USAGE;
	default:
		return EXIT_OTHER;
	}
}
