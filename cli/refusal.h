/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal: an answer that is a problem document, for people and for scripts.
 */
#ifndef CLI_REFUSAL_H
#define CLI_REFUSAL_H

#include "cli/cli.h"
#include "cli/http.h"

#include <stdio.h>

/* The exit code of an answer: 0 for a good one. */
int refusal_code(const struct http_answer *a);

/* Its detail, every place, and the remedy, to f. */
void refusal_print(FILE *f, const struct http_answer *a);

/* The exit code of http_do() that had no answer; says why, and what to do. */
int refusal_no_answer(int rc, const struct err *e);

#endif
