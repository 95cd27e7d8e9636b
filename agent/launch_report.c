/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_report: see launch_report.h. A table names the numbers in their order,
 * so that writing and reading cannot disagree. Nothing is skipped and nothing
 * is guessed: a number has digits only and fits its type.
 */
#include "agent/launch_report.h"

#include "lib/base.h"

#include <inttypes.h>
#include <stdio.h>

static const char first_line[] = "europa-launch 1\n";
static const char *const state_names[] = {
	[CONTAINER_STOPPED] = "stopped",
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_FROZEN] = "frozen",
};

enum { N_NUMBERS = 5 };
static const struct {
	const char *name;
	uint64_t max;
} numbers[N_NUMBERS] = {
	{ "init-pid", INT32_MAX },
	{ "cpu-millis", UINT32_MAX },
	{ "mem-bytes", UINT64_MAX },
	{ "pids", UINT32_MAX },
	{ "disk-bytes", UINT64_MAX },
};

size_t
launch_report_format(char buf[LAUNCH_REPORT_BYTES], int rc,
    const struct container_status *st, const struct err *e)
{
	const uint64_t value[N_NUMBERS] = {
		st ? (uint64_t)st->init_pid : 0,
		st ? st->effective.cpu_millis : 0,
		st ? st->effective.mem_bytes : 0,
		st ? st->effective.pids : 0,
		st ? st->effective.disk_bytes : 0,
	};
	size_t n = 0;

	if (rc < 0 || !st) {
		char text[sizeof(e->msg)];

		snprintf(text, sizeof(text), "%s", e ? e->msg : "");
		for (char *p = text; *p; p++)
			if ((unsigned char)*p < ' ')
				*p = ' ';
		return (size_t)snprintf(buf, LAUNCH_REPORT_BYTES,
		    "%serror %d %s\nend\n", first_line, rc < 0 ? -rc : EINVAL,
		    text);
	}
	n += (size_t)snprintf(buf, LAUNCH_REPORT_BYTES, "%sstate %s\n",
	    first_line, state_names[st->state]);
	for (unsigned i = 0; i < N_NUMBERS; i++)
		n += (size_t)snprintf(buf + n, LAUNCH_REPORT_BYTES - n,
		    "%s %" PRIu64 "\n", numbers[i].name, value[i]);
	n += (size_t)snprintf(buf + n, LAUNCH_REPORT_BYTES - n,
	    "cpus %s\nall-cpus %s\nend\n", st->effective.cpus, st->all_cpus);
	return n;
}

/* Steps over word at *p; false if something else stands there. */
static bool
take_word(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool
take_number(const char **p, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	*p = s;
	*out = v;
	return v <= max;
}

static int
parse_error(const char *p, const char *text, struct err *e)
{
	const char *end;
	uint64_t no;

	if (!take_number(&p, 4095, &no) || no == 0 || !take_word(&p, " "))
		goto bad;
	end = strchr(p, '\n');
	if (!end || strcmp(end, "\nend\n") != 0)
		goto bad;
	return err_set(e, -(int)no, "%.*s", (int)(end - p), p);
bad:
	return err_set(e, -EPROTO, "europa-launch said: %.200s", text);
}

static bool
take_state(const char **p, enum container_state *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(state_names); i++) {
		if (take_word(p, state_names[i])) {
			*out = (enum container_state)i;
			return take_word(p, "\n");
		}
	}
	return false;
}

/* The rest of a line; nothing is a list of all cores. */
static bool
take_cpus(const char **p, char out[CPUS_TEXT])
{
	size_t n = strcspn(*p, "\n");
	struct cpus cpus;

	if (n >= CPUS_TEXT || (*p)[n] != '\n')
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p += n + 1;
	return n == 0 || cpus_parse(out, &cpus);
}

int
launch_report_parse(
    const char *text, struct container_status *st, struct err *e)
{
	uint64_t value[N_NUMBERS];
	enum container_state state;
	char cpus[CPUS_TEXT] = "", all[CPUS_TEXT] = "";
	const char *p = text;
	bool ok = take_word(&p, first_line);

	if (ok && take_word(&p, "error "))
		return parse_error(p, text, e);
	ok = ok && take_word(&p, "state ") && take_state(&p, &state);
	for (unsigned i = 0; ok && i < N_NUMBERS; i++)
		ok = take_word(&p, numbers[i].name) && take_word(&p, " ") &&
		     take_number(&p, numbers[i].max, &value[i]) &&
		     take_word(&p, "\n");
	ok = ok && take_word(&p, "cpus ") && take_cpus(&p, cpus) &&
	     take_word(&p, "all-cpus ") && take_cpus(&p, all);
	if (!ok || strcmp(p, "end\n") != 0)
		return err_set(e, -EPROTO, "europa-launch said: %.200s", text);
	*st = (struct container_status){
		.state = state,
		.init_pid = (pid_t)value[0],
		.effective = {
			.cpu_millis = (uint32_t)value[1],
			.mem_bytes = value[2],
			.pids = (uint32_t)value[3],
			.disk_bytes = value[4],
		},
	};
	strcpy(st->effective.cpus, cpus);
	strcpy(st->all_cpus, all);
	return 0;
}
