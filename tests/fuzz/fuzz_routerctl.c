/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_routerctl: both ends of the router's own socket. A client that says
 * anything: requests made of words that mean something, or the input as it is;
 * every answer must be one, and the slow path's plan must in the end say what
 * the table of routes says. And an answer that is anything, for routerctl.
 */
#include "tests/fuzz/fuzz.h"

#include "router/ctl_server.h"
#include "router/routerctl.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

enum { MAX_SAID = 8192, MAX_TURNS = 64, IDLE_TURNS = 4 };

static struct {
	struct slow slow;
	struct feed feed;
	struct live live;
	struct ctl ctl;
	struct plan *plan;
	uint64_t n_answers;
} f;

uint64_t
fuzz_count(void)
{
	return f.n_answers;
}

/*
 * A plan stays from one input to the next, and what it has is found only through
 * pages of fib_map(), in which the sanitizer does not look: no leaks are sought.
 */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static const char conf[] = "vnic 0 eth0 mac 0a:00:00:00:00:01 mtu 1500\n"
			   "address eth0 198.18.0.1/24\n"
			   "address eth0 2001:db8::1/64\n"
			   "route 192.0.2.0/24 via 198.18.0.2\nend\n";

/* --- the slow path, without packets --------------------------------------- */

static void
publish(void)
{
	static uint8_t used[1];
	struct port ports[VNIC_MAX_VNICS] = {
		{ .up = 1, .mac = { 10, 0, 0, 0, 0, 1 }, .mtu = 1500 }
	};
	struct neighbour nb = { .ip = 0xc6120002, .mac = { 14 } };
	struct tables *t = tables_make(f.plan, ports, &nb, 1, used);

	FUZZ_MUST(t != NULL);
	plan_seal(f.plan);
	publish_swap(&f.slow.publish, t);
	publish_reclaim(&f.slow.publish);
	plan_release(f.plan);
}

static void
slow_turn(void)
{
	bool given = update_is_given(&f.feed.update);
	struct plan *p = atomic_exchange_explicit(
	    &f.slow.new_plan, NULL, memory_order_seq_cst);
	struct update *u = &f.feed.update;

	if (p) {
		plan_free(f.plan);
		f.plan = p;
		publish();
	}
	for (; given && u->at < u->n; u->at++) {
		struct update_op *op = &u->op[u->at];

		do {
			op->rc = plan_change(
			    f.plan, &op->route, op->kind == UPDATE_ADD);
			if (op->rc == -EAGAIN)
				publish();
		} while (op->rc == -EAGAIN);
	}
	if (given)
		update_end(u);
	if (snapshot_is_wanted(&f.ctl.snapshot))
		snapshot_give(&f.ctl.snapshot);
}

static void
set_up(void)
{
	struct ctl_view view = {
		.slow = &f.slow, .feed = &f.feed, .live = &f.live
	};
	struct script_text c = { .name = "c" };
	struct routerconf empty = { 0 }, read;
	char text[sizeof(conf)];
	struct err e;
	FILE *in;

	memcpy(text, conf, sizeof(text));
	in = fmemopen(text, sizeof(text) - 1, "r");
	FUZZ_MUST(in && routerconf_parse(in, "text", &read, &e) == 0);
	fclose(in);
	FUZZ_MUST(plan_make(&empty, &f.plan) == 0);
	FUZZ_MUST(feed_open(&f.feed, "/nowhere/router.conf", &f.slow) == 0);
	f.feed.journal.path[0] = '\0'; /* none */
	FUZZ_MUST(ctl_open(&f.ctl, "/nowhere/router.conf", &view) < 0);
	f.live.n_fast = 0;
	f.live.said = true; /* and so no pipeline can be put */
	FUZZ_MUST(script_new(&c, &f.live.script[LIVE_NOW][0], &e) == 0);
	FUZZ_MUST(feed_conf(&f.feed, &read) == 0);
	slow_turn();
}

/* --- a client ------------------------------------------------------------- */

/* Whole answers, each JSON that routerctl understands. */
static void
check_answers(char *text, size_t n)
{
	char *at = text, *end = text + n;

	while (at < end) {
		unsigned long len;
		char after;
		char *line = memchr(at, '\n', (size_t)(end - at));
		struct json j;

		if (!line)
			return; /* it is on its way */
		FUZZ_MUST(strncmp(at, "ok ", 3) == 0 ||
			  strncmp(at, "error ", 6) == 0);
		len = strtoul(strchr(at, ' ') + 1, &line, 10);
		FUZZ_MUST(*line == '\n' && len <= CTL_MAX_ANSWER + 1);
		if (len > (size_t)(end - line - 1))
			return;
		at = line + 1 + len;
		FUZZ_MUST(at[-1] == '\n');
		after = *at;
		*at = '\0';
		FUZZ_MUST(json_read(&j, line + 1) == 0);
		json_free(&j);
		*at = after;
		f.n_answers++;
	}
}

