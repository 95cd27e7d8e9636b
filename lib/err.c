/* SPDX-License-Identifier: Apache-2.0 */
/* err: fixed-size error values, see err.h. A message too long is cut. */
#include "lib/err.h"

#include <stdio.h>
#include <string.h>

int
err_set(struct err *e, int no, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return no;
	e->no = no;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return no;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->msg)];
	va_list ap;
	size_t n;

	if (!e)
		return 0;
	memcpy(inner, e->msg, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", inner);
	return e->no;
}
