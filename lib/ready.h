/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ready: what a service tells its manager. ready_systemd.c speaks sd_notify,
 * ready_none.c is silent; configure chooses one.
 */
#ifndef EUROPA_READY_H
#define EUROPA_READY_H

#include <stdint.h>

/* READY=1 with a status sentence. Context: any thread, as all here. */
void ready_up(const char *status);

/* STATUS= alone. */
void ready_status(const char *status);

/* STOPPING=1. */
void ready_stopping(void);

/* WATCHDOG=1: only to be called when the work has moved. */
void ready_alive(void);

/* How often to call ready_alive(), in ms; 0 = nobody watches. */
uint64_t ready_watchdog_ms(void);

/*
 * The socket of that name that the service manager has opened for us, or -1.
 * The caller's from now on; asked twice, it is there twice.
 */
int ready_socket(const char *name);

/*
 * Puts a copy of fd into the service manager's store, under a name of letters,
 * digits, '-' and '.'; it is given to the next process of the service, unless
 * that was stopped in between. Takes all of the name out again.
 */
void ready_keep(const char *name, int fd);
void ready_forget(const char *name);

/* fn for each that the store has given to us, the callee's from now on. */
void ready_kept(void (*fn)(void *arg, const char *name, int fd), void *arg);

#endif
