/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_fake: an init and a router's own socket behind it, for those who talk to
 * it. It connects to the agent.sock of an initlink, and when it is asked for the
 * router's socket, it answers on that stream itself, on a thread of its own:
 *
 *	echo              ok {"n": bytes of the body}
 *	refuse            error {"error", "code": "invalid", "line": 2}
 *	silent            nothing, until the stream ends
 *	late              ok, once the test lets it
 *	drip              ok, a byte at a time
 *	say TEXT          TEXT, with "_" for a space and "!" for a newline
 *	close             it hangs up
 *	replace, change   routes, as a router does; a line that holds "bad" is
 *	                  refused, "mute" is not answered
 */
#ifndef TESTS_CTL_FAKE_H
#define TESTS_CTL_FAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct ctl_fake {
	char socket[96]; /* agent.sock */
	pthread_t thread;
	int fd; /* to the initlink */

	/* by ctl_fake_get() and ctl_fake_set() */
	_Atomic(size_t) no_router; /* 1: it closes whatever it is sent */
	_Atomic(size_t) lets_late; /* 1: who is late may answer */
	_Atomic(size_t) n_streams;
	_Atomic(size_t) n_questions;
	_Atomic(size_t) n_bytes;   /* of their bodies */
	_Atomic(size_t) n_table;   /* lines in force by replace */
	_Atomic(size_t) n_changes; /* lines by change */
	_Atomic(size_t) is_open;   /* 1: a table was begun, and not ended */
};

static inline size_t
ctl_fake_get(_Atomic(size_t) *v)
{
	/* relaxed: what is asked for next comes through a socket */
	return atomic_load_explicit(v, memory_order_relaxed);
}

static inline void
ctl_fake_set(_Atomic(size_t) *v, size_t n)
{
	atomic_store_explicit(v, n, memory_order_relaxed); /* the same */
}

void ctl_fake_start(struct ctl_fake *f);
void ctl_fake_stop(struct ctl_fake *f);

#endif
