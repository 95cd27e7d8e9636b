/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apiload: what asks the REST interface for something, over and over, and who
 * only drips. One thread; no HTTP but what europad says.
 *
 *	apiload get WHERE CONNECTIONS MS PATH [keep|fresh [GAP_US]]
 *	apiload drip WHERE CONNECTIONS MS ADDRESSES
 *
 * WHERE is a unix socket, or PORT@ADDRESS: of 127.0.0.1, from that address. The
 * first asks MS long, each connection again when it has its answer (and, after
 * it, GAP_US; then there is one connection), and says how long that took; with
 * fresh, a connection has one request, and connecting is in its time. The second
 * opens its connections from so many addresses, beginning with the one given,
 * and sends a byte of a header a second on each; who is hung up on comes again
 * with its next byte. Prints one JSON object. EUROPA_TOKEN is sent if it is set.
 */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	MAX_CONNECTIONS = 4096,
	MAX_SAMPLES = 1 << 21,
	HEAD_BYTES = 2048,
	CHUNK = 256 << 10,
	STEPS = 100, /* in which a second's bytes are sent */
};

struct client {
	int fd;
	uint64_t asked_ns;
	size_t n_head;    /* of the answer, so far */
	size_t body_left; /* of its body, once the head is there */
	bool has_head;
	char head[HEAD_BYTES];
};

static struct {
	struct client client[MAX_CONNECTIONS];
	unsigned n;
	bool is_tcp, is_fresh;
	struct sockaddr_in to, from;
	struct sockaddr_un path;
	char request[1024];
	size_t n_request;
	int epoll;
	unsigned gap_us;
	unsigned addresses; /* that drip */
	uint64_t end_ns;
	uint32_t us[MAX_SAMPLES]; /* of the answers, in tenths */
	unsigned n_answers;
	uint64_t n_bytes, n_opened, n_refused;
	char chunk[CHUNK];
} a;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "apiload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
read_where(const char *where)
{
	char *at;

	if (*where == '/') {
		a.path.sun_family = AF_UNIX;
		if (strlen(where) >= sizeof(a.path.sun_path))
			die("the socket's name is too long");
		strcpy(a.path.sun_path, where);
		return;
	}
	a.is_tcp = true;
	a.to.sin_family = a.from.sin_family = AF_INET;
	a.to.sin_port = htons((uint16_t)strtoul(where, &at, 10));
	a.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (*at != '@' || inet_pton(AF_INET, at + 1, &a.from.sin_addr) != 1)
		die("want PORT@ADDRESS");
}

/* Returns a socket that is connected or will be, or -1: nobody takes it. */
static int
dial(unsigned address, bool waits)
{
	struct sockaddr_in from = a.from;
	int flags = SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK);
	int one = 1, fd = socket(a.is_tcp ? AF_INET : AF_UNIX, flags, 0);
	int rc;

	if (fd < 0)
		die("socket");
	if (!a.is_tcp) {
		rc = connect(fd, (void *)&a.path, sizeof(a.path));
	} else {
		from.sin_addr.s_addr =
		    htonl(ntohl(from.sin_addr.s_addr) + address);
		setsockopt(
		    fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (bind(fd, (void *)&from, sizeof(from)) < 0)
			die("bind");
		rc = connect(fd, (void *)&a.to, sizeof(a.to));
	}
	a.n_opened++;
	if (rc == 0 || errno == EINPROGRESS)
		return fd;
	a.n_refused++;
	close(fd);
	return -1;
}

/* --- get ------------------------------------------------------------------ */

