/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults: what went wrong with one router, the last of it, and how often its
 * container was started again. In state_dir/routers/UID/faults.json:
 *
 *	{"boot", "up", "restarts": [...], "down": {...}, "faults": [...]}
 *
 * boot is the life of the machine that up, restarts and down are about: whether
 * the container was running, when it was started again, and why it is not to be
 * started any more. After a boot all begins anew but the faults.
 *
 * A tenant can make faults as fast as it likes: what repeats is counted, and the
 * file is written at most once a second. It is not synced: it has to survive
 * europad, and after a power cut it is a courtesy.
 */
#ifndef AGENT_FAULTS_H
#define AGENT_FAULTS_H

#include "agent/durable.h"
#include "api/model.h"

#include <jansson.h>
#include <stdint.h>

enum { FAULTS_KEPT = 20, FAULTS_BOOT = 40 };

struct fault {
	char time[32];    /* RFC 3339, of the last one */
	char what[24];    /* a word, from us */
	char detail[160]; /* a sentence */
	char remedy[160];
	int status;     /* of wait(2), -1 = unknown or none */
	uint64_t count; /* that were the same, one after another */
};

struct faults {
	char dir[DURABLE_PATH];
	char boot[FAULTS_BOOT];
	bool up; /* its container runs, or did when somebody last looked */
	bool down;
	struct fault why; /* it is down: detail and remedy */
	unsigned n_restarts;
	uint64_t restart_ms[MODEL_MAX_RESTARTS]; /* boot time, oldest first */
	unsigned n;
	struct fault list[FAULTS_KEPT]; /* newest first */
	uint64_t written_ms;
	bool dirty; /* not all of it is in the file */
};

/* Reads what is in dir, if there is anything. */
void faults_open(struct faults *f, const char *dir);

/* One more; its time is now. */
void faults_add(struct faults *f, const char *what, int status,
    const char *remedy, const char *detail);

/* Its container runs (nothing keeps it down any more), or does not. */
void faults_set_up(struct faults *f, bool up);
/* It is not to be started again. */
void faults_set_down(struct faults *f, const char *remedy, const char *detail);

/* Somebody wants it otherwise: nothing keeps it down. */
void faults_forgive(struct faults *f);

/*
 * Notes a start after a death, now (boot time). Returns false if there were max
 * of them in the last hour; 0 = any number.
 */
bool faults_count_restart(struct faults *f, unsigned max, uint64_t now_ms);

/* Writes it, if it is time to. Returns ms until it will be; 0: all is written. */
unsigned faults_write(struct faults *f);

/* For status.faults. */
json_t *faults_json(const struct faults *f);

/* CLOCK_BOOTTIME: it does not stand still while the machine sleeps. */
uint64_t faults_boot_ms(void);
/* The id of this life of the machine; "" if the kernel does not tell. */
const char *faults_boot_id(void);

#endif
