/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_trace: an imaginary packet in words, and what becomes of it in words.
 */
#include "router/ctl_int.h"

#include "router/ctl_names.h"
#include "router/packet.h"
#include "router/routerconf_internal.h"
#include "router/trace.h"

#include <stdio.h>

enum { MAX_WORDS = 32 };

/* The last place of a reader is main's: there is one fast path less than that. */
#define MAIN_READER (PUBLISH_MAX_READERS - 1)

/* --- words ---------------------------------------------------------------- */

struct words {
	struct ctl *c;
	char *word[MAX_WORDS];
	unsigned n, at;
	bool has_src, has_dst, has_in;
	struct trace_packet p;
	const char *bad; /* the first that was not understood */
};

static const char *
take(struct words *w)
{
	return w->at < w->n ? w->word[w->at++] : "";
}

static bool
take_number(struct words *w, uint64_t max, uint64_t *out)
{
	return routerconf_uint(take(w), max, out);
}

/* Both are of one family. */
static bool
take_address(struct words *w, struct ip6 *out, bool *has, bool other)
{
	const char *word = take(w);
	uint32_t ip4;
	bool is6 = strchr(word, ':') != NULL;

	if (other && w->p.is6 != is6)
		return false;
	w->p.is6 = is6;
	*has = true;
	if (is6)
		return routerconf_ip6(word, out);
	if (!routerconf_ip4(word, &ip4))
		return false;
	*out = ip6_of_ip4(ip4);
	return true;
}

static bool
take_vnic(struct words *w)
{
	const char *name = take(w);

	for (unsigned i = 0; i < VNIC_MAX_VNICS; i++)
		if (*name && strcmp(ctl_vnic_name(w->c, i), name) == 0) {
			w->p.vnic = i;
			w->has_in = true;
			return true;
		}
	return false;
}

/* udp and tcp may be followed by the destination's port. */
static bool
take_protocol(struct words *w, const char *word)
{
	uint64_t v = 0;

	if (strcmp(word, "proto") == 0) {
		if (!take_number(w, 255, &v))
			return false;
		w->p.protocol = (uint8_t)v;
		return true;
	}
	if (strcmp(word, "icmp") == 0) {
		w->p.protocol = IP_ICMP;
		return true;
	}
	w->p.protocol = strcmp(word, "tcp") == 0 ? IP_TCP : IP_UDP;
	if (w->at < w->n && routerconf_uint(w->word[w->at], 65535, &v)) {
		w->p.dport = (uint16_t)v;
		w->at++;
	}
	return true;
}

static bool
take_one(struct words *w, const char *word)
{
	struct trace_packet *p = &w->p;
	uint64_t v = 0;

	if (strcmp(word, "src") == 0)
		return take_address(w, &p->src, &w->has_src, w->has_dst);
	if (strcmp(word, "dst") == 0)
		return take_address(w, &p->dst, &w->has_dst, w->has_src);
	if (strcmp(word, "in") == 0)
		return take_vnic(w);
	if (strcmp(word, "udp") == 0 || strcmp(word, "tcp") == 0 ||
	    strcmp(word, "icmp") == 0 || strcmp(word, "proto") == 0)
		return take_protocol(w, word);
	if (strcmp(word, "df") == 0)
		return p->df = true;
	if (strcmp(word, "ttl") == 0) {
		if (!take_number(w, 255, &v))
			return false;
		p->ttl = (unsigned)v;
		return true;
	}
	if (strcmp(word, "len") == 0) {
		if (!take_number(w, TRACE_ROOM, &v))
			return false;
		p->len = (unsigned)v;
		return true;
	}
	if (strcmp(word, "sport") != 0 && strcmp(word, "dport") != 0)
		return false;
	if (!take_number(w, 65535, &v))
		return false;
	*(*word == 's' ? &p->sport : &p->dport) = (uint16_t)v;
	return true;
}

/* Where the source is a neighbour, or the first vNIC. */
static void
find_vnic(struct words *w)
{
	const struct routerconf *conf = &w->c->view.feed->conf;
	struct route r = {
		.via = w->p.src, .is6 = w->p.is6, .dev = ROUTE_NO_DEV
	};
	unsigned i = plan_way_out(conf->vnic, &r);

	if (i == VNIC_MAX_VNICS)
		for (i = 0; i < VNIC_MAX_VNICS - 1; i++)
			if (conf->vnic[i].present)
				break;
	w->p.vnic = i;
}

static const char expected[] =
    "expected: src ADDRESS dst ADDRESS [in INTERFACE] [ttl N] [len N] "
    "[udp|tcp [PORT]|icmp|proto N] [sport N] [dport N] [df]";

/* False: it has been answered. */
static bool
read_packet(struct ctl *c, struct ctl_client *k, struct trace_packet *out)
{
	struct words w = { .c = c,
		.p = { .ttl = 64, .protocol = IP_UDP, .dport = 9 } };
	char *rest;

	for (char *at = strtok_r(k->body, " \t\r\n", &rest);
	     at && w.n < MAX_WORDS; at = strtok_r(NULL, " \t\r\n", &rest))
		w.word[w.n++] = at;
	while (w.at < w.n) {
		const char *word = take(&w);

		if (take_one(&w, word))
			continue;
		ctl_error(k, CTL_INVALID, 1, "not understood: %s%s%s; %s", word,
		    w.word[w.at - 1] != word ? " " : "",
		    w.word[w.at - 1] != word ? w.word[w.at - 1] : "", expected);
		return false;
	}
	if (!w.has_src || !w.has_dst) {
		ctl_error(k, CTL_INVALID, 1, "%s", expected);
		return false;
	}
	if (w.p.is6 && w.p.protocol == IP_ICMP)
		w.p.protocol = NEXT_ICMP6;
	if (!w.has_in)
		find_vnic(&w);
	*out = w.p;
	return true;
}

