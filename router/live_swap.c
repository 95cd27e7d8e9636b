/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live_swap: scripts for all fast paths, their change, and their ends.
 *
 * A script is freed when it is neither in force nor the spare one, and all fast
 * paths have said so.
 */
#include "router/live.h"

#include "lib/base.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "router/script_text.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void
free_scripts(struct live *l, struct script **script)
{
	for (unsigned f = 0; f < l->n_fast; f++) {
		script_free(script[f]);
		script[f] = NULL;
	}
}

/* The text of a revision, to be freed. */
static char *
text_of(const struct live *l, unsigned number, size_t *len, struct err *e)
{
	const char *text = l->builtin_c ? "" : script_text_pipeline;
	char *copy;

	if (number > 0) {
		copy = revisions_text(&l->revisions, number, len);
		if (!copy)
			err_set(e, -ENOENT, "revision %u is not there", number);
		return copy;
	}
	copy = strdup(text);
	*len = strlen(text);
	if (!copy)
		err_set(e, -ENOMEM, "out of memory");
	return copy;
}

char *
live_text(const struct live *l, unsigned number, size_t *len)
{
	struct err e;

	return text_of(l, number, len, &e);
}

static int
load_scripts(
    struct live *l, unsigned number, struct script **out, struct err *e)
{
	struct script_text t = { .name = "pipeline.lua" };
	scoped_free char *text = text_of(l, number, &t.len, e);
	char name[32];
	int rc = text ? 0 : -ENOENT;

	t.text = text;
	if (number > 0) {
		snprintf(name, sizeof(name), "%u.lua", number);
		t.name = name;
	}
	for (unsigned f = 0; f < l->n_fast && rc == 0; f++)
		rc = script_new(&t, &out[f], e);
	if (rc < 0)
		free_scripts(l, out);
	return rc;
}

/* Until all have taken it; who never does stands still, and that is looked at. */
static void
offer(struct live *l)
{
	for (unsigned f = 0; f < l->n_fast; f++)
		fast_offer(&l->fast[f], l->script[LIVE_NOW][f],
		    l->has_spare ? l->script[LIVE_SPARE][f] : NULL);
	for (unsigned f = 0; f < l->n_fast && l->begun; f++)
		while (!seat_wait(&l->fast[f].seat, WATCHDOG_TICK_MS))
			live_look(l);
}

/* old_is_good: what was in force may be the spare one. */
static int
take_over(struct live *l, unsigned number, bool old_is_good, struct err *e)
{
	struct script *made[VNIC_MAX_QUEUES] = { NULL };
	struct script *gone[VNIC_MAX_QUEUES] = { NULL };
	size_t size = sizeof(made);
	int rc = 0;

	if (l->has_spare && l->number[LIVE_SPARE] == number) {
		memcpy(made, l->script[LIVE_SPARE], size);
	} else {
		rc = load_scripts(l, number, made, e);
		if (rc < 0)
			return rc;
		memcpy(gone, l->script[LIVE_SPARE], size);
	}
	memcpy(l->script[LIVE_SPARE], l->script[LIVE_NOW], size);
	memcpy(l->script[LIVE_NOW], made, size);
	l->number[LIVE_SPARE] = l->number[LIVE_NOW];
	l->number[LIVE_NOW] = number;
	l->has_spare = old_is_good;
	offer(l);
	free_scripts(l, gone);
	if (!old_is_good)
		free_scripts(l, l->script[LIVE_SPARE]);
	return 0;
}

int
live_take_over(struct live *l, unsigned number, struct err *e)
{
	bool has_old = l->script[LIVE_NOW][0] != NULL;
	int rc = take_over(l, number, has_old, e);

	if (rc < 0)
		return rc;
	revisions_run(&l->revisions, number);
	log_info("pipeline in force revision=%u", number);
	return 0;
}

void
live_failed(struct live *l, const char *why)
{
	unsigned number = l->number[LIVE_NOW];
	struct err e;

	log_err("the pipeline failed, the previous one takes over "
		"revision=%u: %s",
	    number, why);
	if (number == 0) /* then nothing in Lua works here */
		l->builtin_c = true;
	number = revisions_fail(&l->revisions, number, why);
	while (take_over(l, number, false, &e) < 0) {
		log_err("%s", e.msg);
		if (number == 0)
			l->builtin_c = true;
		number = revisions_fail(&l->revisions, number, e.msg);
	}
	log_info("pipeline in force revision=%u", number);
}

/* --- standing still ------------------------------------------------------- */

/* What fast path f runs: until it has taken what is offered, the one before. */
static unsigned
revision_at(struct live *l, unsigned f)
{
	const struct script *now = seat_now(&l->fast[f].seat);

	return now && now == l->script[LIVE_SPARE][f] ? l->number[LIVE_SPARE]
						      : l->number[LIVE_NOW];
}

/*
 * Nothing stops a thread that stands still but the end of its process. By a
 * signal that is not that of a crash: what failed is noted here already. If it
 * cannot be, for the thread has the heap's lock, the alarm ends it all the same.
 */
static _Noreturn void
end_process(struct live *l, unsigned f)
{
	unsigned number = revision_at(l, f);

	alarm(1);
	log_err("fast path %u stands still in the pipeline, this process ends "
		"revision=%u",
	    f, number);
	revisions_fail(&l->revisions, number, "it stood still");
	raise(SIGKILL);
	_exit(1);
}

void
live_look(struct live *l)
{
	uint64_t now = loop_now_ms();

	if (now - l->looked_ms < WATCHDOG_TICK_MS)
		return;
	l->looked_ms = now;
	for (unsigned f = 0; f < l->n_fast; f++)
		if (pulse_look(&l->fast[f].pulse))
			end_process(l, f);
}
