/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_exec: a command in a router's container. Its output comes as lines of JSON
 * and goes where it belongs as it comes; it ends with the command's own exit
 * code, 128 and the signal's number if one ended it.
 */
#include "cli/args.h"
#include "cli/base64.h"
#include "cli/body.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/run.h"
#include "lib/base.h"

#include <stdio.h>

enum { MAX_LINE = 1 << 20 };

struct exec {
	char *line; /* what has come of it */
	size_t n_line;
	bool has_ended;
	int code;
};

static bool
put(FILE *f, const char *data, size_t n)
{
	return fwrite(data, 1, n, f) == n && fflush(f) == 0;
}

static bool
put_base64(FILE *f, const char *text)
{
	size_t size = strlen(text) + 1;
	scoped_free uint8_t *data = malloc(size);
	int n = data ? base64_decode(text, data, size) : -1;

	return n >= 0 && put(f, (const char *)data, (size_t)n);
}

static void
take_end(struct exec *x, const json_t *line)
{
	const json_t *code = json_object_get(line, "exit_code");
	const json_t *signal = json_object_get(line, "signal");
	const char *error = json_string_value(json_object_get(line, "error"));

	x->has_ended = true;
	x->code = EXIT_OTHER;
	if (json_is_integer(code))
		x->code = (int)(json_integer_value(code) & 0xff);
	else if (json_is_integer(signal))
		x->code = 128 + (int)(json_integer_value(signal) & 0x7f);
	if (error)
		cli_say("%s", error);
}

static bool
take_line(struct exec *x, const char *text, size_t n)
{
	json_auto_t *line = json_loadb(text, n, 0, NULL);
	const char *key;
	json_t *v;

	json_object_foreach(line, key, v) {
		FILE *f = strncmp(key, "stderr", 6) == 0 ? stderr : stdout;
		const char *s = json_string_value(v);

		if (strcmp(key, "exit_code") == 0)
			take_end(x, line);
		else if (strcmp(key, "would_run") == 0) {
			/* all that a dry run says */
			x->has_ended = true;
			x->code = EXIT_DONE;
		} else if (s &&
			   (strcmp(key, "stdout") == 0 ||
			       strcmp(key, "stderr") == 0) &&
			   !put(f, s, json_string_length(v)))
			return false;
		else if (s && strstr(key, "_base64") && !put_base64(f, s))
			return false;
	}
	return line != NULL;
}

static bool
take(void *arg, const char *data, size_t n)
{
	struct exec *x = arg;
	char *more =
	    x->n_line + n > MAX_LINE ? NULL : realloc(x->line, x->n_line + n);
	char *end;

	if (!more)
		return false;
	memcpy(more + x->n_line, data, n);
	x->line = more;
	x->n_line += n;
	while ((end = memchr(x->line, '\n', x->n_line))) {
		size_t used = (size_t)(end - x->line) + 1;

		if (!take_line(x, x->line, used))
			return false;
		memmove(x->line, x->line + used, x->n_line - used);
		x->n_line -= used;
	}
	return true;
}

static int
make_body(const struct call *call, char **out)
{
	json_auto_t *doc = json_pack("{s:[]}", "argv");
	scoped_free char *text = NULL;
	unsigned seconds = 60;
	struct err e;
	size_t n;

	if (args_number(call, "--for", 3600, &seconds, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	json_object_set_new(
	    doc, "timeout_seconds", json_integer((json_int_t)seconds));
	for (unsigned i = 1; i < call->n_words; i++)
		json_array_append_new(
		    json_object_get(doc, "argv"), json_string(call->word[i]));
	if (args_option(call, "--stdin")) {
		if (body_read_file("-", &text, &n, &e) < 0)
			return cli_fail(EXIT_USAGE, "%s", e.msg);
		if (json_object_set_new(doc, "stdin", json_stringn(text, n)) <
		    0)
			return cli_fail(EXIT_USAGE, "stdin is not UTF-8");
	}
	*out = json_dumps(doc, JSON_COMPACT);
	return *out ? EXIT_DONE : EXIT_OTHER;
}

/* What the answer was, if there is one. */
static int
judge(struct exec *x, const struct http_answer *a)
{
	int rc = refusal_code(a);

	if (rc != EXIT_DONE) {
		refusal_print(stderr, a);
		return rc;
	}
	if (!x->has_ended && x->n_line > 0)
		(void)take_line(x, x->line, x->n_line);
	if (x->has_ended)
		return x->code;
	return cli_fail(EXIT_UNREACHABLE, "the answer broke off");
}

int
run_exec(struct cli *c, const struct call *call)
{
	struct err e;
	scoped_free char *path = request_path(call, &e);
	scoped_free char *body = NULL;
	struct exec x = { 0 };
	struct http_request rq = { .method = "POST",
		.path = path,
		.type = "application/json",
		.sink = take,
		.sink_arg = &x,
		.is_stream = true };
	struct http_answer a;
	int rc = path ? make_body(call, &body) : EXIT_OTHER;

	if (rc != EXIT_DONE)
		return rc;
	rq.body = body;
	rq.n_body = strlen(body);
	rc = request_send(c, &rq, &a, &e);
	if (rc == -ECANCELED) {
		rc = EXIT_OTHER;
	} else if (rc < 0) {
		rc = refusal_no_answer(rc, &e);
	} else {
		rc = judge(&x, &a);
		http_answer_free(&a);
	}
	free(x.line);
	return rc;
}
