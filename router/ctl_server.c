/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_server: see ctl_server.h.
 */
#include "router/ctl_int.h"

#include "lib/log.h"
#include "lib/loop.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* --- answers -------------------------------------------------------------- */

const char *
ctl_code_name(enum ctl_code code)
{
	static const char *const names[CTL_N_CODES] = {
		[CTL_OK] = "ok",
		[CTL_MALFORMED] = "malformed",
		[CTL_UNKNOWN] = "unknown",
		[CTL_INVALID] = "invalid",
		[CTL_UNREACHABLE] = "unreachable",
		[CTL_MISSING] = "missing",
		[CTL_BUSY] = "busy",
		[CTL_FULL] = "full",
		[CTL_FAILED] = "failed",
	};

	return names[code];
}

void
ctl_answer(struct ctl_client *k)
{
	if (k->answer.bad) {
		ctl_error(k, CTL_FAILED, 0, "no memory for the answer");
		return;
	}
	text_put(&k->answer, "\n", 1);
	snprintf(k->head, sizeof(k->head), "%s %zu\n",
	    k->code == CTL_OK ? "ok" : "error", k->answer.n);
	k->n_sent = 0;
	k->work = NULL;
	k->state = CTL_WRITES;
	k->due_ms = loop_now_ms() + CTL_ANSWER_MS;
}

void
ctl_error(struct ctl_client *k, enum ctl_code code, unsigned line,
    const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	text_free(&k->answer);
	text_open(&k->answer, NULL, '{');
	text_string(&k->answer, "error", why);
	text_string(&k->answer, "code", ctl_code_name(code));
	if (line > 0)
		text_number(&k->answer, "line", line);
	text_close(&k->answer, '{');
	k->code = code;
	if (k->answer.bad) { /* not even for that */
		k->last = true;
		k->answer.n = 0;
		k->answer.bad = false;
	}
	ctl_answer(k);
}

/* --- clients -------------------------------------------------------------- */

static void
begin_request(struct ctl_client *k)
{
	k->state = CTL_READS_LINE;
	k->due_ms = loop_now_ms() + CTL_IDLE_MS;
	k->n_line = k->n_body = k->body_len = 0;
	k->code = CTL_OK;
	k->work = NULL;
	free(k->body);
	k->body = NULL;
	free(k->change);
	k->change = NULL;
	k->n_changes = k->at = 0;
	k->n_added = k->n_changed = k->n_deleted = k->n_missing = 0;
	text_free(&k->answer);
}

static void
end_client(struct ctl *c, unsigned i)
{
	struct ctl_client *k = c->client[i];

	begin_request(k);
	ctl_forget_replacement(k);
	ctl_end_timing(k);
	ctl_end_trace(k);
	base_close(k->fd);
	free(k);
	c->client[i] = NULL;
}

int
ctl_adopt(struct ctl *c, int fd)
{
	struct ctl_client *k;
	unsigned i = 0;

	while (i < CTL_MAX_CLIENTS && c->client[i])
		i++;
	k = i < CTL_MAX_CLIENTS ? calloc(1, sizeof(*k)) : NULL;
	if (!k) {
		static const char busy[] =
		    "{\"error\":\"too many clients\",\"code\":\"busy\"}\n";
		char all[sizeof(busy) + 16];
		int n = snprintf(
		    all, sizeof(all), "error %zu\n%s", sizeof(busy) - 1, busy);

		(void)send(fd, all, (size_t)n, MSG_NOSIGNAL);
		base_close(fd);
		return -EMFILE;
	}
	k->fd = fd;
	text_init(&k->answer, CTL_MAX_ANSWER);
	begin_request(k);
	c->client[i] = k;
	return 0;
}

/* --- requests ------------------------------------------------------------- */

static const struct {
	const char *word;
	void (*run)(struct ctl *c, struct ctl_client *k);
	size_t max_body;
} commands[] = {
	{ "show", ctl_show, 0 },
	{ "change", ctl_change, CTL_MAX_BODY },
	{ "replace", ctl_replace, CTL_MAX_BODY },
	{ "put", ctl_put, CTL_MAX_TEXT },
	{ "rollback", ctl_rollback, 0 },
	{ "time", ctl_time, 0 },
	{ "trace", ctl_trace, CTL_MAX_BODY },
};

