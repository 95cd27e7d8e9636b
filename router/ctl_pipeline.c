/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_pipeline: which pipeline forwards, another one, and what each step costs.
 */
#include "router/ctl_int.h"

#include "lib/loop.h"

#include <stdio.h>

/* --- show ----------------------------------------------------------------- */

/* What of a revision is known, without the braces. */
static void
put_revision(struct text *t, const struct revision *v)
{
	text_number(t, "number", v->number);
	text_string(t, "state", revision_state_name(v->state));
	text_number(t, "previous", v->previous);
	text_number(t, "time", (unsigned long long)v->time);
	text_string(t, "sha256", v->digest);
	text_string(t, "author", v->author);
	text_string(t, "why", v->why);
}

/* Number 0 is in no list. */
static struct revision
brought_along(const struct live *l)
{
	struct revision v = {
		.state = l->number[LIVE_NOW] == 0 ? REVISION_RUNNING
						  : REVISION_REPLACED,
		.author = "europa-router",
	};

	snprintf(v.why, sizeof(v.why), "the pipeline in %s",
	    l->builtin_c ? "C" : "Lua");
	return v;
}

static void
show_all(const struct ctl *c, struct ctl_client *k)
{
	const struct live *l = c->view.live;
	struct revision none = brought_along(l);
	struct text *t = &k->answer;

	text_open(t, NULL, '{');
	text_number(t, "running", l->number[LIVE_NOW]);
	text_open(t, "revisions", '[');
	text_open(t, NULL, '{');
	put_revision(t, &none);
	text_close(t, '{');
	for (unsigned i = 0; i < l->revisions.n; i++) {
		text_open(t, NULL, '{');
		put_revision(t, &l->revisions.list[i]);
		text_close(t, '{');
	}
	text_close(t, '[');
	text_close(t, '{');
	ctl_answer(k);
}

static bool
read_number(const char *s, unsigned long max, unsigned *out)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	*out = (unsigned)v;
	return *s >= '0' && *s <= '9' && *end == '\0' && v <= max;
}

/* The revision of that number; false: it has been answered. */
static bool
find_revision(
    struct ctl *c, struct ctl_client *k, unsigned number, struct revision *out)
{
	const struct revision *v =
	    revisions_find(&c->view.live->revisions, number);

	if (number == 0) {
		*out = brought_along(c->view.live);
		return true;
	}
	if (!v) {
		ctl_error(
		    k, CTL_MISSING, 0, "revision %u is not there", number);
		return false;
	}
	*out = *v;
	return true;
}

static void
answer_revision(
    struct ctl *c, struct ctl_client *k, unsigned number, bool with_text)
{
	const struct live *l = c->view.live;
	scoped_free char *text = NULL;
	struct revision v;
	size_t len = 0;

	if (!find_revision(c, k, number, &v))
		return;
	text_open(&k->answer, NULL, '{');
	put_revision(&k->answer, &v);
	if (with_text) {
		text = live_text(l, number, &len);
		if (text)
			text_string_n(&k->answer, "text", text, len);
		else
			text_null(&k->answer, "text");
	}
	text_close(&k->answer, '{');
	ctl_answer(k);
}

void
ctl_show_pipeline(struct ctl *c, struct ctl_client *k)
{
	unsigned number;

	if (strcmp(k->word[1], "pipeline") == 0)
		show_all(c, k);
	else if (k->n_words != 3 ||
		 !read_number(k->word[2], UINT32_MAX, &number))
		ctl_error(k, CTL_INVALID, 0, "expected: show revision NUMBER");
	else
		answer_revision(c, k, number, true);
}

/* --- put, rollback -------------------------------------------------------- */

static void
await_check(struct ctl *c, struct ctl_client *k)
{
	const struct revision *v =
	    revisions_find(&c->view.live->revisions, k->revision);

	if (!v || v->state != REVISION_CHECKING)
		answer_revision(c, k, k->revision, false);
}

void
ctl_put(struct ctl *c, struct ctl_client *k)
{
	struct err e;

	if (k->n_words != 3 || strcmp(k->word[1], "pipeline") != 0) {
		ctl_error(
		    k, CTL_UNKNOWN, 0, "expected: put pipeline AUTHOR LENGTH");
		return;
	}
	if (k->body_len == 0) {
		ctl_error(k, CTL_INVALID, 0, "an empty pipeline");
		return;
	}
	k->revision =
	    live_put(c->view.live, k->body, k->body_len, k->word[2], &e);
	if (k->revision == 0) {
		ctl_error(
		    k, e.no == -EBUSY ? CTL_BUSY : CTL_FAILED, 0, "%s", e.msg);
		return;
	}
	k->work = await_check;
	k->state = CTL_WORKS;
}

