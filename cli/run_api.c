/* SPDX-License-Identifier: Apache-2.0 */
/* run_api: any request, and waiting for a node; see run.h. */
#include "cli/args.h"
#include "cli/body.h"
#include "cli/refusal.h"
#include "cli/request.h"
#include "cli/run.h"
#include "lib/base.h"
#include "lib/loop.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

enum { METHOD_SIZE = 16, POLL_NS = 100000000 };

/* BODY as it is, @FILE, or - for stdin. */
static int
read_body(const struct call *call, char **text, struct http_request *rq)
{
	const char *body = args_word(call, 2);
	const char *type = args_option(call, "--type");
	bool is_file = body && (*body == '@' || strcmp(body, "-") == 0);
	struct err e;

	if (!body)
		return EXIT_DONE;
	rq->type = type ? type : "application/json";
	rq->body = body;
	rq->n_body = strlen(body);
	if (!is_file)
		return EXIT_DONE;
	if (body_read_file(
		*body == '@' ? body + 1 : body, text, &rq->n_body, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	rq->body = *text;
	return EXIT_DONE;
}

/* arg: the last character */
static bool
print_piece(void *arg, const char *data, size_t n)
{
	if (n > 0)
		*(char *)arg = data[n - 1];
	return fwrite(data, 1, n, stdout) == n && fflush(stdout) == 0;
}

int
run_api(struct cli *c, const struct call *call)
{
	char method[METHOD_SIZE] = "", last = '\n';
	struct http_request rq = { .method = method,
		.path = call->word[1],
		.sink = print_piece,
		.sink_arg = &last,
		.is_stream = true };
	scoped_free char *text = NULL;
	struct http_answer a;
	struct err e;
	int rc;

	for (size_t i = 0; call->word[0][i] && i + 1 < sizeof(method); i++)
		method[i] = (char)toupper((unsigned char)call->word[0][i]);
	if (*rq.path != '/' || strpbrk(rq.path, " \r\n#"))
		return cli_fail(EXIT_USAGE,
		    "%s: want a path such as /v1/routers, encoded", rq.path);
	if (strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(method))
		return cli_fail(
		    EXIT_USAGE, "%s: no method of HTTP", call->word[0]);
	rc = read_body(call, &text, &rq);
	if (rc != EXIT_DONE)
		return rc;
	rc = request_send(c, &rq, &a, &e);
	if (rc == -ECANCELED)
		return EXIT_OTHER;
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	rc = refusal_code(&a);
	if (rc != EXIT_DONE)
		refusal_print(stderr, &a);
	else if (last != '\n' && isatty(STDOUT_FILENO))
		putchar('\n');
	http_answer_free(&a);
	return rc;
}

int
run_wait_ready(struct cli *c, const struct call *call)
{
	const struct http_request rq = { .method = "GET", .path = "/readyz" };
	const struct timespec pause = { .tv_nsec = POLL_NS };
	unsigned seconds = 60;
	struct http_answer a;
	struct err e;
	uint64_t end;
	int rc;

	if (args_number(call, "--for", 86400, &seconds, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	end = loop_now_ms() + seconds * 1000ULL;
	for (;;) {
		rc = request_send(c, &rq, &a, &e);
		if (rc == 0 && a.status == 200) {
			http_answer_free(&a);
			return EXIT_DONE;
		}
		if (loop_now_ms() >= end)
			break;
		if (rc == 0)
			http_answer_free(&a);
		nanosleep(&pause, NULL);
	}
	if (rc < 0)
		return refusal_no_answer(rc, &e);
	refusal_print(stderr, &a);
	http_answer_free(&a);
	return EXIT_UNREACHABLE;
}
