/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux_feed: see linux_feed.h.
 */
#include "router/linux_feed.h"

#include "lib/log.h"

/* --- links ---------------------------------------------------------------- */

static uint8_t
vnic_of_name(const struct linux_feed *f, const char *name)
{
	for (uint8_t i = 0; i < VNIC_MAX_VNICS; i++)
		if (f->name[i][0] != '\0' &&
		    strncmp(f->name[i], name, NETLINK_NAME) == 0)
			return i;
	return LINUX_NO_VNIC;
}

static struct linux_link *
find_link(struct linux_feed *f, uint32_t index)
{
	for (unsigned i = 0; i < f->n_links; i++)
		if (f->link[i].index == index)
			return &f->link[i];
	return NULL;
}

static uint8_t
vnic_of_link(const void *arg, uint32_t index)
{
	const struct linux_feed *f = arg;

	for (unsigned i = 0; i < f->n_links; i++)
		if (f->link[i].index == index)
			return f->link[i].vnic;
	return LINUX_NO_VNIC;
}

/* Routes by vNICs that have come, gone or changed their names. */
static void
set_vnic(struct linux_feed *f, struct linux_link *l, uint8_t vnic)
{
	if (l->vnic == vnic)
		return;
	l->vnic = vnic;
	linux_routes_look_again(f->routes, l->index);
}

static void
forget_link(struct linux_feed *f, struct linux_link *l)
{
	set_vnic(f, l, LINUX_NO_VNIC);
	*l = f->link[--f->n_links];
	f->again = true;
}

static void
hear_link(struct linux_feed *f, const struct nl_link *said, bool is_gone)
{
	struct linux_link *l = find_link(f, said->index);

	if (is_gone) {
		if (l)
			forget_link(f, l);
		return;
	}
	if (!l) {
		if (f->n_links == LINUX_FEED_MAX_LINKS)
			return; /* more than there can be vNICs */
		l = &f->link[f->n_links++];
		*l = (struct linux_link){ .index = said->index,
			.vnic = LINUX_NO_VNIC };
	}
	f->again |= l->is_up && !said->is_up;
	l->is_up = said->is_up;
	l->mark = f->mark;
	memcpy(l->name, said->name, sizeof(l->name));
	set_vnic(f, l, vnic_of_name(f, l->name));
}

void
linux_feed_set_names(
    struct linux_feed *f, char name[VNIC_MAX_VNICS][NETLINK_NAME])
{
	memcpy(f->name, name, sizeof(f->name));
	for (unsigned i = 0; i < f->n_links; i++)
		set_vnic(f, &f->link[i], vnic_of_name(f, f->link[i].name));
	linux_feed_push(f);
}

/* --- neighbours ----------------------------------------------------------- */

/* What does not find room is asked for anew, with all else. */
static void
tell_neighbour(struct linux_feed *f, const struct linux_neighbour *n)
{
	if (f->n_waiting == 0 && f->sink->neighbour(f->arg, n))
		return;
	if (f->n_waiting < LINUX_FEED_MAX_WAITING)
		f->waiting[f->n_waiting++] = *n;
	else
		f->again = true;
}

static struct linux_static *
find_static(struct linux_feed *f, const struct nl_neighbour *said)
{
	for (unsigned i = 0; i < f->n_static; i++)
		if (f->fixed[i].link == said->link &&
		    ip6_is_equal(f->fixed[i].neighbour.ip, said->ip))
			return &f->fixed[i];
	return NULL;
}

static void
forget_static(struct linux_feed *f, struct linux_static *s)
{
	struct linux_neighbour n = s->neighbour;

	*s = f->fixed[--f->n_static];
	n.is_gone = true;
	tell_neighbour(f, &n);
}

/*
 * What the kernel has not confirmed tells nothing: our own table asks for
 * itself, and what has aged there ages here too.
 */
static void
hear_neighbour(
    struct linux_feed *f, const struct nl_neighbour *said, bool is_gone)
{
	struct linux_static *s = find_static(f, said);
	struct linux_neighbour n = {
		.ip = said->ip,
		.vnic = vnic_of_link(f, said->link),
	};

	if (s && (is_gone || !said->is_static || !said->is_usable)) {
		forget_static(f, s);
		s = NULL;
	}
	if (is_gone || !said->is_usable || n.vnic == LINUX_NO_VNIC)
		return;
	memcpy(n.mac, said->mac, sizeof(n.mac));
	if (said->is_static && !s && f->n_static < LINUX_FEED_MAX_STATIC)
		s = &f->fixed[f->n_static++];
	if (s)
		*s = (struct linux_static){ said->link, f->mark, n };
	tell_neighbour(f, &n);
}

