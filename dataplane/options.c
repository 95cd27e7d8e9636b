/* SPDX-License-Identifier: Apache-2.0 */
/* options: defaults, then the file, then the command line; see options.h. */
#include "dataplane/options.h"

#include "lib/base.h"
#include "lib/conf.h"
#include "lib/log.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>

enum {
	OPT_CONFIG = 'c',
	OPT_SOCKET = 's',
	OPT_PORTS = 'p',
	OPT_USER = 'u',
	OPT_CHECK = 'n',
	OPT_HELP = 'h',
	OPT_VERSION = 'V',
	OPT_HUGE = 256,
	OPT_NO_HUGE,
	OPT_WORKERS,
	OPT_CORES,
	MIN_MEM_MIB = 32,
	MAX_CORE = 1023,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "ports", required_argument, NULL, OPT_PORTS },
	{ "user", required_argument, NULL, OPT_USER },
	{ "huge", required_argument, NULL, OPT_HUGE },
	{ "no-huge", no_argument, NULL, OPT_NO_HUGE },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "worker-cores", required_argument, NULL, OPT_CORES },
	{ "check-config", no_argument, NULL, OPT_CHECK },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static const char *const short_options = "c:s:p:u:nhV";

void
options_print_help(void)
{
	puts("Usage: europa-dataplane [OPTION]...\n"
	     "Moves packets between ports and virtual routers.\n\n"
	     "  -c, --config FILE      [dataplane] section of this file\n"
	     "  -s, --socket PATH      where europad connects\n"
	     "  -p, --ports FILE       ports to open at start\n"
	     "  -u, --user NAME        run as this user; \"\" = do not change\n"
	     "      --huge auto|yes|no use huge pages\n"
	     "      --no-huge          the same as --huge no\n"
	     "      --workers N        how many threads move packets\n"
	     "      --worker-cores LIST  pin each to a core: 2,3 or 2-5\n"
	     "  -n, --check-config     say what is wrong with all this, and "
	     "exit\n"
	     "  -h, --help             show this and exit\n"
	     "  -V, --version          show the version and exit");
}

static void
set_defaults(struct options *o)
{
	*o = (struct options){
		.config = EUROPA_CONFDIR "/europa.conf",
		.socket = "/run/europa-dataplane/control.sock",
		.ports = EUROPA_STATEDIR "/ports.conf",
		.user = "europa-dp",
		.log_level = "info",
		.hugepages = "auto",
		.mem_mib = 256,
	};
}

/* Reads "N" or "N-M" at *text and moves on; false if there is no such thing. */
static bool
next_range(const char **text, unsigned long *first, unsigned long *last)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*first = *last = strtoul(*text, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		*last = strtoul(end + 1, &end, 10);
	if (*end == ',' && end[1])
		end++;
	else if (*end)
		return false;
	*text = end;
	return *first <= *last && *last <= MAX_CORE;
}

static const char *
check_cores(const char *value)
{
	unsigned long first, last;

	while (*value)
		if (!next_range(&value, &first, &last))
			return "a list of cores, such as 2,3 or 2-5";
	return NULL;
}

static const char *
check_huge(const char *value)
{
	if (strcmp(value, "auto") == 0 || strcmp(value, "yes") == 0 ||
	    strcmp(value, "no") == 0)
		return NULL;
	return "auto, yes or no";
}

static int
read_config(struct options *o, bool must_exist, struct err *e)
{
	const struct conf_key keys[] = {
		{ .section = "dataplane",
		    .name = "socket",
		    .kind = CONF_STRING,
		    .target = o->socket,
		    .size = sizeof(o->socket) },
		{ .section = "dataplane",
		    .name = "ports",
		    .kind = CONF_STRING,
		    .target = o->ports,
		    .size = sizeof(o->ports) },
		{ .section = "dataplane",
		    .name = "user",
		    .kind = CONF_STRING,
		    .target = o->user,
		    .size = sizeof(o->user) },
		{ .section = "dataplane",
		    .name = "hugepages",
		    .kind = CONF_STRING,
		    .target = o->hugepages,
		    .size = sizeof(o->hugepages),
		    .check = check_huge },
		{ .section = "dataplane",
		    .name = "log_level",
		    .kind = CONF_STRING,
		    .target = o->log_level,
		    .size = sizeof(o->log_level),
		    .check = log_level_check },
		{ .section = "dataplane",
		    .name = "mem_mib",
		    .kind = CONF_UINT,
		    .target = &o->mem_mib,
		    .min = MIN_MEM_MIB,
		    .max = 65536 },
		{ .section = "dataplane",
		    .name = "workers",
		    .kind = CONF_UINT,
		    .target = &o->workers,
		    .min = 0,
		    .max = SPREAD_MAX_WORKERS },
		{ .section = "dataplane",
		    .name = "worker_cores",
		    .kind = CONF_STRING,
		    .target = o->worker_cores,
		    .size = sizeof(o->worker_cores),
		    .check = check_cores },
	};
	static const char *const others[] = { "agent", NULL };

	if (!must_exist && access(o->config, F_OK) < 0)
		return 0;
	return conf_read_all(o->config, keys, ARRAY_SIZE(keys), others, e);
}

