/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress: a host and honest routers in processes of their own, which may be
 * killed between any two instructions.
 *
 * Each packet has a number and bytes that follow from it. The router turns all
 * bits and sends it on through the other vNIC; the host turns them back and
 * compares. What the host saw is written to an account that outlives it.
 */
#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include "dataplane/ledger.h"
#include "lib/vnic.h"

#include <sys/types.h>

enum {
	STRESS_VNICS = 2,
	STRESS_SLOTS = 64,
	STRESS_MAX_LEN = 256,
};

/* Anonymous shared memory; each word has one writer at a time. */
struct stress_account {
	_Atomic(uint64_t) numbered;   /* packets that the host numbered */
	_Atomic(uint64_t) received;   /* that came back as they must */
	_Atomic(uint64_t) originated; /* of the router's own */
	_Atomic(uint64_t) altered;    /* bytes differ, in host or router */
	_Atomic(uint64_t) reordered;  /* or doubled */
	_Atomic(uint64_t) epochs;     /* that began to run */
	_Atomic(uint64_t) late; /* sleeps that only the time limit ended */
	_Atomic(uint64_t) sleeps;
	_Atomic(uint64_t) last[STRESS_VNICS]; /* number last received */
};

struct stress_set {
	struct vnic_fds fds;
	struct ledger_maps maps;
	struct ledger *l;
	struct stress_account *account;
	int epoll; /* of the host, on the bell */
};

/* All of them abort the test on failure. Context: the supervisor. */
void stress_open(struct stress_set *s);
void stress_close(struct stress_set *s);

/* A host process begins: maps the set and makes a ledger. */
void stress_host_begin(struct stress_set *s);
void stress_host_end(struct stress_set *s);

/*
 * One turn of control thread and worker: epochs, takes, checks, grants, and up
 * to burst new packets. Returns how much it did: 0 = it may sleep.
 */
unsigned stress_host_turn(
    struct stress_set *s, uint64_t now_ns, unsigned burst);

/* Sleeps until the bell rings, at most limit_ms; counts late ones. */
void stress_host_sleep(struct stress_set *s, unsigned limit_ms);

/* An honest router, in a child of its own: never returns. */
void stress_router(struct stress_set *s) __attribute__((noreturn));

/* Forks; the child dies with its parent. Returns 0 in the child. */
pid_t stress_fork(void);
/* kill -9, and waits for the end. */
void stress_kill(pid_t pid);

/* CLOCK_MONOTONIC; a test may pass a multiple of it to the ledger. */
uint64_t stress_now_ns(void);
uint64_t stress_random(void);
void stress_seed(uint64_t seed);

/* Faults of all kinds, of all vNICs. */
uint64_t stress_faults(const struct stress_set *s);
/* filled, back and in_doubt of all vNICs. */
void stress_slots(const struct stress_set *s, uint64_t *filled, uint64_t *back,
    uint64_t *in_doubt);

/* TAP: prints "ok N - what" or "not ok"; the result is the exit status. */
void stress_ok(bool ok, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int stress_result(void);

#endif
