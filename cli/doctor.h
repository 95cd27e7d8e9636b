/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor: what a host must have to be a node, looked at one by one. Nothing is
 * changed here; each finding says which command would.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum finding_state {
	FINDING_OK,
	FINDING_WARN, /* it works, and could be better */
	FINDING_FAIL, /* no node without it */
};

struct finding {
	enum finding_state state;
	char seen[256];
	char cure[256]; /* "" if there is nothing to cure */
};

/* Where things are; "" and the real places but in tests. */
struct host {
	char root[64];
	const char *libexec; /* EUROPA_LIBEXECDIR */
	const char *state;   /* EUROPA_STATEDIR */
	const char *config;  /* EUROPA_CONFDIR, europa.conf in it */
	char built[512];     /* the folder of this program; "" = not known */
};

struct doctor_check {
	const char *name;
	void (*look)(const struct host *h, struct finding *f);
};

extern const struct doctor_check doctor_checks[];
extern const size_t n_doctor_checks;

/* Each sets the whole of f. */
void doctor_ok(struct finding *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* cure: the command. */
void doctor_found(struct finding *f, enum finding_state state, const char *cure,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* All of a file, cut at 64 KiB; NULL if it is not there. Returns to caller. */
char *doctor_read(const struct host *h, const char *path);
bool doctor_is_there(
    const struct host *h, const char *folder, const char *name);

/* A check, of doctor_ids.c. */
void doctor_look_at_subuids(const struct host *h, struct finding *f);

#endif
