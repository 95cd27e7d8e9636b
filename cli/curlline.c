/* SPDX-License-Identifier: Apache-2.0 */
/* curlline: see curlline.h. */
#include "cli/curlline.h"

#include "lib/base.h"

static bool
is_plain(const char *s, size_t n)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "_-./:@%+,";

	for (size_t i = 0; i < n; i++)
		if (s[i] == '\0' || !strchr(plain, s[i]))
			return false;
	return n > 0;
}

void
curlline_quote(FILE *f, const char *s, size_t n)
{
	if (is_plain(s, n)) {
		fwrite(s, 1, n, f);
		return;
	}
	fputc('\'', f);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'')
			fputs("'\\''", f);
		else
			fputc(s[i], f);
	}
	fputc('\'', f);
}

static void
word(FILE *f, const char *option, const char *value)
{
	fprintf(f, " %s ", option);
	curlline_quote(f, value, strlen(value));
}

/* A leading @ would name a file. */
static void
print_body(FILE *f, const struct http_request *rq)
{
	if (rq->file) {
		word(f, "-T", rq->file_name);
		return;
	}
	fputs(rq->n_body > 0 && rq->body[0] == '@' ? " --data-raw "
						   : " --data-binary ",
	    f);
	curlline_quote(f, rq->body, rq->n_body);
}

void
curlline_print(FILE *f, const struct curlline *l, const struct http_request *rq)
{
	char type[128];

	fputs(rq->sink ? "curl -sSN" : "curl -sS", f);
	if (l->socket)
		word(f, "--unix-socket", l->socket);
	if (l->pin) {
		fputs(" --insecure", f);
		word(f, "--pinnedpubkey", l->pin);
	}
	if (l->has_token)
		fputs(" -H \"Authorization: Bearer $EUROPA_TOKEN\"", f);
	if (strcmp(rq->method, "GET") != 0)
		word(f, "-X", rq->method);
	for (unsigned i = 0; i < HTTP_MAX_HEADERS && rq->headers[i]; i++)
		word(f, "-H", rq->headers[i]);
	if (rq->type) {
		snprintf(type, sizeof(type), "Content-Type: %s", rq->type);
		word(f, "-H", type);
		print_body(f, rq);
	}
	if (strstr(l->url, "/."))
		fputs(" --path-as-is", f);
	fputc(' ', f);
	curlline_quote(f, l->url, strlen(l->url));
	fputc('\n', f);
}
