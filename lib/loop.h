/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: one thread waits for file descriptors and timers, and calls back.
 *
 * Everything in a loop runs on the thread that calls loop_run(); only
 * loop_wake() may be called from other threads and from signal handlers.
 * Sources are owned by the loop; their callbacks may delete any source,
 * themselves included.
 */
#ifndef EUROPA_LOOP_H
#define EUROPA_LOOP_H

#include <stdint.h>

struct loop;
struct loop_source;

/* events is a mask of EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR */
typedef void (*loop_fd_fn)(void *arg, int fd, uint32_t events);
typedef void (*loop_timer_fn)(void *arg);

/* Returns 0 or negative errno. */
int loop_new(struct loop **out);
void loop_free(struct loop *l);

/*
 * Watches fd (borrowed: not closed by the loop) for events.
 * Returns 0 and the source, or negative errno.
 */
int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn,
    void *arg, struct loop_source **out);
/* Changes the mask; 0 on success or negative errno. */
int loop_set_events(struct loop_source *s, uint32_t events);

/* A timer that is not armed yet. */
int loop_add_timer(
    struct loop *l, loop_timer_fn fn, void *arg, struct loop_source **out);
/* Fires once after delay_ms (0 = at the next turn); arming again moves it. */
void loop_arm(struct loop_source *timer, uint64_t delay_ms);
/* The same, but a timer that would fire before that stays as it is. */
void loop_arm_sooner(struct loop_source *timer, uint64_t delay_ms);
void loop_disarm(struct loop_source *timer);

/* Removes a source; NULL is allowed. */
void loop_del(struct loop_source *s);

/*
 * fn runs on the loop's thread soon after each loop_wake(), wake-ups in
 * between are merged. One per loop.
 */
void loop_on_wake(struct loop *l, loop_timer_fn fn, void *arg);
/* Context: any thread, signal handlers. */
void loop_wake(struct loop *l);

/* Runs until loop_stop(). Returns the value given to it, or negative errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int result);

/* CLOCK_MONOTONIC in milliseconds. Context: any thread. */
uint64_t loop_now_ms(void);

#endif
