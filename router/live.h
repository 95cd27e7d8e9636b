/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live: which pipeline the fast paths run, and how another one takes over while
 * packets flow. All of it belongs to the main thread.
 *
 *	a file is given     ->  checked in a process of its own (rehearse.h)
 *	it is refused       ->  file and line in the log; what runs goes on
 *	it is good          ->  made ready for each fast path, swapped between two
 *	                        batches, acknowledged by all; the old one stays
 *	                        loaded, for the case that the new one fails
 *	it throws           ->  the batch is dropped and counted, that fast path
 *	                        runs the previous one at once, soon all do
 *	it stands still,    ->  the process ends by a signal; the container's init
 *	it crashes              starts the next, which begins with the previous one
 *
 * The pipeline is what router.conf says: "lua" or "c", which this program brings
 * along, or the path of a file; if it says nothing, the file LIVE_OWN beside it,
 * which the owner may write at any time, else LIVE_FILE of the template, else
 * LIVE_DEFAULT.
 */
#ifndef ROUTER_LIVE_H
#define ROUTER_LIVE_H

#include "router/fast.h"
#include "router/rehearse.h"
#include "router/revisions.h"
#include "router/watch.h"

#include <poll.h>
#include <sys/types.h>

#define LIVE_OWN "pipeline.lua"
#define LIVE_WANT "pipeline.want" /* there too: the revision to go back to */
#define LIVE_FILE "/etc/europa/pipeline.lua"
#define LIVE_DEFAULT "lua"

enum { LIVE_FDS = 3, LIVE_NOW = 0, LIVE_SPARE = 1 };

struct live {
	struct fast *fast; /* borrowed */
	unsigned n_fast;
	struct revisions revisions;
	struct watchdog dog;
	uint64_t looked_ms;
	int event; /* eventfd: a fast path has something to say */

	bool builtin_c;          /* revision 0 is the pipeline in C */
	bool said;               /* router.conf names a pipeline */
	char word[PATH_MAX];     /* what is selected */
	char own_path[PATH_MAX]; /* LIVE_OWN */
	char watched[PATH_MAX];  /* whose folder file watches */
	struct watch file;
	struct watch want;
	char want_path[PATH_MAX];

	/* loaded, for each fast path */
	struct script *script[2][VNIC_MAX_QUEUES];
	unsigned number[2];
	bool has_spare;
	bool begun; /* the fast paths run */

	struct rehearse_child checker; /* of the check that is on its way */
	unsigned checked;              /* the revision */
};

/*
 * Prepares l for n fast paths, with revisions in a folder beside conf. Returns 0
 * or negative errno.
 */
int live_open(struct live *l, const char *conf, struct fast *fast, unsigned n);
void live_close(struct live *l);

/*
 * Before the fast paths run: gives them what was in force when this router's
 * last process ended, or what router.conf says (NULL: nothing).
 */
void live_begin(struct live *l, const char *said);

/* What router.conf says now. */
void live_select(struct live *l, const char *said);

/*
 * A new text for LIVE_OWN. Returns its revision, to be asked for in l->revisions
 * until it is not CHECKING any more; or 0 with e set.
 */
unsigned live_put(struct live *l, const char *text, size_t len,
    const char *author, struct err *e);

/* The text of a revision, of 0 too, to be freed; NULL: it is not there. */
char *live_text(const struct live *l, unsigned number, size_t *len);

/* Back to a revision that has run. Returns 0, or negative errno with e set. */
int live_go_back(struct live *l, unsigned number, struct err *e);

/* LIVE_FDS places for poll(), and for how long it may wait (ms, -1 = ever). */
void live_poll(struct live *l, struct pollfd *fds);
int live_timeout(const struct live *l);

/*
 * Directly before poll(): in how many ms live_look() is due; -1: all scripts
 * sleep, and the first that wakes up ends poll().
 */
int live_look_due(struct live *l);

/* If it is due: do scripts still live? Ends this process if one does not. */
void live_look(struct live *l);

/*
 * Does what is due, after each poll(). Looks at the files beside conf whatever
 * woke it: who reads the events of their folder reads those of all of them.
 */
void live_turn(struct live *l, const struct pollfd *fds);

/* --- live_swap.c, for live.c ---------------------------------------------- */

/* A revision is to be in force. Returns 0, or negative errno with e set. */
int live_take_over(struct live *l, unsigned number, struct err *e);

/* What is in force has failed; who was before takes over. */
void live_failed(struct live *l, const char *why);

#endif
