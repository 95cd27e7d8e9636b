/* SPDX-License-Identifier: Apache-2.0 */
/* progress: see progress.h. */
#include "cli/progress.h"

#include "lib/base.h"
#include "lib/loop.h"

#include <stdio.h>

enum { BAR = 30, FIRST_MS = 500, NEXT_MS = 100 };

static struct {
	uint64_t begin_ms, drawn_ms;
	bool is_drawn;
} self;

static bool
is_seen(void)
{
	return isatty(STDERR_FILENO) == 1;
}

/* Not too early, not too often. */
static bool
is_time(void)
{
	uint64_t now = loop_now_ms();

	if (self.begin_ms == 0)
		self.begin_ms = now;
	if (now - self.begin_ms < FIRST_MS || now - self.drawn_ms < NEXT_MS)
		return false;
	self.drawn_ms = now;
	return true;
}

static void
draw(uint64_t done, uint64_t total, const char *what)
{
	unsigned n = total ? (unsigned)(MIN(done, total) * BAR / total) : 0;

	fputs("\r\033[K[", stderr);
	for (unsigned i = 0; i < BAR; i++)
		fputc(i < n ? '#' : '.', stderr);
	fprintf(stderr, "] %s", what);
	fflush(stderr);
	self.is_drawn = true;
}

static void
bytes(uint64_t done, uint64_t total)
{
	char text[64];

	if (done == 0 || (total > 0 && done >= total)) {
		progress_end();
		return;
	}
	if (!is_time())
		return;
	snprintf(text, sizeof(text), "%.1f%s%.1f MiB", (double)done / 1048576,
	    total ? " of " : " of at least ",
	    (double)MAX(done, total) / 1048576);
	draw(done, total, text);
}

progress_fn
progress_bytes(void)
{
	return is_seen() ? bytes : NULL;
}

void
progress_step(unsigned done, unsigned total, const char *what)
{
	char text[128];

	if (!is_seen() || !is_time())
		return;
	snprintf(text, sizeof(text), "%u of %u: %s", done, total, what);
	draw(done, total, text);
}

void
progress_end(void)
{
	if (self.is_drawn)
		fputs("\r\033[K", stderr);
	self.is_drawn = false;
	self.begin_ms = 0;
}
