/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: epoll and a list of timers.
 *
 * Deleted sources stay on the dead list until the turn ends, so that an event
 * that epoll has already reported for them is dropped and never touches freed
 * memory. Timers are few (three per router): a list is searched, no heap, but
 * only when the soonest may be due, and not for each event.
 */
#include "lib/loop.h"

#include "lib/base.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

struct loop_source {
	struct loop *loop;
	struct loop_source *next;
	loop_fd_fn on_fd;
	loop_timer_fn on_timer;
	void *arg;
	int fd;
	bool dead;
	bool armed;
	uint64_t due_ms;
};

struct loop {
	int epoll_fd;
	int wake_fd;
	struct loop_source *sources;
	loop_timer_fn on_wake;
	void *wake_arg;
	bool any_dead;
	uint64_t soonest_ms; /* no armed timer is due before this */
	bool stopping;
	int result;
};

uint64_t
loop_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int
loop_new(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct epoll_event ev = { .events = EPOLLIN };

	if (!l)
		return -ENOMEM;
	l->soonest_ms = UINT64_MAX;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll_fd < 0 || l->wake_fd < 0 ||
	    epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &ev) < 0) {
		int no = -errno;

		loop_free(l);
		return no;
	}
	*out = l;
	return 0;
}

void
loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->sources) {
		struct loop_source *s = l->sources;

		l->sources = s->next;
		free(s);
	}
	base_close(l->epoll_fd);
	base_close(l->wake_fd);
	free(l);
}

static struct loop_source *
source_new(struct loop *l, void *arg)
{
	struct loop_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = l;
	s->arg = arg;
	s->fd = -1;
	s->next = l->sources;
	l->sources = s;
	return s;
}

int
loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn, void *arg,
    struct loop_source **out)
{
	struct loop_source *s = source_new(l, arg);
	struct epoll_event ev = { .events = events, .data.ptr = s };

	if (!s)
		return -ENOMEM;
	s->on_fd = fn;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int no = -errno;

		loop_del(s);
		return no;
	}
	s->fd = fd;
	if (out)
		*out = s;
	return 0;
}

int
loop_set_events(struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev) < 0
		   ? -errno
		   : 0;
}

int
loop_add_timer(
    struct loop *l, loop_timer_fn fn, void *arg, struct loop_source **out)
{
	struct loop_source *s = source_new(l, arg);

	if (!s)
		return -ENOMEM;
	s->on_timer = fn;
	*out = s;
	return 0;
}

void
loop_arm(struct loop_source *timer, uint64_t delay_ms)
{
	timer->armed = true;
	timer->due_ms = loop_now_ms() + delay_ms;
	timer->loop->soonest_ms = MIN(timer->loop->soonest_ms, timer->due_ms);
}

void
loop_arm_sooner(struct loop_source *timer, uint64_t delay_ms)
{
	if (!timer->armed || timer->due_ms > loop_now_ms() + delay_ms)
		loop_arm(timer, delay_ms);
}

void
loop_disarm(struct loop_source *timer)
{
	timer->armed = false;
}

void
loop_del(struct loop_source *s)
{
	if (!s || s->dead)
		return;
	if (s->fd >= 0)
		epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->dead = true;
	s->armed = false;
	s->loop->any_dead = true;
}

void
loop_on_wake(struct loop *l, loop_timer_fn fn, void *arg)
{
	l->on_wake = fn;
	l->wake_arg = arg;
}

void
loop_wake(struct loop *l)
{
	uint64_t one = 1;
	int saved = errno;

	if (write(l->wake_fd, &one, sizeof(one)) < 0) {
		/* the counter is full: a wake-up is pending already */
	}
	errno = saved;
}

void
loop_stop(struct loop *l, int result)
{
	l->stopping = true;
	l->result = result;
}

/* Returns the time to wait in ms, -1 without an armed timer. */
static int
next_timeout(const struct loop *l)
{
	uint64_t now;

	if (l->soonest_ms == UINT64_MAX)
		return -1;
	now = loop_now_ms();
	return l->soonest_ms > now
		   ? (int)MIN(l->soonest_ms - now, (uint64_t)60000)
		   : 0;
}

static void
run_timers(struct loop *l)
{
	uint64_t now = loop_now_ms();

	if (now < l->soonest_ms)
		return;
	/* those that are armed meanwhile lower it again */
	l->soonest_ms = UINT64_MAX;
	for (struct loop_source *s = l->sources; s; s = s->next) {
		if (s->armed && s->due_ms <= now) {
			s->armed = false;
			s->on_timer(s->arg);
		}
		if (s->armed)
			l->soonest_ms = MIN(l->soonest_ms, s->due_ms);
	}
}

static void
bury_dead(struct loop *l)
{
	struct loop_source **at = &l->sources;

	if (!l->any_dead)
		return;
	l->any_dead = false;
	while (*at) {
		struct loop_source *s = *at;

		if (!s->dead) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}

static void
run_event(struct loop *l, const struct epoll_event *ev)
{
	struct loop_source *s = ev->data.ptr;
	uint64_t n;

	if (s) {
		if (!s->dead)
			s->on_fd(s->arg, s->fd, ev->events);
		return;
	}
	if (read(l->wake_fd, &n, sizeof(n)) < 0)
		return;
	if (l->on_wake)
		l->on_wake(l->wake_arg);
}

int
loop_run(struct loop *l)
{
	struct epoll_event ev[64];

	l->stopping = false;
	while (!l->stopping) {
		int n = epoll_wait(
		    l->epoll_fd, ev, ARRAY_SIZE(ev), next_timeout(l));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !l->stopping; i++)
			run_event(l, &ev[i]);
		if (!l->stopping)
			run_timers(l);
		bury_dead(l);
	}
	return l->result;
}
