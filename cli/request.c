/* SPDX-License-Identifier: Apache-2.0 */
/* request: see request.h. */
#include "cli/request.h"

#include "cli/body.h"
#include "cli/output.h"
#include "cli/refusal.h"
#include "cli/value.h"
#include "lib/base.h"

#include <stdio.h>

/* --- paths ------------------------------------------------------------------ */

static bool
add_query(FILE *f, char *separator, const char *name, const char *value)
{
	scoped_free char *text = http_escape(value);

	if (!text)
		return false;
	fprintf(f, "%c%s=%s", *separator, name, text);
	*separator = '&';
	return true;
}

/* The word of that name. */
static const char *
find_word(const struct call *call, const char *name, size_t n)
{
	struct word w;

	for (unsigned i = 0; command_word(call->command, i, &w); i++)
		if (strlen(w.name) == n && memcmp(w.name, name, n) == 0)
			return args_word(call, i);
	return NULL;
}

/* Words that are parameters of the query. */
static bool
add_query_words(FILE *f, const struct call *call, char *separator)
{
	struct word w;

	for (unsigned i = 0; command_word(call->command, i, &w); i++) {
		const struct option *o = command_option(call->command, w.name);
		const char *value = args_word(call, i);

		if (o && o->kind == OPTION_QUERY && value &&
		    !add_query(f, separator, o->at, value))
			return false;
	}
	return true;
}

char *
request_path(const struct call *call, struct err *e)
{
	const char *p = call->command->path;
	char *path = NULL, separator = '?';
	size_t size;
	FILE *f = open_memstream(&path, &size);
	bool ok = f != NULL;

	while (ok && *p) {
		size_t n = strcspn(p, "{");

		fwrite(p, 1, n, f);
		p += n;
		if (*p == '{') {
			const char *word =
			    find_word(call, p + 1, strcspn(p + 1, "}"));
			scoped_free char *text = http_escape(word ? word : "");

			ok = text != NULL;
			fputs(ok ? text : "", f);
			p += strcspn(p, "}") + 1;
		}
	}
	ok = ok && add_query_words(f, call, &separator);
	for (unsigned i = 0; ok && i < call->n_options; i++)
		if (call->option[i].option->kind == OPTION_QUERY)
			ok =
			    add_query(f, &separator, call->option[i].option->at,
				call->option[i].value ? call->option[i].value
						      : "true");
	if (f)
		fclose(f);
	if (ok)
		return path;
	free(path);
	err_set(e, -ENOMEM, "no memory");
	return NULL;
}

