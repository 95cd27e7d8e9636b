/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem: what a client is told when its request is not done, RFC 9457.
 *
 * One struct gathers everything: a code that programs can switch on, a sentence
 * for people, every offending JSON pointer at once, and the remedy.
 */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include <jansson.h>

enum { PROBLEM_MAX_ERRORS = 32 };

struct problem {
	int status;       /* HTTP; 0 = no problem */
	const char *code; /* "invalid", "exists", ...: a static string */
	char detail[512];
	char remedy[512];
	unsigned n_errors;
	struct {
		char pointer[128]; /* RFC 6901 */
		char detail[256];
	} error[PROBLEM_MAX_ERRORS];
	json_t
	    *extra; /* more members (wanted, best, ...), owned, may be NULL */
};

void problem_init(struct problem *p);
void problem_clear(struct problem *p);

/* Sets status, code, detail and remedy. Returns -EINVAL, so it can be returned. */
int problem_set(struct problem *p, int status, const char *code,
    const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Adds one pointer; the first makes it a 422 "invalid". More than
 * PROBLEM_MAX_ERRORS are counted in the detail only. Returns -EINVAL.
 */
int problem_add(struct problem *p, const char *pointer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Replaces what is not printable ASCII, so that JSON can hold it. */
void problem_clean_text(char *s);

/* The document; new reference. */
json_t *problem_json(
    const struct problem *p, const char *instance, const char *request_id);

#endif
