/* SPDX-License-Identifier: Apache-2.0 */
/* launch_args: see launch_args.h. One table serves reading and writing. */
#include "agent/launch_args.h"

#include "lib/base.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	ID_RANGE = 65536,
	MAX_CPU_MILLIS = 1000000,
	MIN_MEM_BYTES = 4 << 20,
	MIN_PIDS = 2,
};

static const char *const verbs[CONTAINER_N_VERBS] = {
	[CONTAINER_DO_START] = "start",
	[CONTAINER_DO_STOP] = "stop",
	[CONTAINER_DO_FREEZE] = "freeze",
	[CONTAINER_DO_THAW] = "thaw",
	[CONTAINER_DO_QUERY] = "query",
	[CONTAINER_DO_LIMIT] = "limit",
	[CONTAINER_DO_DESTROY] = "destroy",
};

enum { N_WORDS = 6, N_NUMBERS = 5 };
static const char *const word_options[N_WORDS] = { "--dir", "--uid",
	"--hostname", "--rootfs", "--run-dir", "--cpus" };
static const char *const number_options[N_NUMBERS] = { "--cpu-millis",
	"--mem-bytes", "--pids", "--disk-bytes", "--id-base" };

/* What was said on a command line, before it is judged. */
struct said {
	const char *word[N_WORDS];
	bool has[N_NUMBERS];
	uint64_t number[N_NUMBERS];
};

const char *
launch_verb_name(enum container_verb v)
{
	return verbs[v];
}

static bool
all_in(const char *s, const char *more)
{
	for (; *s; s++) {
		bool word = (*s >= 'a' && *s <= 'z') ||
			    (*s >= 'A' && *s <= 'Z') ||
			    (*s >= '0' && *s <= '9');

		if (!word && !strchr(more, *s))
			return false;
	}
	return true;
}

bool
launch_uid_is_valid(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 64 && s[0] != '.' && s[0] != '-' &&
	       all_in(s, "_.-");
}

static bool
hostname_is_valid(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 63 && s[0] != '-' && all_in(s, "-.");
}

static bool
path_is_valid(const char *s)
{
	return s[0] == '/' && strlen(s) < 2048 && all_in(s, "/_.-+@=~") &&
	       !strstr(s, "/../") && !strstr(s, "//");
}

static int
parse_number(const char *option, const char *s, uint64_t *out, struct err *e)
{
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 10);
	if (errno || *s < '0' || *s > '9' || *end)
		return err_set(
		    e, -EINVAL, "%s: \"%s\" is no number", option, s);
	return 0;
}

static int
collect(int argc, char *const argv[], struct said *out, struct err *e)
{
	for (int i = 2; i < argc; i += 2) {
		bool known = false;

		if (i + 1 == argc)
			return err_set(
			    e, -EINVAL, "%s: a value is missing", argv[i]);
		for (unsigned k = 0; k < N_WORDS; k++) {
			if (strcmp(argv[i], word_options[k]) != 0)
				continue;
			out->word[k] = argv[i + 1];
			known = true;
		}
		for (unsigned k = 0; k < N_NUMBERS; k++) {
			if (strcmp(argv[i], number_options[k]) != 0)
				continue;
			if (parse_number(
				argv[i], argv[i + 1], &out->number[k], e) < 0)
				return -EINVAL;
			out->has[k] = known = true;
		}
		if (!known)
			return err_set(
			    e, -EINVAL, "unknown option %s", argv[i]);
	}
	return 0;
}

static int
judge_limits(const struct said *s, struct container_limits *out, struct err *e)
{
	struct cpus cpus;

	for (unsigned k = 0; k < 4; k++)
		if (!s->has[k] || s->number[k] == 0)
			return err_set(e, -EINVAL, "%s is missing or 0",
			    number_options[k]);
	if (s->number[0] > MAX_CPU_MILLIS)
		return err_set(
		    e, -EINVAL, "--cpu-millis is above %d", MAX_CPU_MILLIS);
	if (s->number[1] < MIN_MEM_BYTES || s->number[1] > INT64_MAX)
		return err_set(e, -EINVAL, "--mem-bytes is not in %d..2^63",
		    MIN_MEM_BYTES);
	if (s->number[2] < MIN_PIDS || s->number[2] > (1U << 22))
		return err_set(
		    e, -EINVAL, "--pids is not in %d..2^22", MIN_PIDS);
	if (s->number[3] > INT64_MAX)
		return err_set(e, -EINVAL, "--disk-bytes is above 2^63");
	if (s->word[5] && (strlen(s->word[5]) >= sizeof(out->cpus) ||
			      !cpus_parse(s->word[5], &cpus)))
		return err_set(e, -EINVAL, "--cpus is no list of cores");
	*out = (struct container_limits){
		.cpu_millis = (uint32_t)s->number[0],
		.mem_bytes = s->number[1],
		.pids = (uint32_t)s->number[2],
		.disk_bytes = s->number[3],
	};
	if (s->word[5])
		strcpy(out->cpus, s->word[5]);
	return 0;
}

