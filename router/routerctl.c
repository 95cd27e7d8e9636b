/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routerctl: what is asked of the router, see routerctl.h and routerctl(1).
 */
#include "router/routerctl.h"

#include "lib/base.h"

#include <ctype.h>
#include <limits.h>

enum {
	MAX_LINE = 256,
	CHUNK = CTL_MAX_BODY - MAX_LINE - 16, /* of lines, in a request */
};

static struct {
	bool json;
	const char *socket;
	struct talk talk;
} self = { .socket = "/run/europa/" CTL_SOCKET };

static _Noreturn void
usage(const char *why)
{
	if (why)
		fprintf(stderr, "routerctl: %s\n", why);
	fputs("usage: routerctl [-j] [-s SOCKET] COMMAND\n"
	      "  show routes [SOURCE] | neighbours | interfaces | counters |\n"
	      "       drops | pipeline [--time MS] | revision NUMBER\n"
	      "  add route PREFIX [via ADDRESS] [dev INTERFACE] | -f FILE\n"
	      "  delete route PREFIX | -f FILE\n"
	      "  change routes [FILE]\n"
	      "  replace routes [FILE]\n"
	      "  pipeline put FILE [AUTHOR]\n"
	      "  pipeline rollback NUMBER\n"
	      "  trace src ADDRESS dst ADDRESS [in INTERFACE] [ttl N] [len N]\n"
	      "       [udp|tcp [PORT]|icmp|proto N] [sport N] [dport N] [df]\n",
	    why ? stderr : stdout);
	exit(why ? ROUTERCTL_USAGE : ROUTERCTL_DONE);
}

/* --- answers -------------------------------------------------------------- */

static _Noreturn void
no_router(void)
{
	fprintf(stderr, "routerctl: %s: no answer of a router\n", self.socket);
	exit(ROUTERCTL_AWAY);
}

/* The answer as a tree; it has been printed if it was asked for as it is. */
static void
read_answer(struct json *j)
{
	if (json_read(j, self.talk.answer) < 0)
		no_router();
}

/* Says why and ends; base: lines of a file before those of this request. */
static _Noreturn void
refused(unsigned long base)
{
	struct json j;
	const struct json_node *all;
	const char *line;

	if (self.json)
		fputs(self.talk.answer, stdout);
	read_answer(&j);
	all = &j.node[0];
	line = json_text(&j, all, "line", NULL);
	fputs("routerctl: ", stderr);
	if (line && base != ULONG_MAX)
		fprintf(stderr, "line %lu: ", base + strtoul(line, NULL, 10));
	print_safe(stderr, json_text(&j, all, "error", "refused"), 0);
	fputc('\n', stderr);
	exit(ROUTERCTL_REFUSED);
}

static void
ask(const char *words, const char *body, size_t n)
{
	if (!talk_ask(&self.talk, words, body, n))
		refused(ULONG_MAX);
}

/* Asks and prints. */
static void
show(const char *words, const char *what, const char *body)
{
	unsigned rows = 0;
	struct json j;

	ask(words, body, body ? strlen(body) : 0);
	if (self.json) {
		fputs(self.talk.answer, stdout);
		return;
	}
	read_answer(&j);
	print_answer(&j, what, &rows);
	json_free(&j);
}

/* --- show ----------------------------------------------------------------- */

/* What is between the brackets of a page of routes. */
static void
print_page(bool first)
{
	static const char begin[] = "{\"routes\":[";
	char *end = strrchr(self.talk.answer, ']');

	if (strncmp(self.talk.answer, begin, sizeof(begin) - 1) != 0 || !end)
		no_router();
	if (first)
		fputs(begin, stdout);
	else
		putchar(',');
	fwrite(self.talk.answer + sizeof(begin) - 1, 1,
	    (size_t)(end - self.talk.answer) - (sizeof(begin) - 1), stdout);
}

/* All pages. */
static void
show_routes(const char *source)
{
	char words[CTL_MAX_LINE] = "show routes", next[128];
	bool more = true;
	unsigned rows = 0;

	for (bool first = true; more; first = false) {
		struct json j;
		const char *cursor;

		snprintf(words, sizeof(words), "show routes%s%s%s%s",
		    source ? " source " : "", source ? source : "",
		    first ? "" : " after ", first ? "" : next);
		ask(words, NULL, 0);
		if (self.json)
			print_page(first);
		read_answer(&j);
		if (!self.json)
			print_answer(&j, "routes", &rows);
		cursor = json_text(&j, &j.node[0], "next", NULL);
		more = cursor && strlen(cursor) < sizeof(next);
		if (more)
			strcpy(next, cursor);
		json_free(&j);
	}
	if (self.json)
		puts("]}");
}

/* The text of a revision, as it was given. */
static void
show_revision(const char *number)
{
	char words[CTL_MAX_LINE];
	struct json j;

	snprintf(words, sizeof(words), "show revision %.20s", number);
	ask(words, NULL, 0);
	if (self.json) {
		fputs(self.talk.answer, stdout);
		return;
	}
	read_answer(&j);
	fputs(json_text(&j, &j.node[0], "text", ""), stdout);
	json_free(&j);
}

