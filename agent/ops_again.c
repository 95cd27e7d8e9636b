/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_again: see ops_again.h.
 *
 * Answers that say "try again" are not kept, nor are those of a dry run or to what
 * is no good request: nothing happened, and nothing would. What was made, and not
 * answered, is known by its uid: it is on disk with the object itself, so there is
 * no moment in which one is there and the other is not.
 */
#include "agent/ops_again.h"

#include "agent/answers.h"
#include "agent/ops.h"
#include "lib/base.h"
#include "lib/log.h"
#include "lib/sha256.h"

#include <stdio.h>
#include <time.h>

enum { UID_TIME_BYTES = 6 }; /* of a version 7 */

struct job {
	struct answers *answers;
	struct answers_entry *entry;
};

static void
answered(void *arg, const struct api_answer *answer)
{
	struct job *j = arg;
	struct err e;

	if (answer->status == 400 || answer->status == 403 ||
	    answer->status == 422 || answer->status == 503 ||
	    answer->status == 507)
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

static void
name_asker(const struct api_request *rq, char *buf, size_t size)
{
	if (*api_token(rq) != '\0')
		snprintf(buf, size, "token %s", api_token(rq));
	else
		snprintf(buf, size, "uid %u", api_uid(rq));
}

/* The part of a uid that is not its time, from who asks for what by which key. */
static void
hash_key(const struct api_request *rq, uint8_t uid[UID_BYTES])
{
	char who[64], text[1024], hex[SHA256_HEX];
	uint8_t version = uid[6] & 0xf0, variant = uid[8] & 0xc0;
	unsigned byte;
	int n;

	name_asker(rq, who, sizeof(who));
	n = snprintf(
	    text, sizeof(text), "%s\n%s\n%s", who, api_digest(rq), api_key(rq));
	sha256_hex(text, MIN((size_t)n, sizeof(text) - 1), hex);
	for (unsigned i = UID_TIME_BYTES; i < UID_BYTES; i++) {
		sscanf(hex + 2 * i, "%2x", &byte);
		uid[i] = (uint8_t)byte; /* of two digits */
	}
	uid[6] = (uid[6] & 0x0f) | version;
	uid[8] = (uid[8] & 0x3f) | variant;
}

int
op_make_uid(const struct api_request *rq, uint8_t uid[UID_BYTES])
{
	int rc = uid_make(uid);

	if (rc == 0 && api_key(rq) && !api_dry_run(rq))
		hash_key(rq, uid);
	return rc;
}

bool
op_has_made(const struct api_request *rq, const uint8_t uid[UID_BYTES])
{
	uint8_t mine[UID_BYTES];

	if (!api_key(rq) || api_dry_run(rq))
		return false;
	memcpy(mine, uid, UID_BYTES);
	hash_key(rq, mine);
	return memcmp(mine, uid, UID_BYTES) == 0;
}

bool
op_is_new(struct node *n, struct api_request *rq)
{
	const char *key = api_key(rq);
	struct answers_entry *x;
	enum answers_what what;
	char who[64];

	if (!key || api_dry_run(rq))
		return true;
	name_asker(rq, who, sizeof(who));
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
