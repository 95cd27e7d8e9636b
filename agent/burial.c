/* SPDX-License-Identifier: Apache-2.0 */
/* burial: a detached thread per close, see burial.h. */
#include "agent/burial.h"

#include "lib/base.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { MAX_UNDER_WAY = 4 };

struct burial {
	_Atomic(unsigned) holds; /* the owner's, and one per thread */
};

struct grave {
	struct burial *burial;
	int fd;
};

static void
let_go(struct burial *b)
{
	/* the last one frees what the others have left */
	if (atomic_fetch_sub_explicit(&b->holds, 1, memory_order_acq_rel) == 1)
		free(b);
}

struct burial *
burial_new(void)
{
	struct burial *b = calloc(1, sizeof(*b));

	if (b) /* relaxed: nobody else knows it yet */
		atomic_store_explicit(&b->holds, 1, memory_order_relaxed);
	return b;
}

void
burial_free(struct burial *b)
{
	if (b)
		let_go(b);
}

static void *
bury(void *arg)
{
	struct grave *g = arg;

	close(g->fd); /* for as long as it takes */
	let_go(g->burial);
	free(g);
	return NULL;
}

static bool
begin(struct grave *g)
{
	sigset_t all, before;
	pthread_t t;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&t, NULL, bury, g);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_detach(t);
	return rc == 0;
}

void
burial_close(struct burial *b, int fd)
{
	struct grave *g = fd < 0 ? NULL : malloc(sizeof(*g));

	if (g) {
		*g = (struct grave){ .burial = b, .fd = fd };
		/* relaxed: we hold it ourselves meanwhile */
		atomic_fetch_add_explicit(&b->holds, 1, memory_order_relaxed);
		if (begin(g))
			return;
		let_go(b);
		free(g);
	}
	base_close(fd); /* without a thread somebody has to wait */
}

bool
burial_is_full(const struct burial *b)
{
	/* relaxed: a number, it publishes nothing */
	return atomic_load_explicit(&b->holds, memory_order_relaxed) >
	       MAX_UNDER_WAY;
}
