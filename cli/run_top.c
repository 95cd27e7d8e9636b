/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_top: the rates of all routers, again and again. On a terminal the table
 * stays in its place; elsewhere one follows the other, without a control
 * character. The rates are the node's own.
 */
#include "cli/args.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/run.h"
#include "cli/value.h"
#include "lib/base.h"

#include <stdio.h>
#include <time.h>

static const char columns[] =
    "ROUTER=name STATE=state RX_PPS=rates.rx_pps TX_PPS=rates.tx_pps "
    "RX_BPS=rates.rx_bps TX_BPS=rates.tx_bps DROPS=drops";

static json_int_t
sum_at(const json_t *stats, const char *path)
{
	json_auto_t *list = value_at(stats, path);
	json_int_t sum = 0;
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) sum += json_integer_value(one);
	return sum;
}

/* One router; one that was deleted meanwhile is left out. */
static int
add_router(struct cli *c, const json_t *router, json_t *rows)
{
	const char *name = json_string_value(json_object_get(router, "name"));
	json_auto_t *stats = NULL, *state = value_at(router, "status.state");
	scoped_free char *part = http_escape(name ? name : "");
	char path[256];
	int rc;

	snprintf(
	    path, sizeof(path), "/v1/routers/%.180s/stats", part ? part : "");
	rc = request_json(c, "GET", path, NULL, 404, &stats);
	if (rc == EXIT_NOT_FOUND)
		return EXIT_DONE;
	if (rc != EXIT_DONE)
		return rc;
	json_array_append_new(
	    rows, json_pack("{s:s?, s:O?, s:O?, s:I}", "name", name, "state",
		      state, "rates", json_object_get(stats, "rates"), "drops",
		      sum_at(stats, "vnics[].rx.drops+") +
			  sum_at(stats, "vnics[].tx.drops+")));
	return EXIT_DONE;
}

static int
look(struct cli *c, json_t *doc)
{
	json_auto_t *routers = NULL;
	json_t *one, *rows = json_object_get(doc, "items");
	size_t i;
	int rc = request_list(c, "/v1/routers", "items", &routers);

	if (rc != EXIT_DONE)
		return rc;
	json_array_foreach(json_object_get(routers, "items"), i, one)
	{
		rc = add_router(c, one, rows);
		if (rc != EXIT_DONE)
			return rc;
	}
	return EXIT_DONE;
}

static int
show(const struct cli *c, const json_t *doc, bool is_first)
{
	const struct output o = { .format = c->g.format,
		.columns = columns,
		.rows = "items",
		.fields = c->g.fields,
		.width = output_width() };
	struct err e;

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	else if (!is_first)
		putchar('\n');
	if (output_print(stdout, &o, doc, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_OTHER;
}

int
run_top(struct cli *c, const struct call *call)
{
	unsigned interval = 2, count = 0;
	struct timespec pause;
	struct err e;

	if (args_number(call, "--interval", 3600, &interval, &e) < 0 ||
	    args_number(call, "--count", 1000000, &count, &e) < 0)
		return cli_fail(EXIT_USAGE, "%s", e.msg);
	pause = (struct timespec){ .tv_sec = MAX(interval, 1U) };
	for (unsigned i = 0;; i++) {
		json_auto_t *doc = json_pack("{s:[]}", "items");
		int rc = look(c, doc);

		if (rc == EXIT_DONE)
			rc = show(c, doc, i == 0);
		if (rc != EXIT_DONE || i + 1 == count)
			return rc;
		nanosleep(&pause, NULL);
	}
}
