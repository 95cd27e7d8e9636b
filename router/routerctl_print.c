/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerctl_print: answers as tables. A table is its columns: a key in the JSON
 * of each row, a title, a width.
 */
#include "router/routerctl.h"

#include "lib/base.h"

#include <time.h>

struct column {
	const char *key, *title;
	int width; /* below 0: to the left; 0: as long as it is */
	/* NULL: the text of key */
	void (*print)(
	    const struct json *j, const struct json_node *row, int width);
};

struct table {
	const char *what; /* asked for */
	const char *list; /* the key of its rows; NULL: an object of numbers */
	struct column column[8];
};

void
print_safe(FILE *out, const char *text, int width)
{
	char line[512];
	size_t n = 0;

	for (; *text && n < sizeof(line) - 1; text++)
		line[n++] =
		    (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
	line[n] = '\0';
	fprintf(out, "%*s", width, line);
}

static void
print_active(const struct json *j, const struct json_node *row, int width)
{
	bool is = strcmp(json_text(j, row, "active", ""), "true") == 0;

	print_safe(stdout, is ? "yes" : "no", width);
}

static void
print_up(const struct json *j, const struct json_node *row, int width)
{
	bool is = strcmp(json_text(j, row, "up", ""), "true") == 0;

	print_safe(stdout, is ? "up" : "down", width);
}

static void
print_addresses(const struct json *j, const struct json_node *row, int width)
{
	const struct json_node *list = json_get(j, row, "addresses");
	const char *space = "";

	(void)width;
	for (const struct json_node *c = list ? json_first(j, list) : NULL; c;
	     c = json_next(j, list, c)) {
		fputs(space, stdout);
		print_safe(stdout, c->text, 0);
		space = " ";
	}
}

static void
print_time(const struct json *j, const struct json_node *row, int width)
{
	time_t at = strtoll(json_text(j, row, "time", "0"), NULL, 10);
	char text[32] = "-";
	struct tm tm;

	if (at > 0 && gmtime_r(&at, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	print_safe(stdout, text, width);
}

static const struct table tables[] = {
	{ "routes", "routes",
	    { { "prefix", "PREFIX", -24, NULL },
		{ "gateway", "GATEWAY", -24, NULL },
		{ "interface", "INTERFACE", -10, NULL },
		{ "source", "SOURCE", -10, NULL },
		{ "active", "ACTIVE", 0, print_active } } },
	{ "neighbours", "neighbours",
	    { { "address", "ADDRESS", -28, NULL },
		{ "interface", "INTERFACE", -10, NULL },
		{ "mac", "MAC", -18, NULL }, { "state", "STATE", -8, NULL },
		{ "waiting", "WAITING", 8, NULL },
		{ "due_ms", "DUE MS", 8, NULL } } },
	{ "interfaces", "interfaces",
	    { { "name", "NAME", -8, NULL }, { "up", "STATE", -6, print_up },
		{ "mac", "MAC", -18, NULL }, { "mtu", "MTU", 5, NULL },
		{ "addresses", "ADDRESSES", 0, print_addresses } } },
	{ "drops", "drops",
	    { { "module", "MODULE", -12, NULL },
		{ "reason", "REASON", -24, NULL },
		{ "packets", "PACKETS", 16, NULL } } },
	{ "pipeline", "revisions",
	    { { "number", "REVISION", 8, NULL },
		{ "state", "STATE", -10, NULL },
		{ "time", "TIME", -21, print_time },
		{ "author", "AUTHOR", -16, NULL }, { "why", "", 0, NULL } } },
	{ "time", "steps",
	    { { "step", "STEP", -20, NULL }, { "packets", "PACKETS", 14, NULL },
		{ "ns_per_packet", "NS/PACKET", 12, NULL } } },
	{ "trace", "steps",
	    { { "step", "STEP", -20, NULL }, { "result", "", 0, NULL } } },
};

static void
print_rows(const struct json *j, const struct table *t, unsigned *rows)
{
	const struct json_node *list = json_get(j, &j->node[0], t->list);

	if (!list || list->type != JSON_ARRAY)
		return;
	for (const struct column *k = t->column; *rows == 0 && k->key; k++)
		printf("%*s%s", k->width, k->title, k[1].key ? " " : "\n");
	for (const struct json_node *row = json_first(j, list); row;
	     row = json_next(j, list, row), ++*rows)
		for (const struct column *k = t->column; k->key; k++) {
			if (k->print)
				k->print(j, row, k->width);
			else
				print_safe(stdout,
				    json_text(
					j, row, k->key, k->width ? "-" : ""),
				    k->width);
			putchar(k[1].key ? ' ' : '\n');
		}
	*rows += *rows == 0; /* the titles stand once */
}

/* Numbers by name, those that are not 0. */
static void
print_counters(const struct json *j)
{
	const struct json_node *o = json_get(j, &j->node[0], "counters");

	for (const struct json_node *c = o ? json_first(j, o) : NULL; c;
	     c = json_next(j, o, c)) {
		if (strcmp(c->text, "0") == 0 || !c->key)
			continue;
		print_safe(stdout, c->key, -32);
		putchar(' ');
		print_safe(stdout, c->text, 20);
		putchar('\n');
	}
}

/* What is not in the list. */
static void
print_trace_end(const struct json *j)
{
	const struct json_node *all = &j->node[0];

	print_safe(stdout, json_text(j, all, "fate", "?"), 0);
	if (json_get(j, all, "why")) {
		fputs(": ", stdout);
		print_safe(stdout, json_text(j, all, "why", ""), 0);
	}
	if (json_text(j, all, "interface", NULL)) {
		fputs(" interface ", stdout);
		print_safe(stdout, json_text(j, all, "interface", ""), 0);
		fputs(" gateway ", stdout);
		print_safe(stdout, json_text(j, all, "gateway", "-"), 0);
		fputs(" mac ", stdout);
		print_safe(stdout, json_text(j, all, "mac", "not known"), 0);
	}
	putchar('\n');
}

void
print_answer(const struct json *j, const char *what, unsigned *rows)
{
	if (strcmp(what, "counters") == 0)
		print_counters(j);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (strcmp(tables[i].what, what) == 0)
			print_rows(j, &tables[i], rows);
	if (strcmp(what, "trace") == 0)
		print_trace_end(j);
}
