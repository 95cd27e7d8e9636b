/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_report: the one text that europa-launch prints, and its strict reader.
 *
 *	europa-launch 1			europa-launch 1
 *	state running			error 9 pids: asked 64, found none
 *	init-pid 4711			end
 *	cpu-millis 1000
 *	mem-bytes 268435456
 *	pids 64
 *	disk-bytes 67108864
 *	cpus 0-1
 *	all-cpus 0-3
 *	end
 *
 * Lines come in this order, each once. The number after "error" is a positive
 * errno. Whatever stands before the first line (a library that complains) is
 * an error of the whole. container_fake.c keeps its state in the same form.
 */
#ifndef AGENT_LAUNCH_REPORT_H
#define AGENT_LAUNCH_REPORT_H

#include "agent/container.h"

#include <stddef.h>

enum { LAUNCH_REPORT_BYTES = 2048 };

/*
 * Writes the report of an operation that ended with rc into buf: st when rc is
 * 0, else e. Returns the bytes written, without the final zero.
 */
size_t launch_report_format(char buf[LAUNCH_REPORT_BYTES], int rc,
    const struct container_status *st, const struct err *e);

/*
 * Reads a report. Returns 0 with st filled; or what the report says went wrong,
 * as negative errno with e set; or -EPROTO if it is not a report.
 */
int launch_report_parse(
    const char *text, struct container_status *st, struct err *e);

#endif
