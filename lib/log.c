/* SPDX-License-Identifier: Apache-2.0 */
/* log: one write(2) per line, so that lines of threads never mix. */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *ident = "europa";
static enum log_level max_level = LOG_LEVEL_INFO;
static int with_prefix;

void
log_init(const char *name, enum log_level level)
{
	ident = name;
	max_level = level;
	with_prefix = getenv("JOURNAL_STREAM") != NULL;
}

int
log_level_parse(const char *name)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{ "err", LOG_LEVEL_ERR },
		{ "warn", LOG_LEVEL_WARN },
		{ "info", LOG_LEVEL_INFO },
		{ "debug", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0)
			return (int)levels[i].level;
	return -EINVAL;
}

const char *
log_level_check(const char *name)
{
	return log_level_parse(name) < 0 ? "err, warn, info or debug" : NULL;
}

static void
log_line(enum log_level level, const char *word, const char *fmt, va_list ap)
{
	char line[1024];
	int saved = errno;
	int n = 0;

	if (level > max_level)
		return;
	if (with_prefix)
		n = snprintf(line, sizeof(line), "<%d>", (int)level);
	else
		n = snprintf(line, sizeof(line), "%s: %s: ", ident, word);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	if ((size_t)n > sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = '?'; /* a name from outside forges no line */
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0) {
		/* nowhere left to say it */
	}
	errno = saved;
}

#define DEFINE_LOG(name, level, word)           \
	void name(const char *fmt, ...)         \
	{                                       \
		va_list ap;                     \
                                                \
		va_start(ap, fmt);              \
		log_line(level, word, fmt, ap); \
		va_end(ap);                     \
	}

DEFINE_LOG(log_err, LOG_LEVEL_ERR, "error")
DEFINE_LOG(log_warn, LOG_LEVEL_WARN, "warning")
DEFINE_LOG(log_info, LOG_LEVEL_INFO, "info")
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG, "debug")
