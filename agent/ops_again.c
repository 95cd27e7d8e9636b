/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_again: see ops_again.h.
 *
 * Answers that say "try again" are not kept, nor are those of a dry run: nothing
 * happened.
 */
#include "agent/ops_again.h"

#include "agent/answers.h"
#include "agent/ops.h"
#include "lib/base.h"
#include "lib/log.h"

#include <stdio.h>
#include <time.h>

struct job {
	struct answers *answers;
	struct answers_entry *entry;
};

static void
answered(void *arg, const struct api_answer *answer)
{
	struct job *j = arg;
	struct err e;

	if (answer->status == 503 || answer->status == 507)
		answers_drop(j->answers, j->entry);
	else if (answers_keep(j->answers, j->entry, answer, &e) < 0)
		log_warn("the answer to a key is not kept: %s", e.msg);
	free(j);
}

static bool
begin(struct node *n, struct api_request *rq, struct answers_entry *x)
{
	struct job *j = malloc(sizeof(*j));
	struct problem p;

	if (j) {
		*j = (struct job){ n->answers, x };
		api_on_answer(rq, answered, j);
		return true;
	}
	answers_drop(n->answers, x);
	problem_init(&p);
	problem_set(&p, 503, "busy", "try again in a second", "no memory");
	op_problem(rq, &p);
	return false;
}

/* Returns false if the answer is lost: then it is as if it had never been. */
static bool
replay(struct node *n, struct api_request *rq, struct answers_entry *x)
{
	json_t *o = answers_read(n->answers, x);
	const json_t *body = json_object_get(o, "body");
	const struct api_answer answer = {
		.status = (int)json_integer_value(json_object_get(o, "status")),
		.text = json_string_value(body),
		.n = json_string_length(body),
		.media_type = json_string_value(json_object_get(o, "type")),
		.etag = json_string_value(json_object_get(o, "etag")),
		.location = json_string_value(json_object_get(o, "location")),
	};

	if (o)
		api_reply_again(rq, &answer);
	json_decref(o);
	return o != NULL;
}

static void
refuse(struct api_request *rq, enum answers_what what)
{
	struct problem p;

	problem_init(&p);
	if (what == ANSWERS_OTHER)
		problem_set(&p, 422, "key-reused",
		    "make a new key for each request that is another one",
		    "the Idempotency-Key came with another request before");
	else if (what == ANSWERS_UNDER_WAY)
		problem_set(&p, 409, "in-progress",
		    "send it again in a second, with the same key",
		    "the first request with this Idempotency-Key is not "
		    "answered yet");
	else
		problem_set(&p, 503, "busy", "try again in a second",
		    "too many requests with a key are under way");
	op_problem(rq, &p);
}

bool
op_is_new(struct node *n, struct api_request *rq)
{
	const char *key = api_key(rq);
	struct answers_entry *x;
	enum answers_what what;
	char who[32];

	if (!key || api_dry_run(rq))
		return true;
	snprintf(who, sizeof(who), "uid %u", api_uid(rq));
	what =
	    answers_begin(n->answers, who, key, api_digest(rq), time(NULL), &x);
	if (what == ANSWERS_KNOWN) {
		if (replay(n, rq, x))
			return false;
		what = answers_begin(
		    n->answers, who, key, api_digest(rq), time(NULL), &x);
	}
	if (what == ANSWERS_NEW)
		return begin(n, rq, x);
	refuse(rq, what);
	return false;
}