static void
repeat_static(struct linux_feed *f, uint64_t now_ms)
{
	if (f->n_static == 0)
		f->told_ms = now_ms;
	if (now_ms - f->told_ms < LINUX_FEED_REPEAT_MS)
		return;
	f->told_ms = now_ms;
	for (unsigned i = 0; i < f->n_static; i++)
		tell_neighbour(f, &f->fixed[i].neighbour);
}

/* --- whole tables --------------------------------------------------------- */

static void
ask(struct linux_feed *f, enum linux_dump what, uint64_t now_ms)
{
	static const enum nl_table table[] = {
		[LINUX_DUMP_LINKS] = NL_LINKS,
		[LINUX_DUMP_ROUTES4] = NL_ROUTES4,
		[LINUX_DUMP_ROUTES6] = NL_ROUTES6,
		[LINUX_DUMP_NEIGHBOURS] = NL_NEIGHBOURS,
	};
	int rc = netlink_dump(f->requests, table[what], ++f->sequence);

	f->asked_ms = now_ms;
	f->dump = what;
	if (rc == 0)
		return;
	log_warn("cannot ask the kernel: %s", strerror(-rc));
	f->dump = LINUX_DUMP_NONE;
	f->again = true;
}

static void
begin_dump(struct linux_feed *f, uint64_t now_ms)
{
	f->again = f->is_spoilt = false;
	f->mark++;
	f->n_dumps++;
	linux_routes_begin(f->routes);
	ask(f, LINUX_DUMP_LINKS, now_ms);
}

/* All has been told: what was not in it is gone. */
static void
finish_dump(struct linux_feed *f)
{
	f->dump = LINUX_DUMP_NONE;
	if (f->is_spoilt) {
		f->again = true;
		return;
	}
	linux_routes_end(f->routes);
	for (unsigned i = f->n_links; i-- > 0;)
		if (f->link[i].mark != f->mark) {
			set_vnic(f, &f->link[i], LINUX_NO_VNIC);
			f->link[i] = f->link[--f->n_links];
		}
	for (unsigned i = f->n_static; i-- > 0;)
		if (f->fixed[i].mark != f->mark)
			forget_static(f, &f->fixed[i]);
}

/* --- messages ------------------------------------------------------------- */

static void
hear_route(struct linux_feed *f, const struct nl_msg *m)
{
	const struct nl_route *r = &m->u.route;
	int rc;

	if (m->is_gone) {
		f->again |= linux_routes_remove(f->routes, r);
		return;
	}
	rc = linux_routes_put(f->routes, r, m->is_instead);
	if (rc < 0 && !f->was_full)
		log_err("a route of the kernel is left out: %s, and so are "
			"those that follow",
		    strerror(-rc));
	f->was_full = rc < 0;
}

static void
hear(struct linux_feed *f, const struct nl_msg *m)
{
	switch (m->kind) {
	case NL_ROUTE:
		hear_route(f, m);
		break;
	case NL_NEIGHBOUR:
		hear_neighbour(f, &m->u.neighbour, m->is_gone);
		break;
	case NL_LINK:
		hear_link(f, &m->u.link, m->is_gone);
		break;
	case NL_ADDRESS:
		f->again |= m->is_gone;
		break;
	case NL_SKIPPED:
	case NL_DONE:
	case NL_ERROR:
		break;
	}
}

/* An answer to our question; false: nothing more comes now. */
static void
hear_answer(struct linux_feed *f, const struct nl_msg *m, uint64_t now_ms)
{
	if (m->sequence != f->sequence || f->dump == LINUX_DUMP_NONE)
		return; /* to one that was given up */
	f->is_spoilt |= m->is_cut;
	if (m->kind != NL_DONE && m->kind != NL_ERROR) {
		hear(f, m);
		return;
	}
	f->is_spoilt |= m->error < 0;
	if (f->dump == LINUX_DUMP_NEIGHBOURS)
		finish_dump(f);
	else
		ask(f, f->dump + 1, now_ms);
}

/* Reads one buffer; false: there is none. answers: of our questions. */
static bool
read_some(struct linux_feed *f, int fd, bool answers, uint64_t now_ms)
{
	struct nl_reader r = { .at = f->buf };
	int n = netlink_receive(fd, f->buf), rc;
	struct nl_msg m;

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n <= 0) {
		f->n_lost++;
		f->again = true;
		f->is_spoilt = true;
		return n == -ENOBUFS; /* there may be more behind it */
	}
	r.left = (size_t)n;
	while ((rc = netlink_next(&r, &m)) > 0) {
		if (answers)
			hear_answer(f, &m, now_ms);
		else
			hear(f, &m);
	}
	f->again |= rc < 0;
	return true;
}