void
ctl_rollback(struct ctl *c, struct ctl_client *k)
{
	unsigned number;
	struct err e;

	if (k->n_words != 3 || strcmp(k->word[1], "pipeline") != 0 ||
	    !read_number(k->word[2], UINT32_MAX, &number)) {
		ctl_error(
		    k, CTL_INVALID, 0, "expected: rollback pipeline NUMBER");
		return;
	}
	if (live_go_back(c->view.live, number, &e) < 0)
		ctl_error(k, e.no == -ENOENT ? CTL_MISSING : CTL_FAILED, 0,
		    "%s", e.msg);
	else
		answer_revision(c, k, number, false);
}

/* --- time ----------------------------------------------------------------- */

/* What the fast paths had when it began. */
struct ctl_timing {
	uint64_t ticks, ns;
	struct {
		uint64_t ticks, packets;
	} sum[PROBE_N];
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The sums of all fast paths now. */
static void
look(const struct live *l, struct ctl_timing *out)
{
	*out = (struct ctl_timing){ .ticks = probe_ticks(), .ns = now_ns() };
	for (unsigned f = 0; f < l->n_fast; f++)
		for (unsigned i = 0; i < PROBE_N; i++) {
			const struct probe_sum *s = &l->fast[f].probe.sum[i];

			out->sum[i].ticks += probe_read(&s->ticks);
			out->sum[i].packets += probe_read(&s->packets);
		}
}

static void
set_probing(struct live *l, bool on)
{
	for (unsigned f = 0; f < l->n_fast; f++)
		/* relaxed: sooner or later */
		atomic_store_explicit(
		    &l->fast[f].probing, on, memory_order_relaxed);
}

static void
put_step(
    struct text *t, const char *name, size_t n, uint64_t packets, double ns)
{
	text_open(t, NULL, '{');
	text_string_n(t, "step", name, n);
	text_number(t, "packets", packets);
	text_key(t, "ns_per_packet");
	text_printf(t, "%.2f", packets ? ns / (double)packets : 0.0);
	text_close(t, '{');
}

static void
answer_timing(struct ctl *c, struct ctl_client *k)
{
	const struct live *l = c->view.live;
	const struct ctl_timing *from = k->timing;
	const char *name = script_steps(l->script[LIVE_NOW][0]);
	struct text *t = &k->answer;
	struct ctl_timing to;
	unsigned at = PROBE_STEP;
	double ns_per_tick;

	look(l, &to);
	ns_per_tick = (double)(to.ns - from->ns) /
		      (double)MAX(to.ticks - from->ticks, UINT64_C(1));
#define PACKETS(i) (to.sum[i].packets - from->sum[i].packets)
#define NS(i) ((double)(to.sum[i].ticks - from->sum[i].ticks) * ns_per_tick)
	text_open(t, NULL, '{');
	text_number(t, "ms", (to.ns - from->ns) / 1000000);
	text_number(t, "packets", PACKETS(PROBE_RX));
	text_open(t, "steps", '[');
	put_step(t, "receive", 7, PACKETS(PROBE_RX), NS(PROBE_RX));
	for (; *name && at < PROBE_N; at++) {
		size_t n = strcspn(name, "\n");

		put_step(t, name, n, PACKETS(at), NS(at));
		name += n + (name[n] == '\n');
	}
	put_step(t, "transmit", 8, PACKETS(PROBE_TX), NS(PROBE_TX));
	put_step(t, "give_back", 9, PACKETS(PROBE_BACK), NS(PROBE_BACK));
#undef PACKETS
#undef NS
	text_close(t, '[');
	text_close(t, '{');
	ctl_answer(k);
}

/* Also of a client that has gone: it is looked at when it can be written to. */
static void
await_timing(struct ctl *c, struct ctl_client *k)
{
	struct live *l = c->view.live;

	if (loop_now_ms() < k->work_until_ms)
		return;
	set_probing(l, false);
	if (k->number != l->number[LIVE_NOW])
		ctl_error(
		    k, CTL_BUSY, 0, "another pipeline took over meanwhile");
	else
		answer_timing(c, k);
	ctl_end_timing(k);
}

void
ctl_end_timing(struct ctl_client *k)
{
	free(k->timing);
	k->timing = NULL;
}

void
ctl_time(struct ctl *c, struct ctl_client *k)
{
	struct live *l = c->view.live;
	unsigned ms;

	if (k->n_words != 3 || strcmp(k->word[1], "pipeline") != 0 ||
	    !read_number(k->word[2], CTL_MAX_TIME_MS, &ms)) {
		ctl_error(k, CTL_INVALID, 0,
		    "expected: time pipeline MS, at most %d", CTL_MAX_TIME_MS);
		return;
	}
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++)
		if (c->client[i] && c->client[i]->timing) {
			ctl_error(k, CTL_BUSY, 0, "somebody else measures now");
			return;
		}
	k->timing = malloc(sizeof(*k->timing));
	if (!k->timing) {
		ctl_error(k, CTL_FAILED, 0, "no memory");
		return;
	}
	look(l, k->timing);
	k->number = l->number[LIVE_NOW];
	k->work_until_ms = loop_now_ms() + ms;
	k->work = await_timing;
	k->state = CTL_WORKS;
	set_probing(l, true);
}
