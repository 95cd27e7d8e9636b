/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_program: the program that a router's owner has named as its data plane
 * (spec.dataplane), and what is told when there is no such thing. init tries to
 * run it for ever, for it may be put there at any time; the router is degraded
 * meanwhile, and says why.
 */
#include "agent/router.h"

#include "lib/base.h"

#include <stdio.h>

enum { STATUS_MASK = (1 << WIRE_EXEC_SHIFT) - 1, TEXT_BYTES = 160 };

/* What to do about it; short, as a fault has room for it. */
static const char *
cure(uint32_t no)
{
	switch (no) {
	case ENOENT:
		return "put it (or what it is interpreted by) into the "
		       "container with PUT .../files, or correct "
		       "spec.dataplane";
	case EACCES:
		return "it has to be an executable file: chmod 755 it, or "
		       "correct spec.dataplane";
	case ENOEXEC:
		return "it has to be a program for this machine, or a script "
		       "that begins with #!, or correct spec.dataplane";
	default:
		return "correct spec.dataplane with PUT or PATCH";
	}
}

/* Its path alone: the words after it are arguments. */
static void
why_text(const struct router *r, uint32_t no, char *buf, size_t size)
{
	const char *program = r->spec.dataplane;
	const char *name = strerrorname_np((int)no);
	size_t skip = strspn(program, " \t");
	size_t n = strcspn(program + skip, " \t");

	snprintf(buf, size, "the program %.*s cannot be run: %s (%s)",
	    n > 0 ? (int)MIN(n, (size_t)64) : 15,
	    n > 0 ? program + skip : "of the template", strerror((int)no),
	    name ? name : "?");
	problem_clean_text(buf);
}

void
router_program_ended(struct router *r, uint32_t status)
{
	uint32_t no = status >> WIRE_EXEC_SHIFT;
	char why[TEXT_BYTES];

	if (no == 0) {
		router_care_process_ended(r, (int)status);
		return;
	}
	if (router_is_attached(r))
		router_end_epochs(r); /* nobody serves them any more */
	why_text(r, no, why, sizeof(why));
	router_care_fault(r, "dataplane-missing", (int)(status & STATUS_MASK),
	    cure(no), "%s", why);
}

bool
router_program_flaw(const struct router *r, char *buf, size_t size)
{
	char why[TEXT_BYTES];

	if (r->process_error == 0 || r->process_running)
		return false;
	why_text(r, r->process_error, why, sizeof(why));
	snprintf(buf, size, "%s; %s", why, cure(r->process_error));
	return true;
}
