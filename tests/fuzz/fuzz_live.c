/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_live: what comes to europad for routers at run time, from both sides. Of
 * a client, lines of routes: however they are cut, they come to the same end,
 * and what is accepted becomes lines that a router's parser takes, each with a
 * prefix. Of a router, an answer on its own socket: the question is answered
 * once, by an object or not at all. Inputs are bytes as they are, or words that
 * mean something.
 */
#include "tests/fuzz/fuzz.h"

#include "agent/ctlclient.h"
#include "api/route_lines.h"
#include "lib/base.h"

#include <sys/socket.h>

enum { MAX_TEXT = 4096, LINE_BYTES = 192 };

static struct {
	struct loop *loop;
	struct ctlclient *client;
	int far; /* its end of the stream */
	const uint8_t *bytes;
	size_t n;
	unsigned n_told;
	int rc;
	uint64_t n_good;
} f = { .far = -1 };

uint64_t
fuzz_count(void)
{
	return f.n_good;
}

/* --- a router's end, instead of initlink.c -------------------------------- */

int
initlink_open_control(struct initlink *k, int *out)
{
	int pair[2];

	(void)k;
	FUZZ_MUST(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	FUZZ_MUST(send(pair[1], f.bytes, f.n, MSG_NOSIGNAL) == (ssize_t)f.n);
	shutdown(pair[1], SHUT_WR);
	*out = pair[0];
	base_close(f.far);
	f.far = pair[1]; /* it goes on listening */
	return 0;
}

ssize_t
initlink_read(struct initlink *k, int fd, void *buf, size_t n)
{
	ssize_t got = recv(fd, buf, n, MSG_DONTWAIT);

	(void)k;
	return got < 0 ? -errno : got;
}

void
initlink_close(struct initlink *k, int fd)
{
	(void)k;
	close(fd);
}

static void
told(void *arg, int rc, const json_t *json)
{
	(void)arg;
	f.n_told++;
	f.rc = rc;
	FUZZ_MUST((rc == 0 || rc == -EREMOTEIO) == json_is_object(json));
	f.n_good += rc == 0;
	loop_stop(f.loop, 0);
}

static void
answer(const uint8_t *bytes, size_t n)
{
	const struct ctlclient_question q = {
		.words = "show pipeline",
		.timeout_ms = 60000,
		.done = told,
	};

	f.bytes = bytes;
	f.n = n;
	f.n_told = 0;
	FUZZ_MUST(ctlclient_ask(f.client, &q) == 0);
	while (f.n_told == 0)
		FUZZ_MUST(loop_run(f.loop) == 0);
	ctlclient_hang_up(f.client, -ENOTCONN);
	FUZZ_MUST(f.n_told == 1);
}

/* --- a client's lines ----------------------------------------------------- */

/* Whole, or in pieces that follow from seed. Returns what end says. */
static int
feed(const char *text, size_t n, unsigned seed, struct route_lines **out,
    struct problem *p)
{
	struct route_lines *l;

	FUZZ_MUST(route_lines_new("/tmp", true, &l) == 0);
	for (size_t at = 0; at < n;) {
		size_t k = seed ? 1 + (at * 31 + seed) % 97 : n;

		k = MIN(k, n - at);
		route_lines_take(l, text + at, k);
		at += k;
	}
	problem_init(p);
	*out = l;
	return route_lines_end(l, p);
}

static void
check_file(const struct route_lines *l)
{
	static char text[1 << 20];
	size_t n = route_lines_bytes(l), lines = 0;
	char *rest, *line;

	FUZZ_MUST(n < sizeof(text));
	FUZZ_MUST(pread(route_lines_fd(l), text, n, 0) == (ssize_t)n);
	FUZZ_MUST(n == 0 || text[n - 1] == '\n');
	FUZZ_MUST(!memchr(text, '\0', n));
	text[n] = '\0';
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest), lines++) {
		FUZZ_MUST(strlen(line) < LINE_BYTES);
		FUZZ_MUST(strncmp(line, "add ", 4) == 0 ||
			  strncmp(line, "delete ", 7) == 0);
		FUZZ_MUST(strchr(line, '/') != NULL);
		FUZZ_MUST(!strstr(line, "  ") && !strpbrk(line, "\r\t\"{}"));
	}
	FUZZ_MUST(lines == route_lines_count(l));
}

static void
check_lines(const char *text, size_t n, unsigned seed)
{
	struct route_lines *whole, *cut;
	struct problem p, p2;
	int rc = feed(text, n, 0, &whole, &p);
	int rc2 = feed(text, n, seed + 1, &cut, &p2);

	FUZZ_MUST(rc == rc2 && p.status == p2.status);
	FUZZ_MUST((rc == 0) == (p.status == 0));
	FUZZ_MUST(route_lines_bytes(whole) == route_lines_bytes(cut));
	if (rc == 0) {
		check_file(whole);
		f.n_good += route_lines_count(whole) > 0;
	}
	problem_clear(&p);
	problem_clear(&p2);
	route_lines_free(whole);
	route_lines_free(cut);
}

/* --- words ---------------------------------------------------------------- */

static const char *const of_client[] = { "{\"prefix\":\"10.0.0.0/8\",", "\n",
	"\"via\":\"198.18.0.1\"}\n", "\"vnic\":\"eth0\"}\n",
	"{\"op\":\"delete\",\"prefix\":\"2001:db8::/32\"}\n", "\"op\":\"add\",",
	"{", "}", "null", "\"prefix\":\"::/0\"", "\\u0000", "[[[[", " ", "\r",
	"{\"prefix\":\"1.2.3.4/24\",\"vnic\":\"a\"}\n",
	"{\"prefix\":\"::1/128\",\"via\":\"fe80::1\",\"vnic\":\"z\"}\n" };

static const char *const of_router[] = { "ok 2\n", "error 2\n", "{}", "ok 8\n",
	"{\"a\":1}\n", "ok ", "12", "\n", "ok 99999999\n", "error ", "[]",
	"ok 15\n{\"running\":12}\n", " ", "0", "{\"a\":", "\"\\ud800\"" };

static size_t
write_words(struct fuzz_input *in, const char *const *words, char *out)
{
	size_t n = 0;

	while (in->left > 0 && n < MAX_TEXT - 128) {
		const char *w = words[fuzz_u8(in) % 16];

		memcpy(out + n, w, strlen(w));
		n += strlen(w);
		if (fuzz_u8(in) < 16)
			out[n - 1] = (char)fuzz_u8(in);
		if (fuzz_u8(in) < 8)
			break;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned how = fuzz_u8(&in), seed = fuzz_u8(&in);
	char text[MAX_TEXT];
	size_t n;

	if (!f.loop) {
		FUZZ_MUST(loop_new(&f.loop) == 0);
		FUZZ_MUST(ctlclient_new(f.loop, NULL, &f.client) == 0);
	}
	if (how % 4 == 0)
		check_lines((const char *)in.p, in.left, seed);
	else if (how % 4 == 1)
		answer(in.p, MIN(in.left, (size_t)MAX_TEXT));
	else if (how % 4 == 2) {
		n = write_words(&in, of_client, text);
		check_lines(text, n, seed);
	} else {
		n = write_words(&in, of_router, text);
		answer((const uint8_t *)text, n);
	}
	return 0;
}