static void
malformed(struct ctl_client *k, const char *why)
{
	k->last = true;
	ctl_error(k, CTL_MALFORMED, 0, "%s", why);
}

static bool
read_number(const char *s, size_t max, size_t *out)
{
	size_t v = 0;

	if (*s == '\0' || (s[0] == '0' && s[1]))
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (size_t)(*s - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}

/* Words with one space between them. */
static bool
split(struct ctl_client *k)
{
	char *at = k->line;

	k->n_words = 0;
	for (;;) {
		size_t n = strcspn(at, " ");

		if (n == 0 || k->n_words == CTL_MAX_WORDS)
			return false;
		k->word[k->n_words++] = at;
		if (at[n] == '\0')
			return true;
		at[n] = '\0';
		at += n + 1;
	}
}

static void
run(struct ctl *c, struct ctl_client *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(k->word[0], commands[i].word) != 0)
			continue;
		if (k->body_len > commands[i].max_body)
			ctl_error(k, CTL_INVALID, 0,
			    "a body of more than %zu bytes",
			    commands[i].max_body);
		else
			commands[i].run(c, k);
		return;
	}
	ctl_error(k, CTL_UNKNOWN, 0, "no such command: %s", k->word[0]);
}

/* A whole line is there, without its end. */
static void
take_line(struct ctl *c, struct ctl_client *k)
{
	for (const char *p = k->line; *p; p++)
		if (*p < ' ' || *p > '~') {
			malformed(k, "only printable ASCII in a request");
			return;
		}
	if (!split(k) || k->n_words < 2 ||
	    !read_number(k->word[k->n_words - 1], CTL_MAX_TEXT, &k->body_len)) {
		malformed(k,
		    "a request is words with one space between them, and the "
		    "length of what follows");
		return;
	}
	k->n_words--;
	k->body = malloc(k->body_len + 1);
	if (!k->body) {
		k->last = true; /* the body cannot be passed over */
		ctl_error(k, CTL_FAILED, 0, "no memory");
		return;
	}
	k->state = CTL_READS_BODY;
	if (k->body_len == 0) {
		k->body[0] = '\0';
		run(c, k);
	}
}

/*
 * Takes the line alone out of the socket: what is behind it stays there. Returns
 * false when there is no more now, or it is over (*gone).
 */
static bool
read_line(struct ctl *c, struct ctl_client *k, bool *gone)
{
	char *at = k->line + k->n_line, *end;
	size_t room = sizeof(k->line) - k->n_line;
	ssize_t n = recv(k->fd, at, room, MSG_PEEK);

	if (n <= 0) {
		*gone = n == 0 || (errno != EAGAIN && errno != EINTR);
		return false;
	}
	if (k->n_line == 0)
		k->due_ms = loop_now_ms() + CTL_REQUEST_MS;
	end = memchr(at, '\n', (size_t)n);
	n = recv(k->fd, at, end ? (size_t)(end - at) + 1 : (size_t)n, 0);
	if (n <= 0)
		return false;
	k->n_line += (size_t)n;
	if (end) {
		*end = '\0';
		if (memchr(k->line, '\0', (size_t)(end - k->line)))
			malformed(k, "a zero byte in a request");
		else
			take_line(c, k);
	} else if (k->n_line == sizeof(k->line)) {
		malformed(k, "a line too long");
	}
	return true;
}

static bool
read_body(struct ctl *c, struct ctl_client *k, bool *gone)
{
	ssize_t n =
	    recv(k->fd, k->body + k->n_body, k->body_len - k->n_body, 0);

	if (n <= 0) {
		*gone = n == 0 || (errno != EAGAIN && errno != EINTR);
		return false;
	}
	k->n_body += (size_t)n;
	if (k->n_body == k->body_len) {
		k->body[k->n_body] = '\0';
		run(c, k);
	}
	return true;
}

