/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_int: what the files of ctl share. A command is a function that either
 * answers, or leaves k->work behind: that is called in each turn until it has
 * answered, and must not wait itself.
 *
 *	ctl_server.c    sockets: lines, bodies, answers, deadlines
 *	ctl_show.c      show
 *	ctl_routes.c    show routes
 *	ctl_change.c    change, replace
 *	ctl_pipeline.c  show pipeline, put, rollback, time
 *	ctl_trace.c     trace
 */
#ifndef ROUTER_CTL_INT_H
#define ROUTER_CTL_INT_H

#include "router/ctl.h"
#include "router/ctl_server.h"
#include "router/text.h"

enum ctl_int_limits {
	CTL_MAX_WORDS = 8,
	CTL_CHANGES_AT_ONCE = 256, /* of a client in a turn */
};

enum ctl_state {
	CTL_READS_LINE,
	CTL_READS_BODY,
	CTL_WORKS,  /* k->work has not answered yet */
	CTL_WRITES, /* the answer goes out */
};

/* A line of a body, understood. */
struct ctl_timing;
struct trace;
struct ctl_change {
	struct route route;
	bool add;
};

struct ctl_client {
	int fd;
	enum ctl_state state;
	uint64_t due_ms; /* it is closed if this state lasts longer */

	char line[CTL_MAX_LINE];
	size_t n_line;
	char *word[CTL_MAX_WORDS];
	unsigned n_words; /* without the length */
	char *body;       /* and a zero byte */
	size_t n_body;
	size_t body_len;

	enum ctl_code code; /* of the answer */
	struct text answer; /* its JSON */
	char head[32];
	size_t n_sent; /* of head and answer */
	bool last;     /* it is closed after it */

	void (*work)(struct ctl *c, struct ctl_client *k);
	struct ctl_change *change;
	unsigned n_changes;
	unsigned at;
	unsigned n_added, n_changed, n_deleted, n_missing;
	uint64_t wait_for; /* f->n_done */
	unsigned revision;
	uint64_t work_until_ms;
	unsigned number;           /* of the pipeline that is measured */
	struct ctl_timing *timing; /* NULL: it does not measure */
	struct trace *trace;       /* NULL: it waits for none */

	bool replacing;
	struct routes_set set; /* the table that it makes */
};

/* Makes an error of the answer; line 0: there is none. */
void ctl_error(struct ctl_client *k, enum ctl_code code, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What k->answer holds is to go out. */
void ctl_answer(struct ctl_client *k);

const char *ctl_code_name(enum ctl_code code);

/* Each has its words after the first. */
void ctl_show(struct ctl *c, struct ctl_client *k);
void ctl_show_routes(struct ctl *c, struct ctl_client *k);
void ctl_show_pipeline(struct ctl *c, struct ctl_client *k);
void ctl_change(struct ctl *c, struct ctl_client *k);
void ctl_replace(struct ctl *c, struct ctl_client *k);
void ctl_put(struct ctl *c, struct ctl_client *k);
void ctl_rollback(struct ctl *c, struct ctl_client *k);
void ctl_time(struct ctl *c, struct ctl_client *k);
void ctl_trace(struct ctl *c, struct ctl_client *k);

/* It does not measure any more. */
void ctl_end_timing(struct ctl_client *k);

/* It waits for no trace any more. */
void ctl_end_trace(struct ctl_client *k);

/* The routes that it was making are forgotten. */
void ctl_forget_replacement(struct ctl_client *k);

/* The text of an address, IPv4 as ::ffff:a.b.c.d if not is6. */
const char *ctl_address(bool is6, struct ip6 ip, char out[48]);

/* The name of a vNIC, "" if there is none. */
const char *ctl_vnic_name(const struct ctl *c, unsigned i);

#endif
