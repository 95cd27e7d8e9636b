/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers: what was answered to requests that had an Idempotency-Key, so that
 * the same request, sent again because its answer was lost, gets that answer
 * and does nothing.
 *
 * Each is a file of its own, on disk before the client hears of it, and kept for
 * a day; of more than ANSWERS_OF_ONE the asker's own oldest go, and of more than
 * ANSWERS_MAX the oldest of whoever has most: nobody pushes out who has few. A key
 * belongs to who sent it. What was never answered, because europad ended, is not
 * known here: it is carried out when it comes again, and a name is taken then or
 * it is not.
 */
#ifndef AGENT_ANSWERS_H
#define AGENT_ANSWERS_H

#include "api/server.h"
#include "lib/err.h"

enum {
	ANSWERS_MAX = 1024,
	ANSWERS_OF_ONE = 128, /* who asks */
	ANSWERS_KEEP_S = 24 * 3600,
	ANSWERS_FILE_BYTES = 512 << 10,
};

struct answers;
struct answers_entry;

/* Reads what is in dir, which is made; now is in seconds of the world's clock. */
int answers_open(
    const char *dir, int64_t now, struct answers **out, struct err *e);
void answers_close(struct answers *a);

enum answers_what {
	ANSWERS_NEW,   /* to be carried out; then answers_keep() or _drop() */
	ANSWERS_KNOWN, /* answers_read() has the answer */
	ANSWERS_OTHER, /* the key was used with another request */
	ANSWERS_UNDER_WAY, /* the first has no answer yet */
	ANSWERS_FULL,      /* too many are under way, or no memory */
};

/* who and key name it, digest is that of the request. */
enum answers_what answers_begin(struct answers *a, const char *who,
    const char *key, const char *digest, int64_t now,
    struct answers_entry **out);

/* Returns 0, or negative errno with e set; then it is not known any more. */
int answers_keep(struct answers *a, struct answers_entry *x,
    const struct api_answer *answer, struct err *e);
void answers_drop(struct answers *a, struct answers_entry *x);

/*
 * {"status", "type", "body", "etag", "location"}; NULL if the file is gone, and
 * then x is, too.
 */
json_t *answers_read(struct answers *a, struct answers_entry *x);

#endif
