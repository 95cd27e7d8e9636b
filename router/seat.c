/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seat: see seat.h.
 */
#include "router/seat.h"

#include "lib/base.h"

#include <time.h>

void
seat_init(struct seat *s, int event)
{
	pthread_condattr_t attr;

	*s = (struct seat){ .event = event };
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->taken, &attr);
	pthread_condattr_destroy(&attr);
}

void
seat_destroy(struct seat *s)
{
	pthread_cond_destroy(&s->taken);
	pthread_mutex_destroy(&s->lock);
}

void
seat_offer(struct seat *s, struct script *next, struct script *spare)
{
	pthread_mutex_lock(&s->lock);
	if (next != s->next) {
		s->next_threw = s->told = false;
		/* relaxed: see seat_changed() */
		atomic_store_explicit(
		    &s->changed, !s->left, memory_order_relaxed);
	}
	if (spare != s->spare)
		s->spare_threw = false;
	s->next = next;
	s->spare = spare;
	pthread_mutex_unlock(&s->lock);
}

static struct timespec
in_ms(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

bool
seat_wait(struct seat *s, unsigned ms)
{
	struct timespec until = in_ms(ms);
	bool taken;
	int no = 0;

	pthread_mutex_lock(&s->lock);
	while (
	    atomic_load_explicit(&s->changed, memory_order_relaxed) && no == 0)
		no = pthread_cond_timedwait(&s->taken, &s->lock, &until);
	taken = !atomic_load_explicit(&s->changed, memory_order_relaxed);
	pthread_mutex_unlock(&s->lock);
	return taken;
}

struct script *
seat_now(struct seat *s)
{
	struct script *now;

	pthread_mutex_lock(&s->lock);
	now = s->now;
	pthread_mutex_unlock(&s->lock);
	return now;
}

bool
seat_has_thrown(struct seat *s, struct err *why)
{
	bool thrown;

	pthread_mutex_lock(&s->lock);
	thrown = s->next_threw && !s->told;
	if (thrown) {
		s->told = true;
		*why = s->why;
	}
	pthread_mutex_unlock(&s->lock);
	return thrown;
}

struct script *
seat_take(struct seat *s)
{
	struct script *now;

	pthread_mutex_lock(&s->lock);
	if (!s->next_threw)
		now = s->next;
	else
		now = s->spare_threw ? NULL : s->spare;
	s->now = now;
	atomic_store_explicit(&s->changed, false, memory_order_relaxed);
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->lock);
	return now;
}

void
seat_threw(struct seat *s, const struct err *why)
{
	uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	if (s->now == s->next && !s->next_threw) {
		s->next_threw = true;
		s->why = *why;
	} else if (s->now == s->spare) {
		s->spare_threw = true;
	}
	pthread_mutex_unlock(&s->lock);
	if (s->event >= 0 && write(s->event, &one, sizeof(one)) < 0) {
		/* it is full: main will look anyway */
	}
}

void
seat_leave(struct seat *s)
{
	pthread_mutex_lock(&s->lock);
	s->now = NULL;
	s->left = true;
	atomic_store_explicit(&s->changed, false, memory_order_relaxed);
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->lock);
}
