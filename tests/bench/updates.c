/* SPDX-License-Identifier: Apache-2.0 */
/*
 * updates: changes routes of a router that forwards, by its own socket, and says
 * how long each answer took: when it comes, the fast paths know.
 *
 *	updates SOCKET ROUTER.CONF load
 *	updates SOCKET ROUTER.CONF PER_SECOND BATCH MS
 *
 * The first gives all routes of ROUTER.CONF as a whole table (replace routes).
 * The second waits until packets flow, and then announces longer prefixes of
 * its routes, gives them another way, and withdraws them, BATCH changes in a
 * request. There is always a way, so a packet that the router drops is a
 * mistake. Prints one JSON object.
 */
#include "router/ctl.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	PATIENCE_MS = 60000,
	MAX_ROUTES = 1 << 20,
	LONGER = 3000, /* announced at a time */
	MAX_ANSWERS = 1 << 20,
	FLOWS = 100000, /* forwarded: the measurement has begun */
};

static struct {
	int fd;
	char *line[MAX_ROUTES]; /* "PREFIX via GATEWAY", of /24 and shorter */
	unsigned n;
	char body[CTL_MAX_BODY];
	char answer[CTL_MAX_ANSWER + 2];
	double answer_us[MAX_ANSWERS];
	unsigned n_answers;
	uint32_t random;
} u = { .random = 7 };

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("updates: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void
open_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	uint64_t until = bench_now_ns() + PATIENCE_MS * UINT64_C(1000000);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	for (;;) {
		u.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (u.fd < 0)
			die("no socket");
		if (connect(u.fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return;
		close(u.fd);
		if (bench_now_ns() > until)
			die("no router at %s", path);
		bench_sleep_ms(5);
	}
}

static void
say(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(u.fd, p, n, MSG_NOSIGNAL);

		if (k < 0)
			die("the router has gone");
		p += k;
		n -= (size_t)k;
	}
}

static void
hear(char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = recv(u.fd, p, n, 0);

		if (k <= 0)
			die("the router has gone");
		p += k;
		n -= (size_t)k;
	}
}

/* A request with u.body; the answer is taken by hear_answer(). */
static void
tell(const char *words, size_t n_body)
{
	char head[64];

	snprintf(head, sizeof(head), "%s %zu\n", words, n_body);
	say(head, strlen(head));
	say(u.body, n_body);
}

/* The answer to the oldest request that has none, in u.answer. */
static void
hear_answer(void)
{
	char head[64];
	size_t n = 0, len;

	do
		hear(&head[n], 1);
	while (head[n] != '\n' && ++n < sizeof(head) - 1);
	len = strtoul(strchr(head, ' ') + 1, NULL, 10);
	if (len > CTL_MAX_ANSWER + 1)
		die("an answer that is too long");
	hear(u.answer, len);
	u.answer[len] = '\0';
	if (strncmp(head, "ok ", 3) != 0)
		die("%s", u.answer);
}

static void
ask(const char *words, size_t n_body)
{
	tell(words, n_body);
	hear_answer();
}

static unsigned long
counter(const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(u.answer, key);
	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

/* What the router has dropped so far, and how much it has forwarded. */
static unsigned long
dropped(unsigned long *forwarded)
{
	unsigned long n;

	ask("show counters", 0);
	n = counter("no_route") + counter("vnic_down") +
	    counter("bad_checksum") + counter("to_slow_unresolved") +
	    counter("slow_overflow") + counter("pipeline_drop") +
	    counter("pipeline_error");
	*forwarded = counter("forwarded");
	return n;
}

static void
read_routes(const char *path, unsigned max_len)
{
	FILE *in = fopen(path, "re");
	char line[128];
	unsigned len;

	if (!in)
		die("%s: cannot be read", path);
	while (u.n < MAX_ROUTES && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "route %*[0-9.]/%u via", &len) != 1 ||
		    len > max_len)
			continue;
		u.line[u.n] = strdup(line + strlen("route "));
		if (!u.line[u.n++])
			die("no memory");
	}
	fclose(in);
	if (u.n == 0)
		die("%s: no routes", path);
}

/* --- a whole table -------------------------------------------------------- */