static bool
is_write(const char *method)
{
	return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

/* Projects themselves are in none. */
static bool
is_of_project(const char *path)
{
	return strncmp(path, "/v1", 3) == 0 &&
	       strncmp(path, "/v1/projects", 12) != 0;
}

static char *
whole_path(const struct cli *c, const struct http_request *rq)
{
	char separator = strchr(rq->path, '?') ? '&' : '?', *path = NULL;
	size_t size;
	FILE *f = open_memstream(&path, &size);
	bool ok = f != NULL;

	if (!f)
		return NULL;
	fputs(rq->path, f);
	if (c->g.project && is_of_project(rq->path))
		ok = add_query(f, &separator, "project", c->g.project);
	if (c->g.dry_run && is_write(rq->method))
		ok = ok && add_query(f, &separator, "dry_run", "true");
	fclose(f);
	return path;
}

/* --- sending ---------------------------------------------------------------- */

int
request_send(struct cli *c, const struct http_request *asked,
    struct http_answer *out, struct err *e)
{
	struct http_request rq = *asked;
	scoped_free char *path = whole_path(c, asked);
	char if_match[256], key[320];
	unsigned n = 0;

	if (!path)
		return err_set(e, -ENOMEM, "no memory");
	rq.path = path;
	while (rq.headers[n])
		n++;
	if (c->g.if_match && is_write(rq.method)) {
		snprintf(if_match, sizeof(if_match),
		    strchr("\"*", *c->g.if_match) ? "If-Match: %s"
						  : "If-Match: \"%s\"",
		    c->g.if_match);
		rq.headers[n++] = if_match;
	}
	if (c->g.key && strcmp(rq.method, "POST") == 0) {
		snprintf(key, sizeof(key), "Idempotency-Key: %s", c->g.key);
		rq.headers[n++] = key;
	}
	if (c->g.async && is_write(rq.method))
		rq.headers[n++] = "Prefer: respond-async";
	return http_do(c->http, &rq, out, e);
}

int
request_upgrade(struct cli *c, const struct http_request *asked,
    struct http_answer *out, struct err *e)
{
	struct http_request rq = *asked;
	scoped_free char *path = whole_path(c, asked);

	if (!path)
		return err_set(e, -ENOMEM, "no memory");
	rq.path = path;
	return http_upgrade(c->http, &rq, out, e);
}

static json_t *
read_answer(const struct http_answer *a)
{
	if (!a->body || a->n_body == 0)
		return NULL;
	return json_loadb(a->body, a->n_body, JSON_DECODE_ANY, NULL);
}

int
request_json(struct cli *c, const char *method, const char *path,
    const json_t *body, unsigned quiet, json_t **out)
{
	scoped_free char *text =
	    body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	struct http_request rq = { .method = method, .path = path };
	struct http_answer a;
	struct err e;
	int rc;

	if (text) {
		rq.type = "application/json";
		rq.body = text;
		rq.n_body = strlen(text);
	}
	rc = request_send(c, &rq, &a, &e);
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	rc = refusal_code(&a);
	if (rc != EXIT_DONE && (quiet == 0 || a.status != quiet))
		refusal_print(stderr, &a);
	if (rc == EXIT_DONE && out) {
		*out = read_answer(&a);
		if (!*out && a.n_body > 0)
			rc = cli_fail(
			    EXIT_OTHER, "%s: the answer is not JSON", path);
	}
	http_answer_free(&a);
	return rc;
}

/* doc is the first page; adds those behind it. */
static int
read_pages(struct cli *c, const char *path, const char *rows, json_t *doc)
{
	json_t *list = json_object_get(doc, rows);
	int rc = EXIT_DONE;

	for (;;) {
		const char *next =
		    json_string_value(json_object_get(doc, "next"));
		char *more = NULL, separator = strchr(path, '?') ? '&' : '?';
		json_auto_t *page = NULL;
		size_t size;
		FILE *f;

		if (!next)
			return EXIT_DONE;
		f = open_memstream(&more, &size);
		if (!f)
			return EXIT_OTHER;
		fputs(path, f);
		add_query(f, &separator, "cursor", next);
		fclose(f);
		rc = request_json(c, "GET", more, NULL, 0, &page);
		free(more);
		if (rc != EXIT_DONE)
			return rc;
		json_array_extend(list, json_object_get(page, rows));
		json_object_set(doc, "next", json_object_get(page, "next"));
	}
}

int
request_list(struct cli *c, const char *path, const char *rows, json_t **out)
{
	json_t *doc = NULL;
	int rc = request_json(c, "GET", path, NULL, 0, &doc);

	if (rc == EXIT_DONE)
		rc = read_pages(c, path, rows, doc);
	if (rc != EXIT_DONE) {
		json_decref(doc);
		return rc;
	}
	*out = doc;
	return EXIT_DONE;
}

/* --- a row ------------------------------------------------------------------ */

int
request_print(
    const struct cli *c, const struct command *command, const json_t *doc)
{
	struct output o = { .format = c->g.format,
		.columns = command->columns,
		.rows = command->rows,
		.fields = c->g.fields,
		.width = output_width() };
	struct err e;

	if (o.format == FORMAT_DEFAULT)
		o.format = command->format;
	/* what would be is to be seen, all of it */
	if (o.format == FORMAT_DEFAULT)
		o.format = c->g.dry_run && !command->rows && !o.fields
			       ? FORMAT_YAML
			       : FORMAT_TABLE;
	/* fields of one object, which would be YAML, are a table */
	if (c->g.format == FORMAT_DEFAULT && o.fields)
		o.format = FORMAT_TABLE;
	if (output_print(stdout, &o, doc, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	return EXIT_DONE;
}

static bool
print_piece(void *arg, const char *data, size_t n)
{
	scoped_free char *safe = NULL;

	(void)arg;
	if (isatty(STDOUT_FILENO)) {
		safe = malloc(n + 1);
		if (!safe)
			return false;
		for (size_t i = 0; i < n; i++)
			safe[i] = data[i] ? data[i] : '?';
		safe[n] = '\0';
		value_make_safe(safe, "\n\t");
		data = safe;
	}
	return fwrite(data, 1, n, stdout) == n && fflush(stdout) == 0;
}

/* A text that a tenant wrote: a terminal is not to obey it. */
static void
print_text(char *text, size_t n)
{
	if (isatty(STDOUT_FILENO))
		value_make_safe(text, "\n\t");
	fwrite(text, 1, n, stdout);
}

static int
print_answer(struct cli *c, const struct call *call, const char *path,
    const struct http_answer *a)
{
	const struct command *command = call->command;
	json_auto_t *doc = NULL;
	int rc = EXIT_DONE;

	if (a->n_body == 0)
		return EXIT_DONE;
	if ((command->flags & COMMAND_TEXT) &&
	    strncmp(a->type, "application/json", 16) != 0) {
		print_text(a->body, a->n_body);
		return EXIT_DONE;
	}
	doc = read_answer(a);
	if (!doc)
		return cli_fail(EXIT_OTHER, "%s: the answer is not JSON", path);
	/* who names a limit wants no more */
	if (command->rows && !args_option(call, "--limit"))
		rc = read_pages(c, path, command->rows, doc);
	return rc == EXIT_DONE ? request_print(c, command, doc) : rc;
}

static int
send_and_print(
    struct cli *c, const struct call *call, const struct http_request *rq)
{
	struct http_answer a;
	struct err e;
	int rc = request_send(c, rq, &a, &e);

	if (rc == -ECANCELED)
		return EXIT_OTHER; /* nobody reads what we print */
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	rc = refusal_code(&a);
	if (rc != EXIT_DONE)
		refusal_print(stderr, &a);
	else
		rc = print_answer(c, call, rq->path, &a);
	http_answer_free(&a);
	return rc;
}

/* The file whose content is the body: the word of that kind. */
static int
open_raw(const struct call *call, struct http_request *rq)
{
	const struct option *o = call->command->options;
	const char *name;

	while (o->kind != OPTION_RAW)
		o++;
	name = find_word(call, o->name, strlen(o->name));
	rq->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	if (!rq->file)
		return cli_fail(EXIT_USAGE, "%s: %s", name, strerror(errno));
	rq->file_name = name;
	rq->type = call->command->type;
	rq->is_stream = true;
	return EXIT_DONE;
}

static int
run_raw(struct cli *c, const struct call *call, struct http_request *rq)
{
	int rc = open_raw(call, rq);

	if (rc == EXIT_DONE)
		rc = send_and_print(c, call, rq);
	if (rq->file && rq->file != stdin)
		fclose(rq->file);
	return rc;
}

int
request_run(struct cli *c, const struct call *call)
{
	const struct command *command = call->command;
	struct http_request rq = { .method = command->method };
	scoped_free char *path = NULL;
	scoped_free char *text = NULL;
	json_auto_t *body = NULL;
	char accept[64];
	struct err e;

	path = request_path(call, &e);
	if (!path || body_build(call, &body, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	rq.path = path;
	if (command->flags & COMMAND_STREAM) {
		rq.sink = print_piece;
		rq.is_stream = true;
	}
	snprintf(accept, sizeof(accept), "Accept: %s",
	    command->accept ? command->accept : "");
	if (command->accept && (c->g.format == FORMAT_DEFAULT || rq.sink))
		rq.headers[0] = accept;
	if (command->type)
		return run_raw(c, call, &rq);
	if (body) {
		text = json_dumps(body, JSON_COMPACT);
		rq.type = "application/json";
		rq.body = text;
		rq.n_body = text ? strlen(text) : 0;
	}
	return send_and_print(c, call, &rq);
}