static bool
write_answer(struct ctl_client *k, bool *gone)
{
	size_t n_head = strlen(k->head);
	bool is_head = k->n_sent < n_head;
	const char *p =
	    is_head ? k->head + k->n_sent : k->answer.p + k->n_sent - n_head;
	size_t left =
	    is_head ? n_head - k->n_sent : n_head + k->answer.n - k->n_sent;
	ssize_t n =
	    send(k->fd, p, left, MSG_NOSIGNAL | (is_head ? MSG_MORE : 0));

	if (n < 0) {
		*gone = errno != EAGAIN && errno != EINTR;
		return false;
	}
	k->n_sent += (size_t)n;
	if (k->n_sent < n_head + k->answer.n)
		return true;
	*gone = k->last;
	begin_request(k);
	return false;
}

/* What client i can do now; one request at most. */
static void
step(struct ctl *c, unsigned i)
{
	struct ctl_client *k = c->client[i];
	bool gone = false, more = true;

	while (more && !gone) {
		switch (k->state) {
		case CTL_READS_LINE:
			more = read_line(c, k, &gone);
			break;
		case CTL_READS_BODY:
			more = read_body(c, k, &gone);
			break;
		case CTL_WORKS:
			k->work(c, k);
			more = k->state != CTL_WORKS;
			break;
		case CTL_WRITES:
			more = write_answer(k, &gone);
			break;
		}
	}
	if (gone || (k->state != CTL_WORKS && loop_now_ms() >= k->due_ms))
		end_client(c, i);
}

/* --- the socket ----------------------------------------------------------- */

static void
accept_all(struct ctl *c)
{
	/* who connects without end does not keep main from its turns */
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		int fd =
		    accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		(void)ctl_adopt(c, fd);
	}
}

void
ctl_poll(struct ctl *c, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = c->snapshot.event, .events = POLLIN };
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		const struct ctl_client *k = c->client[i];

		/* one that works has nothing to say meanwhile */
		fds[2 + i] = (struct pollfd){
			.fd = k && k->state != CTL_WORKS ? k->fd : -1,
			.events =
			    k && k->state == CTL_WRITES ? POLLOUT : POLLIN,
		};
	}
}

int
ctl_timeout(const struct ctl *c)
{
	enum { WORK_MS = 20 };
	uint64_t now = loop_now_ms(), due = UINT64_MAX;

	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		const struct ctl_client *k = c->client[i];

		if (k)
			due = MIN(due,
			    k->state == CTL_WORKS ? now + WORK_MS : k->due_ms);
	}
	if (due == UINT64_MAX)
		return -1;
	return (int)(MAX(due, now) - now);
}

void
ctl_turn(struct ctl *c)
{
	uint64_t n;

	if (c->snapshot.event < 0)
		return;
	if (read(c->snapshot.event, &n, sizeof(n)) < 0) {
		/* it was not that */
	}
	if (c->fd >= 0)
		accept_all(c);
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++)
		if (c->client[i])
			step(c, i);
}

static int
listen_at(const char *path)
{
	scoped_close int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t mask;
	int rc;

	if (fd < 0)
		return -errno;
	strcpy(a.sun_path, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	/* nobody else, from its first moment on */
	mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (rc < 0 || listen(fd, CTL_MAX_CLIENTS) < 0)
		return -errno;
	return steal_fd(fd);
}

int
ctl_open(struct ctl *c, const char *conf, const struct ctl_view *view)
{
	const char *slash = strrchr(conf, '/');
	int folder = slash ? (int)(slash - conf) + 1 : 0;

	*c = (struct ctl){ .view = *view, .fd = -1 };
	c->snapshot.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->snapshot.event < 0)
		return -errno;
	view->slow->snapshot = &c->snapshot;
	if (snprintf(c->path, sizeof(c->path), "%.*s" CTL_SOCKET, folder,
		conf) >= (int)sizeof(c->path))
		return -ENAMETOOLONG;
	c->fd = listen_at(c->path);
	return MIN(c->fd, 0);
}

void
ctl_close(struct ctl *c)
{
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++)
		if (c->client[i])
			end_client(c, i);
	if (c->fd >= 0)
		unlink(c->path);
	base_close(c->fd);
	base_close(c->snapshot.event);
	c->fd = c->snapshot.event = -1;
}
