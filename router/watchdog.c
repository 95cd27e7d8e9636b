/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog: see watchdog.h.
 */
#include "router/watchdog.h"

#include "lib/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

static void
set_state(struct pulse *p, enum pulse_state state)
{
	uint64_t one = 1;

	/* seq_cst: said, then looked whether the dog dozes; it does it the
	 * other way round, so that one of the two sees the other */
	atomic_store_explicit(&p->state, (int)state, memory_order_seq_cst);
	if (state == PULSE_AWAKE &&
	    atomic_load_explicit(&p->dog->dozes, memory_order_seq_cst) &&
	    atomic_exchange_explicit(
		&p->dog->dozes, false, memory_order_seq_cst) &&
	    write(p->dog->event, &one, sizeof(one)) < 0) {
		/* it is full: main is called already */
	}
}

void
pulse_begin(struct pulse *p)
{
	/* once: main may be reading them while the next script begins */
	if (atomic_load_explicit(&p->thread, memory_order_relaxed) == 0) {
		if (pthread_getcpuclockid(pthread_self(), &p->cpu) != 0)
			p->cpu = CLOCK_MONOTONIC;
		atomic_store_explicit(
		    &p->thread, gettid(), memory_order_relaxed);
	}
	pulse_beat(p); /* what came before is no script's */
	set_state(p, PULSE_AWAKE);
}

void
pulse_end(struct pulse *p)
{
	set_state(p, PULSE_OFF);
}

static bool
is_on(const struct pulse *p)
{
	/* relaxed: our own */
	return atomic_load_explicit(&p->state, memory_order_relaxed) !=
	       PULSE_OFF;
}

void
pulse_sleep(struct pulse *p)
{
	if (is_on(p))
		set_state(p, PULSE_ASLEEP);
}

void
pulse_awake(struct pulse *p)
{
	if (!is_on(p))
		return;
	pulse_beat(p); /* it has slept where it asks */
	set_state(p, PULSE_AWAKE);
}

static uint64_t
cpu_ns_of(const struct pulse *p)
{
	struct timespec t;

	if (clock_gettime(p->cpu, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Does it sleep, run, or wait for a core? See proc(5); 0 = not known. */
static char
letter_of(const struct pulse *p)
{
	char path[64], text[256], *end;
	scoped_close int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
	    (int)atomic_load_explicit(&p->thread, memory_order_relaxed));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

static uint64_t
ran_since_look(struct pulse *p)
{
	uint64_t before = p->seen_cpu_ns;

	p->seen_cpu_ns = cpu_ns_of(p);
	return p->seen_cpu_ns - MIN(before, p->seen_cpu_ns);
}

bool
pulse_look(struct pulse *p)
{
	const uint64_t tick_ns = WATCHDOG_TICK_MS * UINT64_C(1000000);
	bool awake = atomic_load_explicit(&p->state, memory_order_seq_cst) ==
		     PULSE_AWAKE;
	uint64_t beats = atomic_load_explicit(&p->beats, memory_order_relaxed);
	uint64_t ran_ns = awake ? ran_since_look(p) : 0;

	p->rests = beats == p->seen_beats;
	p->seen_beats = beats;
	if (!awake || !p->rests)
		p->still_ns = 0;
	else if (letter_of(p) == 'S')
		p->still_ns += tick_ns;
	else
		p->still_ns += MIN(ran_ns, tick_ns);
	return p->still_ns >= WATCHDOG_STILL_MS * UINT64_C(1000000);
}

bool
watchdog_doze(struct watchdog *w, struct pulse *const *all, unsigned n)
{
	atomic_store_explicit(&w->dozes, true, memory_order_seq_cst);
	for (unsigned i = 0; i < n; i++)
		if (!all[i]->rests ||
		    atomic_load_explicit(
			&all[i]->state, memory_order_seq_cst) == PULSE_AWAKE) {
			watchdog_rise(w);
			return false;
		}
	return true;
}

void
watchdog_rise(struct watchdog *w)
{
	atomic_store_explicit(&w->dozes, false, memory_order_seq_cst);
}