/* --- what became of it ---------------------------------------------------- */

static void
put_step(struct ctl *c, struct text *t, const struct trace_step *s,
    const struct trace_step *before)
{
	(void)c;
	if (!s->goes_on) {
		text_printf(t, "\"%s: %s\"",
		    s->fate < FATE_N_DROPS ? "drops it" : "to the slow path",
		    s->fate < N_FATES ? count_name(s->fate) : "pipeline_drop");
		return;
	}
	if (before && s->ttl != before->ttl)
		text_printf(t, "\"goes on, ttl %u\"", s->ttl);
	else if (s->changed)
		text_printf(t, "\"changes it\"");
	else
		text_printf(t, "\"goes on\"");
}

static void
put_end(struct ctl *c, struct text *t, const struct trace_result *r)
{
	char ip[48];

	text_string(t, "fate",
	    r->fate == TRACE_FORWARDED ? "forwarded"
	    : r->fate < N_FATES        ? count_name(r->fate)
				       : "pipeline_drop");
	text_string(t, "by",
	    r->fate == TRACE_FORWARDED ? "transmit"
	    : r->fate < N_FATES        ? ctl_fate_module(r->fate)
				       : "own_step");
	if (r->why[0])
		text_string(t, "why", r->why);
	if (!r->has_hop) {
		text_null(t, "interface");
		text_null(t, "gateway");
		text_null(t, "mac");
		return;
	}
	text_string(t, "interface", ctl_vnic_name(c, r->vnic));
	if (ip6_is_zero(r->gateway))
		text_null(t, "gateway");
	else
		text_string(t, "gateway", ctl_address(r->is6, r->gateway, ip));
	if (r->fate != TRACE_FORWARDED) {
		text_null(t, "mac");
		return;
	}
	text_key(t, "mac");
	text_printf(t, "\"%02x:%02x:%02x:%02x:%02x:%02x\"", r->mac[0],
	    r->mac[1], r->mac[2], r->mac[3], r->mac[4], r->mac[5]);
}

static void
answer_trace(struct ctl *c, struct ctl_client *k)
{
	const struct trace_result *r = &k->trace->result;
	const char *name = script_steps(c->view.live->script[LIVE_NOW][0]);
	struct text *t = &k->answer;

	text_open(t, NULL, '{');
	text_number(t, "pipeline", k->number);
	text_open(t, "steps", '[');
	for (unsigned i = 0; i < r->n_steps && *name; i++) {
		size_t n = strcspn(name, "\n");

		text_open(t, NULL, '{');
		text_string_n(t, "step", name, n);
		text_key(t, "result");
		put_step(c, t, &r->step[i], i ? &r->step[i - 1] : NULL);
		text_close(t, '{');
		if (!r->step[i].goes_on) /* the others saw nothing of it */
			break;
		name += n + (name[n] == '\n');
	}
	text_close(t, '[');
	put_end(c, t, r);
	text_close(t, '{');
	ctl_end_trace(k);
	ctl_answer(k);
}

static void
await_trace(struct ctl *c, struct ctl_client *k)
{
	if (!trace_hear(k->trace))
		return;
	if (k->number == c->view.live->number[LIVE_NOW]) {
		answer_trace(c, k);
		return;
	}
	ctl_end_trace(k);
	ctl_error(k, CTL_BUSY, 0, "another pipeline took over meanwhile");
}

void
ctl_end_trace(struct ctl_client *k)
{
	if (k->trace)
		trace_end(k->trace);
	free(k->trace);
	k->trace = NULL;
}

/* With the tables that are in force, which stay while it runs here. */
static int
begin(struct ctl *c, struct ctl_client *k, const struct trace_packet *p)
{
	struct publish *publish = &c->view.slow->publish;
	const struct live *l = c->view.live;
	char name[32];
	struct script_text text = { .name = name };
	scoped_free char *own = NULL;
	int rc;

	k->number = l->number[LIVE_NOW];
	snprintf(name, sizeof(name), "%u.lua", k->number);
	if (k->number > 0)
		text.text = own = live_text(l, k->number, &text.len);
	k->trace = malloc(sizeof(*k->trace));
	if (!k->trace || (k->number > 0 && !own))
		return -ENOMEM;
	/* a fork has a copy of them, which nobody frees */
	rc = trace_begin(k->trace, publish_enter(publish, MAIN_READER), p,
	    own ? &text : NULL);
	publish_leave(publish, MAIN_READER);
	return rc;
}

void
ctl_trace(struct ctl *c, struct ctl_client *k)
{
	struct trace_packet p;
	int rc;

	if (k->n_words != 2 || strcmp(k->word[1], "packet") != 0) {
		ctl_error(k, CTL_UNKNOWN, 0, "expected: trace packet LENGTH");
		return;
	}
	if (memchr(k->body, '\0', k->body_len)) {
		ctl_error(k, CTL_INVALID, 0, "a zero byte in the line");
		return;
	}
	if (!read_packet(c, k, &p))
		return;
	rc = begin(c, k, &p);
	if (rc == 0) {
		k->work = await_trace;
		k->state = CTL_WORKS;
		await_trace(c, k);
		return;
	}
	free(k->trace);
	k->trace = NULL;
	if (rc == -EMSGSIZE)
		ctl_error(k, CTL_INVALID, 1,
		    "no such packet has %u bytes (at most %d)", p.len,
		    TRACE_ROOM - ETH_BYTES);
	else
		ctl_error(k, CTL_FAILED, 0, "%s", strerror(-rc));
}