static void
make_request(const char *path)
{
	const char *token = getenv("EUROPA_TOKEN");
	int n = snprintf(a.request, sizeof(a.request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n", path,
	    token ? "Authorization: Bearer " : "", token ? token : "",
	    token ? "\r\n" : "");

	if (n < 0 || (size_t)n >= sizeof(a.request))
		die("the path is too long");
	a.n_request = (size_t)n;
}

/* Sends the request, on a new connection if it has none. */
static void
ask(struct client *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->asked_ns = bench_now_ns();
	c->n_head = 0;
	c->has_head = false;
	if (c->fd < 0) {
		c->fd = dial(0, true);
		if (c->fd < 0 ||
		    epoll_ctl(a.epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0)
			die("cannot connect");
	}
	if (send(c->fd, a.request, a.n_request, MSG_NOSIGNAL) !=
	    (ssize_t)a.n_request)
		die("cannot send a request");
}

/* Copies what belongs to the head; returns how many bytes did. */
static size_t
take_head(struct client *c, const char *bytes, size_t n)
{
	size_t before = c->n_head, room = HEAD_BYTES - 1 - before;
	size_t taken = MIN(n, room);
	const char *end, *length;

	memcpy(c->head + before, bytes, taken);
	c->head[before + taken] = '\0';
	c->n_head += taken;
	end = strstr(c->head, "\r\n\r\n");
	if (!end && taken == room)
		die("the head of an answer is too long");
	if (!end)
		return taken;
	length = strcasestr(c->head, "\r\nContent-Length:");
	if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0 || !length)
		die(c->head);
	c->has_head = true;
	c->body_left = strtoul(length + 17, NULL, 10);
	return (size_t)(end + 4 - c->head) - before;
}

static void
answered(struct client *c)
{
	uint64_t now = bench_now_ns();

	if (a.n_answers < MAX_SAMPLES)
		a.us[a.n_answers++] = (uint32_t)((now - c->asked_ns) / 100);
	if (a.is_fresh) {
		close(c->fd);
		c->fd = -1;
	}
	if (a.gap_us)
		usleep(a.gap_us);
	if (now < a.end_ns)
		ask(c);
}

static void
hear(struct client *c)
{
	ssize_t n = recv(c->fd, a.chunk, CHUNK, MSG_DONTWAIT);
	size_t at = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("hung up");
	a.n_bytes += (size_t)n;
	if (!c->has_head)
		at = take_head(c, a.chunk, (size_t)n);
	if (!c->has_head)
		return;
	if ((size_t)n - at > c->body_left)
		die("more than an answer");
	c->body_left -= (size_t)n - at;
	if (c->body_left == 0)
		answered(c);
}

static int
by_size(const void *x, const void *y)
{
	const uint32_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static double
quantile_us(double share)
{
	unsigned i = (unsigned)(share * a.n_answers);

	return a.us[MIN(i, a.n_answers - 1)] / 10.0;
}

static void
get(unsigned ms)
{
	uint64_t start = bench_now_ns();
	struct epoll_event ev[64];

	a.epoll = epoll_create1(EPOLL_CLOEXEC);
	a.end_ns = start + (uint64_t)ms * 1000000;
	for (unsigned i = 0; i < a.n; i++) {
		a.client[i].fd = -1;
		ask(&a.client[i]);
	}
	while (bench_now_ns() < a.end_ns) {
		int n = epoll_wait(a.epoll, ev, ARRAY_SIZE(ev), 100);

		for (int i = 0; i < n; i++)
			hear(ev[i].data.ptr);
	}
	if (a.n_answers == 0)
		die("no answer");
	qsort(a.us, a.n_answers, sizeof(a.us[0]), by_size);
	printf("{\"answers\":%u,\"per_s\":%.0f,\"bytes\":%.0f,\"p50_us\":%.1f,"
	       "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
	    a.n_answers, a.n_answers * 1e9 / (double)(bench_now_ns() - start),
	    (double)a.n_bytes / a.n_answers, quantile_us(0.5),
	    quantile_us(0.99), quantile_us(0.999), quantile_us(1));
}

/* --- drip ----------------------------------------------------------------- */

/* A byte, on a connection that is there. */
static void
drop(struct client *c)
{
	static const char begin[] =
	    "GET /v1 HTTP/1.1\r\nHost: localhost\r\nX: ";
	unsigned i = (unsigned)(c - a.client);
	ssize_t n;

	if (c->fd >= 0) {
		n = recv(c->fd, a.chunk, CHUNK, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			close(c->fd);
			c->fd = -1;
		}
	}
	if (c->fd < 0) {
		c->fd = dial(i % a.addresses, false);
		c->has_head = false;
	}
	if (c->fd < 0)
		return;
	/* the first time it may not be connected yet: then with the next */
	n = c->has_head ? send(c->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT)
			: send(c->fd, begin, sizeof(begin) - 1,
			      MSG_NOSIGNAL | MSG_DONTWAIT);
	c->has_head |= n > 0;
}

static void
drip(unsigned ms, unsigned addresses)
{
	uint64_t start = bench_now_ns(), step_ns = 1000000000 / STEPS;
	unsigned open = 0;

	a.addresses = addresses;
	for (unsigned i = 0; i < a.n; i++)
		a.client[i].fd = -1;
	for (unsigned step = 0; step * step_ns < ms * 1000000ULL; step++) {
		uint64_t due = start + step * step_ns, now = bench_now_ns();

		if (due > now)
			usleep((unsigned)((due - now) / 1000));
		for (unsigned i = step % STEPS; i < a.n; i += STEPS)
			drop(&a.client[i]);
	}
	for (unsigned i = 0; i < a.n; i++)
		open += a.client[i].fd >= 0 && recv(a.client[i].fd, a.chunk, 1,
						   MSG_DONTWAIT | MSG_PEEK) < 0;
	printf("{\"opened\":%llu,\"refused\":%llu,\"open\":%u}\n",
	    (unsigned long long)a.n_opened, (unsigned long long)a.n_refused,
	    open);
}

int
main(int argc, char **argv)
{
	struct rlimit files = { MAX_CONNECTIONS + 64, MAX_CONNECTIONS + 64 };
	bool drips;

	if (argc < 6)
		die("see the head of this file");
	drips = strcmp(argv[1], "drip") == 0;
	read_where(argv[2]);
	a.n = (unsigned)atoi(argv[3]);
	if (a.n == 0 || a.n > MAX_CONNECTIONS)
		die("so many connections");
	if (drips && setrlimit(RLIMIT_NOFILE, &files) < 0)
		die("setrlimit");
	if (drips) {
		drip((unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
		return 0;
	}
	make_request(argv[5]);
	a.is_fresh = argc > 6 && strcmp(argv[6], "fresh") == 0;
	a.gap_us = argc > 7 ? (unsigned)atoi(argv[7]) : 0;
	if (a.gap_us && a.n > 1)
		die("a gap is for one connection");
	get((unsigned)atoi(argv[4]));
	return 0;
}