static void
run_show(int n, char **arg)
{
	static const char *const plain[] = { "neighbours", "interfaces",
		"counters", "drops", "pipeline" };
	char words[CTL_MAX_LINE];

	if (n >= 1 && strcmp(arg[0], "routes") == 0 && n <= 2) {
		show_routes(n == 2 ? arg[1] : NULL);
		return;
	}
	if (n == 2 && strcmp(arg[0], "revision") == 0) {
		show_revision(arg[1]);
		return;
	}
	if (n >= 2 && n <= 3 && strcmp(arg[0], "pipeline") == 0 &&
	    strcmp(arg[1], "--time") == 0) {
		snprintf(words, sizeof(words), "time pipeline %.20s",
		    n == 3 ? arg[2] : "1000");
		show(words, "time", NULL);
		return;
	}
	for (size_t i = 0; n == 1 && i < ARRAY_SIZE(plain); i++)
		if (strcmp(arg[0], plain[i]) == 0) {
			snprintf(words, sizeof(words), "show %s", plain[i]);
			show(words, plain[i], NULL);
			return;
		}
	usage("show what?");
}

/* --- routes --------------------------------------------------------------- */

/* Sums of what all requests have done. */
struct sums {
	unsigned long added, changed, deleted, missing;
};

static void
add_up(struct sums *s)
{
	struct json j;

	read_answer(&j);
#define ADD(key) \
	s->key += strtoul(json_text(&j, &j.node[0], #key, "0"), NULL, 10)
	ADD(added);
	ADD(changed);
	ADD(deleted);
	ADD(missing);
#undef ADD
	json_free(&j);
}

static void
print_sums(const struct sums *s)
{
	if (self.json)
		printf("{\"added\":%lu,\"changed\":%lu,\"deleted\":%lu,"
		       "\"missing\":%lu}\n",
		    s->added, s->changed, s->deleted, s->missing);
	else
		printf("%lu added, %lu changed, %lu deleted, %lu not there\n",
		    s->added, s->changed, s->deleted, s->missing);
}

/*
 * The lines of in, each behind word ("add ", or ""), as requests of these words.
 * sums NULL: nothing is counted.
 */
static void
stream(FILE *in, const char *word, const char *words, struct sums *sums)
{
	static char body[CTL_MAX_BODY];
	char line[MAX_LINE];
	unsigned long base = 0, n_lines = 0;
	size_t n = 0;
	bool more = true;

	while (more) {
		more = fgets(line, sizeof(line), in) != NULL;
		if (more) {
			size_t k = strcspn(line, "\n");

			if (line[k] != '\n' && !feof(in)) {
				fprintf(stderr,
				    "routerctl: line %lu: too long\n",
				    base + n_lines + 1);
				exit(ROUTERCTL_USAGE);
			}
			line[k] = '\0';
			n += (size_t)snprintf(body + n, sizeof(body) - n,
			    "%s%s\n",
			    line[strspn(line, " \t\r")] == '\0' ||
				    line[0] == '#'
				? ""
				: word,
			    line);
			n_lines++;
		}
		if (n == 0 || (more && n < CHUNK))
			continue;
		if (!talk_ask(&self.talk, words, body, n))
			refused(base);
		if (sums)
			add_up(sums);
		base += n_lines;
		n = n_lines = 0;
	}
	if (ferror(in)) {
		fputs("routerctl: the lines cannot be read\n", stderr);
		exit(ROUTERCTL_USAGE);
	}
}

/* "-": standard input. */
static FILE *
open_lines(const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

	if (!in) {
		fprintf(stderr, "routerctl: %s: %s\n", path, strerror(errno));
		exit(ROUTERCTL_USAGE);
	}
	return in;
}

static void
run_change(int n, char **arg)
{
	struct sums sums = { 0 };

	if (n < 1 || n > 2 || strcmp(arg[0], "routes") != 0)
		usage("change what?");
	stream(open_lines(n == 2 ? arg[1] : "-"), "", "change routes", &sums);
	print_sums(&sums);
}

static void
run_replace(int n, char **arg)
{
	FILE *in;

	if (n < 1 || n > 2 || strcmp(arg[0], "routes") != 0)
		usage("replace what?");
	in = open_lines(n == 2 ? arg[1] : "-");
	ask("replace routes begin", NULL, 0);
	stream(in, "", "replace routes add", NULL);
	ask("replace routes end", NULL, 0);
	fputs(self.json ? self.talk.answer : "", stdout);
}

/* add or delete: one route in the words, or many in a file. */
static void
run_one(const char *verb, int n, char **arg)
{
	struct sums sums = { 0 };
	char body[CTL_MAX_LINE], word[16];
	size_t k;

	if (n < 2 || strcmp(arg[0], "route") != 0)
		usage("add or delete what?");
	snprintf(word, sizeof(word), "%s ", verb);
	if (strcmp(arg[1], "-f") == 0 || strcmp(arg[1], "-") == 0) {
		if (n > 3 || (n == 2 && arg[1][1] == 'f'))
			usage("which file?");
		stream(open_lines(n == 3 ? arg[2] : "-"), word, "change routes",
		    &sums);
		print_sums(&sums);
		return;
	}
	k = (size_t)snprintf(body, sizeof(body), "%s", verb);
	for (int i = 1; i < n && k < sizeof(body); i++)
		k +=
		    (size_t)snprintf(body + k, sizeof(body) - k, " %s", arg[i]);
	if (k >= sizeof(body) || strchr(body, '\n'))
		usage("that is no route");
	ask("change routes", body, k);
	add_up(&sums);
	if (self.json)
		print_sums(&sums);
	if (sums.missing > 0) {
		fprintf(stderr, "routerctl: no such route: %s\n", arg[1]);
		exit(ROUTERCTL_REFUSED);
	}
}

static void
run_add(int n, char **arg)
{
	run_one("add", n, arg);
}

static void
run_delete(int n, char **arg)
{
	run_one("delete", n, arg);
}

/* --- pipeline ------------------------------------------------------------- */

/* What became of a revision; refused is an error. */
static void
print_revision(void)
{
	const struct json_node *all;
	const char *state, *why;
	struct json j;

	if (self.json)
		fputs(self.talk.answer, stdout);
	read_answer(&j);
	all = &j.node[0];
	state = json_text(&j, all, "state", "?");
	why = json_text(&j, all, "why", "");
	if (strcmp(state, "running") != 0) {
		fprintf(stderr, "routerctl: revision %s is %s: ",
		    json_text(&j, all, "number", "?"), state);
		print_safe(stderr, why, 0);
		fputc('\n', stderr);
		exit(ROUTERCTL_REFUSED);
	}
	if (!self.json)
		printf("revision %s is %s\n", json_text(&j, all, "number", "?"),
		    state);
	json_free(&j);
}

static void
put_pipeline(const char *path, const char *author)
{
	scoped_free char *text = malloc(CTL_MAX_TEXT + 1);
	FILE *in = open_lines(path);
	char words[CTL_MAX_LINE];
	size_t n;

	if (!text)
		exit(ROUTERCTL_AWAY);
	n = fread(text, 1, CTL_MAX_TEXT + 1, in);
	if (n == 0 || n > CTL_MAX_TEXT || ferror(in)) {
		fprintf(stderr, "routerctl: %s: no text of at most %d KiB\n",
		    path, CTL_MAX_TEXT >> 10);
		exit(ROUTERCTL_USAGE);
	}
	for (const char *p = author; *p; p++)
		if (!isgraph((unsigned char)*p) || p - author > 30)
			usage("the author is one short word");
	snprintf(words, sizeof(words), "put pipeline %s", author);
	ask(words, text, n);
	print_revision();
}

static void
run_pipeline(int n, char **arg)
{
	const char *user = getenv("USER");
	char words[CTL_MAX_LINE];

	if (n >= 2 && n <= 3 && strcmp(arg[0], "put") == 0) {
		put_pipeline(arg[1], n == 3            ? arg[2]
				     : user && user[0] ? user
						       : "routerctl");
	} else if (n == 2 && strcmp(arg[0], "rollback") == 0) {
		snprintf(
		    words, sizeof(words), "rollback pipeline %.20s", arg[1]);
		ask(words, NULL, 0);
		print_revision();
	} else {
		usage("pipeline put or rollback?");
	}
}

/* --- trace ---------------------------------------------------------------- */

static void
run_trace(int n, char **arg)
{
	char body[CTL_MAX_LINE * 2] = "";
	size_t k = 0;

	for (int i = 0; i < n && k < sizeof(body); i++)
		k += (size_t)snprintf(
		    body + k, sizeof(body) - k, "%s%s", i ? " " : "", arg[i]);
	if (n == 0 || k >= sizeof(body))
		usage("which packet?");
	show("trace packet", "trace", body);
}

static const struct {
	const char *word;
	void (*run)(int n, char **arg);
} commands[] = {
	{ "show", run_show },
	{ "add", run_add },
	{ "delete", run_delete },
	{ "change", run_change },
	{ "replace", run_replace },
	{ "pipeline", run_pipeline },
	{ "trace", run_trace },
};

int
main(int argc, char **argv)
{
	int c;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("routerctl " EUROPA_VERSION) < 0;
	if (argc == 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0))
		usage(NULL);
	/* words behind the command are its own */
	while ((c = getopt(argc, argv, "+js:h")) != -1) {
		if (c == 'j')
			self.json = true;
		else if (c == 's')
			self.socket = optarg;
		else
			usage(c == 'h' ? NULL : "no such option");
	}
	argc -= optind;
	argv += optind;
	for (size_t i = 0; argc > 0 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[0], commands[i].word) != 0)
			continue;
		talk_open(&self.talk, self.socket);
		commands[i].run(argc - 1, argv + 1);
		talk_close(&self.talk);
		return fflush(stdout) == 0 ? ROUTERCTL_DONE : ROUTERCTL_AWAY;
	}
	usage(argc > 0 ? "no such command" : "what?");
}
