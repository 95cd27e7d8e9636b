/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden: the lines of a file in tests/golden, split into words.
 *
 *	golden_open(&g, "router_packets6.txt");
 *	while (golden_next(&g, "echo6", 2)) ... g.word[1], g.word[2] ...
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdio.h>

enum { GOLDEN_WORDS = 16, GOLDEN_LINE = 65536 };

struct golden {
	FILE *file;
	unsigned n; /* words of this line, its first included */
	char *word[GOLDEN_WORDS];
	char line[GOLDEN_LINE];
};

/* Asserts that it is there. */
void golden_open(struct golden *g, const char *name);

/* The next line with this first word, at least n more; closes at the end. */
int golden_next(struct golden *g, const char *first, unsigned n);

#endif