/* What the plan does with an address, and what the routes say. */
static void
compare(void)
{
	struct route r = { .len = ROUTES_BEFORE_ALL };

	for (unsigned n = 0;
	     routes_set_next(&f.feed.routes.of[ROUTE_API], &r) && n < 64; n++) {
		uint16_t hop = fib4_lookup(f.plan->fib, (uint32_t)r.prefix.lo);

		FUZZ_MUST(hop != HOP_I_NONE ||
			  plan_way_out(f.feed.conf.vnic, &r) == VNIC_MAX_VNICS);
	}
}

static void
turn(void)
{
	ctl_turn(&f.ctl);
	feed_turn(&f.feed);
	slow_turn();
	feed_turn(&f.feed);
}

/* What there is no node for, and what takes its time. */
static bool
is_left_out(const char *said, size_t n)
{
	return memmem(said, n, "interf", 6) || memmem(said, n, "time", 4);
}

static void
talk(const char *said, size_t n)
{
	static char heard[4 << 20];
	size_t n_heard = 0, at = 0;
	int pair[2];

	FUZZ_MUST(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	FUZZ_MUST(ctl_adopt(&f.ctl, pair[1]) == 0);
	for (unsigned idle = 0; idle < IDLE_TURNS;) {
		ssize_t k = send(pair[0], said + at, n - at, MSG_NOSIGNAL);

		idle = k > 0 ? 0 : idle + 1;
		at += k > 0 ? (size_t)k : 0;
		turn();
		k = recv(
		    pair[0], heard + n_heard, sizeof(heard) - 1 - n_heard, 0);
		n_heard += k > 0 ? (size_t)k : 0;
		if (k == 0)
			break;
		idle = k > 0 ? 0 : idle;
	}
	close(pair[0]);
	/* what it still does ends, then it goes */
	for (unsigned i = 0; i < MAX_TURNS && ctl_timeout(&f.ctl) >= 0; i++)
		turn();
	FUZZ_MUST(ctl_timeout(&f.ctl) < 0);
	heard[n_heard] = '\0';
	check_answers(heard, n_heard);
	compare();
}

/* --- what it says --------------------------------------------------------- */

static const char *const heads[] = { "show routes", "show neighbours",
	"show counters", "show drops", "show pipeline", "show revision 0",
	"show routes source api", "show routes after api/0.0.0.0/0",
	"show routes after static/::/255", "change routes", "change routes",
	"change routes", "replace routes begin", "replace routes add",
	"replace routes end", "replace routes cancel", "put pipeline me",
	"rollback pipeline 0", "time pipeline 0", "trace packet",
	"trace packet" };
static const char *const words[] = { "add", "delete", "via", "dev", "eth0",
	"198.18.0.2", "198.18.0.3", "2001:db8::2", "192.0.2.0/24",
	"203.0.113.0/25", "0.0.0.0/0", "10.0.0.0/8", "2001:db8:9::/48", "::/0",
	"src", "dst", "udp", "tcp", "53", "icmp", "ttl", "1", "in", "len",
	"1400", "proto", "89", "df", "sport" };
static const char *const lines[] = { "add 192.0.2.0/24 via 198.18.0.3\n",
	"add 203.0.113.0/25 via 198.18.0.2\n", "delete 203.0.113.0/25\n",
	"add 2001:db8:9::/48 via 2001:db8::2\n", "delete 2001:db8:9::/48\n",
	"add 10.0.0.0/8 dev eth0\n", "delete 10.0.0.0/8\n",
	"src 198.18.0.2 dst 192.0.2.1 ", "src 2001:db8::2 dst 2001:db8:9::1 " };

static size_t
make_body(struct fuzz_input *in, char *out, size_t room)
{
	unsigned left = fuzz_u8(in) % 16;
	size_t n = 0;

	while (left-- > 0 && n + 64 < room) {
		unsigned v = fuzz_u8(in);

		if (v < 128)
			n += (size_t)snprintf(out + n, room - n, "%s",
			    lines[v % ARRAY_SIZE(lines)]);
		else
			n += (size_t)snprintf(out + n, room - n, "%s%c",
			    words[fuzz_u8(in) % ARRAY_SIZE(words)],
			    v & 1 ? '\n' : ' ');
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char said[MAX_SAID], text[MAX_SAID + 1], body[1024];
	struct fuzz_input in = { data, size };
	unsigned left = fuzz_u8(&in) % 8;
	struct json j;
	size_t n = 0;

	if (!f.plan)
		set_up();
	if (size < sizeof(text)) {
		memcpy(text, data, size);
		text[size] = '\0';
		(void)json_read(&j, text);
		json_free(&j);
		if (!is_left_out((const char *)data, size))
			talk((const char *)data, size);
	}
	while (left-- > 0 && n + sizeof(body) + 64 < sizeof(said)) {
		size_t k = make_body(&in, body, sizeof(body));
		const char *head = heads[fuzz_u8(&in) % ARRAY_SIZE(heads)];
		bool wants = strstr(head, "change") || strstr(head, "add") ||
			     strstr(head, "trace") || strstr(head, "put");

		if (!wants)
			k = 0;
		n += (size_t)snprintf(
		    said + n, sizeof(said) - n, "%s %zu\n", head, k);
		memcpy(said + n, body, k);
		n += k;
	}
	talk(said, n);
	return 0;
}