static int
judge_start(const struct said *s, struct container_spec *out, struct err *e)
{
	uint64_t base = s->number[4];

	if (!s->word[2] || !hostname_is_valid(s->word[2]))
		return err_set(
		    e, -EINVAL, "--hostname is missing or not valid");
	for (unsigned k = 3; k < 5; k++)
		if (!s->word[k] || !path_is_valid(s->word[k]))
			return err_set(e, -EINVAL,
			    "%s is missing or not a plain absolute path",
			    word_options[k]);
	/* the highest id is "no id", and the host's own stay the host's */
	if (!s->has[4] || base < ID_RANGE || base > UINT32_MAX - ID_RANGE)
		return err_set(e, -EINVAL,
		    "--id-base is missing or not in "
		    "65536..4294901759");
	out->hostname = s->word[2];
	out->rootfs = s->word[3];
	out->run_dir = s->word[4];
	out->id_base = (uint32_t)base;
	return 0;
}

static int
parse_verb(const char *word, enum container_verb *out)
{
	for (unsigned v = 0; v < CONTAINER_N_VERBS; v++) {
		if (strcmp(word, verbs[v]) == 0) {
			*out = (enum container_verb)v;
			return 0;
		}
	}
	return -EINVAL;
}

int
launch_args_parse(
    int argc, char *const argv[], struct launch_args *out, struct err *e)
{
	struct launch_args a = { .verb = CONTAINER_DO_QUERY };
	struct said s = { 0 };

	if (argc < 2 || parse_verb(argv[1], &a.verb) < 0)
		return err_set(e, -EINVAL,
		    "usage: europa-launch start|stop|freeze|thaw|query|limit|"
		    "destroy --dir DIR --uid UID ...");
	if (collect(argc, argv, &s, e) < 0)
		return -EINVAL;
	if (!s.word[0] || !path_is_valid(s.word[0]))
		return err_set(e, -EINVAL,
		    "--dir is missing or not a plain absolute path");
	if (!s.word[1] || !launch_uid_is_valid(s.word[1]))
		return err_set(e, -EINVAL, "--uid is missing or not valid");
	a.dir = s.word[0];
	a.spec.uid = s.word[1];
	if (a.verb == CONTAINER_DO_START && judge_start(&s, &a.spec, e) < 0)
		return -EINVAL;
	if ((a.verb == CONTAINER_DO_START || a.verb == CONTAINER_DO_LIMIT) &&
	    judge_limits(&s, &a.spec.limits, e) < 0)
		return -EINVAL;
	*out = a;
	return 0;
}

/* argv is char * for exec's sake; nobody writes through it. */
static char *
unconst(const char *s)
{
	return (char *)(uintptr_t)s;
}

void
launch_args_format(
    const struct launch_args *a, const char *launcher, struct launch_argv *out)
{
	const struct container_spec *s = &a->spec;
	const char *words[N_WORDS] = { a->dir, s->uid, s->hostname, s->rootfs,
		s->run_dir, s->limits.cpus };
	const uint64_t values[N_NUMBERS] = { s->limits.cpu_millis,
		s->limits.mem_bytes, s->limits.pids, s->limits.disk_bytes,
		s->id_base };
	bool start = a->verb == CONTAINER_DO_START;
	bool limits = start || a->verb == CONTAINER_DO_LIMIT;
	unsigned n_words = start ? N_WORDS - 1 : 2;
	unsigned n_numbers = start ? N_NUMBERS : limits ? 4 : 0;
	unsigned n = 0;

	out->argv[n++] = unconst(launcher);
	out->argv[n++] = unconst(verbs[a->verb]);
	for (unsigned k = 0; k < n_words; k++) {
		out->argv[n++] = unconst(word_options[k]);
		out->argv[n++] = unconst(words[k] ? words[k] : "");
	}
	if (limits && s->limits.cpus[0]) {
		out->argv[n++] = unconst(word_options[N_WORDS - 1]);
		out->argv[n++] = unconst(s->limits.cpus);
	}
	for (unsigned k = 0; k < n_numbers; k++) {
		snprintf(out->number[k], sizeof(out->number[k]), "%" PRIu64,
		    values[k]);
		out->argv[n++] = unconst(number_options[k]);
		out->argv[n++] = out->number[k];
	}
	out->argv[n] = NULL;
}