void
linux_feed_turn(struct linux_feed *f, uint64_t now_ms)
{
	unsigned n = 0;

	if (!linux_feed_is_open(f))
		return;
	/* events of before the table would change it back: they wait */
	while (f->dump != LINUX_DUMP_NONE && n++ < LINUX_FEED_BURST)
		if (!read_some(f, f->requests, true, now_ms))
			break;
	if (f->dump != LINUX_DUMP_NONE &&
	    now_ms - f->asked_ms >= LINUX_FEED_ANSWER_MS) {
		f->dump = LINUX_DUMP_NONE;
		f->again = true;
	}
	while (f->dump == LINUX_DUMP_NONE && n++ < LINUX_FEED_BURST)
		if (!read_some(f, f->events, false, now_ms))
			break;
	if (f->again && f->dump == LINUX_DUMP_NONE &&
	    now_ms - f->asked_ms >= LINUX_FEED_AGAIN_MS)
		begin_dump(f, now_ms);
	repeat_static(f, now_ms);
	linux_feed_push(f);
}

void
linux_feed_push(struct linux_feed *f)
{
	struct linux_route r;
	unsigned n = 0;

	while (n < f->n_waiting && f->sink->neighbour(f->arg, &f->waiting[n]))
		n++;
	memmove(f->waiting, f->waiting + n,
	    (f->n_waiting - n) * sizeof(f->waiting[0]));
	f->n_waiting -= n;
	/* not while it is being told: of two ways the worse may come first */
	while (f->routes && f->dump == LINUX_DUMP_NONE &&
	       linux_routes_next(f->routes, vnic_of_link, f, &r) &&
	       f->sink->route(f->arg, &r))
		linux_routes_pop(f->routes);
}

/* --- life ----------------------------------------------------------------- */

int
linux_feed_open(struct linux_feed *f, int events, int requests,
    const struct linux_sink *sink, void *arg)
{
	int rc;

	f->sink = sink;
	f->arg = arg;
	f->dump = LINUX_DUMP_NONE;
	f->again = true;
	f->events = events < 0 ? netlink_open(true) : events;
	f->requests = requests < 0 ? netlink_open(false) : requests;
	rc = MIN(f->events, f->requests);
	if (!f->buf)
		f->buf = malloc(NETLINK_BUFFER);
	if (rc >= 0 && !f->routes)
		rc = f->buf ? linux_routes_new(&f->routes) : -ENOMEM;
	if (rc < 0)
		linux_feed_close(f);
	return MIN(rc, 0);
}

static void
close_sockets(struct linux_feed *f)
{
	base_close(f->events);
	base_close(f->requests);
	f->events = f->requests = -1;
	f->dump = LINUX_DUMP_NONE;
	f->again = false;
}

void
linux_feed_stop(struct linux_feed *f)
{
	if (!linux_feed_is_open(f))
		return;
	close_sockets(f);
	while (f->n_static > 0)
		forget_static(f, &f->fixed[f->n_static - 1]);
	f->n_links = 0;
	linux_routes_begin(f->routes);
	linux_routes_end(f->routes);
	linux_feed_push(f);
}

void
linux_feed_close(struct linux_feed *f)
{
	close_sockets(f);
	linux_routes_free(f->routes);
	free(f->buf);
	f->routes = NULL;
	f->buf = NULL;
}

void
linux_feed_poll(const struct linux_feed *f, struct pollfd *fds)
{
	bool open = linux_feed_is_open(f);
	bool dumps = open && f->dump != LINUX_DUMP_NONE;

	fds[0] = (struct pollfd){ .fd = open && !dumps ? f->events : -1,
		.events = POLLIN };
	fds[1] =
	    (struct pollfd){ .fd = dumps ? f->requests : -1, .events = POLLIN };
}

int
linux_feed_timeout(const struct linux_feed *f, uint64_t now_ms)
{
	uint64_t due = UINT64_MAX;

	if (!linux_feed_is_open(f))
		return -1;
	if (f->dump != LINUX_DUMP_NONE)
		due = f->asked_ms + LINUX_FEED_ANSWER_MS;
	else if (f->again)
		due = f->asked_ms + LINUX_FEED_AGAIN_MS;
	if (f->n_static > 0)
		due = MIN(due, f->told_ms + LINUX_FEED_REPEAT_MS);
	if (due == UINT64_MAX)
		return -1;
	return (int)(MAX(due, now_ms) - now_ms);
}
