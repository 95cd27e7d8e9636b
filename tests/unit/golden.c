/* SPDX-License-Identifier: Apache-2.0 */
/* golden: see golden.h. */
#include "tests/unit/golden.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
golden_open(struct golden *g, const char *name)
{
	const char *src = getenv("EUROPA_SRCDIR");
	char path[512];

	snprintf(
	    path, sizeof(path), "%s/tests/golden/%s", src ? src : ".", name);
	g->file = fopen(path, "r");
	assert(g->file);
}

int
golden_next(struct golden *g, const char *first, unsigned n)
{
	while (fgets(g->line, sizeof(g->line), g->file)) {
		char *at, *word = strtok_r(g->line, " \n", &at);

		if (!word || strcmp(word, first) != 0)
			continue;
		for (g->n = 0; word && g->n < GOLDEN_WORDS; g->n++) {
			g->word[g->n] = word;
			word = strtok_r(NULL, " \n", &at);
		}
		assert(g->n > n);
		return 1;
	}
	fclose(g->file);
	return 0;
}
