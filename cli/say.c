/* SPDX-License-Identifier: Apache-2.0 */
/* say: words to whoever typed the command, see cli.h. */
#include "cli/cli.h"

#include "lib/base.h"

#include <stdarg.h>
#include <stdio.h>

static void
say(const char *fmt, va_list ap)
{
	fputs("europactl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void
cli_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

int
cli_fail(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return code;
}