/* The next request is written while the router reads the one before it. */
static void
load(void)
{
	uint64_t start = bench_now_ns();
	size_t n = 0;

	tell("replace routes begin", 0);
	for (unsigned i = 0; i < u.n; i++) {
		n += (size_t)snprintf(
		    u.body + n, sizeof(u.body) - n, "add %s\n", u.line[i]);
		if (n + 128 > sizeof(u.body) || i + 1 == u.n) {
			tell("replace routes add", n);
			hear_answer();
			n = 0;
		}
	}
	hear_answer();
	ask("replace routes end", 0);
	printf("{\"routes\": %u, \"load_ms\": %.1f}\n", u.n,
	    (double)(bench_now_ns() - start) / 1e6);
}

/* --- changes -------------------------------------------------------------- */

static uint32_t
next_random(void)
{
	u.random = u.random * 1664525 + 1013904223;
	return u.random >> 8;
}

/* A longer prefix of a route, its first half; and a way. */
static size_t
put_longer(char *out, size_t room, const char *verb, unsigned route, bool way)
{
	char ip[32];
	unsigned len;
	struct in_addr hop;
	size_t n;

	if (sscanf(u.line[route], "%31[0-9.]/%u", ip, &len) != 2)
		die("no route: %s", u.line[route]);
	n = (size_t)snprintf(out, room, "%s %s/%u", verb, ip, len + 1);
	hop.s_addr = htonl(BENCH_HOP_IP - next_random() % BENCH_HOPS);
	return n + (size_t)snprintf(out + n, room - n, way ? " via %s\n" : "\n",
		       inet_ntoa(hop));
}

/* The next of: announce one, give it another way, withdraw the oldest. */
static size_t
put_change(char *out, size_t room)
{
	static unsigned announced[LONGER], step;
	static uint64_t n_announced;
	unsigned i = (unsigned)(n_announced % LONGER);

	switch (step++ % 3) {
	case 0:
		announced[i] = next_random() % u.n;
		n_announced++;
		return put_longer(out, room, "add", announced[i], true);
	case 1:
		i = (unsigned)((n_announced - 1) % LONGER);
		return put_longer(out, room, "add", announced[i], true);
	default:
		/* the place is taken next */
		return n_announced < LONGER ? put_longer(out, room, "add",
						  next_random() % u.n, true)
					    : put_longer(out, room, "delete",
						  announced[i], false);
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
change(unsigned per_second, unsigned batch, unsigned ms)
{
	uint64_t start, now, done = 0, gap;
	unsigned long before, after, first, last;

	do {
		before = dropped(&first);
		bench_sleep_ms(10);
	} while (first < FLOWS);
	gap = UINT64_C(1000000000) * batch / per_second;
	start = bench_now_ns();
	before = dropped(&first);
	while ((now = bench_now_ns()) < start + ms * UINT64_C(1000000) &&
	       u.n_answers < MAX_ANSWERS) {
		uint64_t due = start + u.n_answers * gap;
		size_t n = 0;

		if (now < due) {
			usleep((unsigned)((due - now) / 1000));
			continue;
		}
		for (unsigned i = 0; i < batch; i++)
			n += put_change(u.body + n, sizeof(u.body) - n);
		now = bench_now_ns();
		ask("change routes", n);
		u.answer_us[u.n_answers++] =
		    (double)(bench_now_ns() - now) / 1000;
		done += batch;
	}
	now = bench_now_ns();
	after = dropped(&last);
	qsort(u.answer_us, u.n_answers, sizeof(*u.answer_us), compare);
	printf("{\"updates\": %.1f, \"answer_p50_us\": %.1f, "
	       "\"answer_p99_us\": %.1f, \"answer_max_us\": %.1f, "
	       "\"dropped\": %lu, \"forwarded\": %lu}\n",
	    (double)done * 1e9 / (double)(now - start),
	    u.answer_us[u.n_answers / 2], u.answer_us[u.n_answers * 99 / 100],
	    u.answer_us[u.n_answers - 1], after - before, last - first);
}

int
main(int argc, char **argv)
{
	bool is_load = argc == 4 && strcmp(argv[3], "load") == 0;

	if (!is_load && argc != 6)
		die("usage: updates SOCKET ROUTER.CONF "
		    "(load | PER_SECOND BATCH MS)");
	read_routes(argv[2], is_load ? 32 : 24);
	puts("ready");
	fflush(stdout);
	open_socket(argv[1]);
	if (is_load)
		load();
	else if (atoi(argv[3]) > 0 && atoi(argv[4]) > 0 && atoi(argv[4]) < 1000)
		change((unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]),
		    (unsigned)atoi(argv[5]));
	else
		die("not understood");
	return 0;
}