static int
copy_text(char *to, size_t size, const char *what, struct err *e)
{
	if (strlen(what) >= size)
		return err_set(e, -EINVAL, "%.32s...: longer than %zu bytes",
		    what, size - 1);
	strcpy(to, what);
	return 0;
}

static int
apply(struct options *o, int c, const char *arg, struct err *e)
{
	unsigned long n;
	char *end;

	switch (c) {
	case OPT_CONFIG:
		return 0; /* has been read */
	case OPT_SOCKET:
		return copy_text(o->socket, sizeof(o->socket), arg, e);
	case OPT_PORTS:
		return copy_text(o->ports, sizeof(o->ports), arg, e);
	case OPT_USER:
		return copy_text(o->user, sizeof(o->user), arg, e);
	case OPT_HUGE:
		return copy_text(o->hugepages, sizeof(o->hugepages), arg, e);
	case OPT_NO_HUGE:
		return copy_text(o->hugepages, sizeof(o->hugepages), "no", e);
	case OPT_WORKERS:
		n = strtoul(arg, &end, 10);
		if (*end || n < 1 || n > SPREAD_MAX_WORKERS)
			return err_set(e, -EINVAL,
			    "--workers %s: want a number from 1 to %d", arg,
			    SPREAD_MAX_WORKERS);
		o->workers = (unsigned)n;
		return 0;
	case OPT_CORES:
		return copy_text(
		    o->worker_cores, sizeof(o->worker_cores), arg, e);
	case OPT_CHECK:
		o->check = true;
		return 0;
	case OPT_HELP:
		o->show_help = true;
		return 0;
	case OPT_VERSION:
		o->show_version = true;
		return 0;
	default:
		return err_set(e, -EINVAL, "try --help");
	}
}

static int
parse_huge(struct options *o, struct err *e)
{
	if (strcmp(o->hugepages, "auto") == 0)
		o->huge = HUGE_AUTO;
	else if (strcmp(o->hugepages, "yes") == 0)
		o->huge = HUGE_YES;
	else if (strcmp(o->hugepages, "no") == 0)
		o->huge = HUGE_NO;
	else
		return err_set(e, -EINVAL,
		    "hugepages = %s: want auto, yes or no", o->hugepages);
	return 0;
}

/* One worker per listed core, unless fewer are asked for. */
static int
parse_cores(struct options *o, struct err *e)
{
	const char *text = o->worker_cores;
	unsigned n = 0;

	for (unsigned i = 0; i < SPREAD_MAX_WORKERS; i++)
		o->core[i] = -1;
	while (*text) {
		unsigned long first, last;

		if (!next_range(&text, &first, &last))
			return err_set(e, -EINVAL,
			    "worker_cores = %s: want a list like 2,3 or 2-5",
			    o->worker_cores);
		for (; first <= last && n < SPREAD_MAX_WORKERS; first++)
			o->core[n++] = (int)first;
	}
	if (o->workers == 0)
		o->workers = MAX(n, 1U);
	if (n > 0 && o->workers > n)
		return err_set(e, -EINVAL,
		    "workers = %u: worker_cores = %s has no core for each",
		    o->workers, o->worker_cores);
	return 0;
}

/* Only --config, for the file comes before the rest of the command line. */
static int
find_config(
    struct options *o, int argc, char **argv, bool *given, struct err *e)
{
	int c, rc = 0;

	*given = false;
	opterr = 0;
	while (rc == 0 && (c = getopt_long(argc, argv, short_options,
			       long_options, NULL)) != -1) {
		if (c != OPT_CONFIG)
			continue;
		*given = true;
		rc = copy_text(o->config, sizeof(o->config), optarg, e);
	}
	opterr = 1;
	optind = 0; /* glibc: from the beginning */
	return rc;
}

int
options_read(struct options *o, int argc, char **argv, struct err *e)
{
	bool given;
	int c, rc;

	set_defaults(o);
	rc = find_config(o, argc, argv, &given, e);
	if (rc == 0)
		rc = read_config(o, given, e);
	while (rc == 0 && (c = getopt_long(argc, argv, short_options,
			       long_options, NULL)) != -1)
		rc = apply(o, c, optarg, e);
	if (rc == 0 && optind < argc)
		rc = err_set(
		    e, -EINVAL, "%s: no arguments are wanted", argv[optind]);
	if (rc == 0)
		rc = parse_huge(o, e);
	return rc == 0 ? parse_cores(o, e) : rc;
}
