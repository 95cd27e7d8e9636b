/* SPDX-License-Identifier: Apache-2.0 */
/* options: defaults, then the file, then the command line; see options.h. */
#include "dataplane/options.h"

#include "lib/base.h"
#include "lib/conf.h"

#include <getopt.h>
#include <stdio.h>

enum {
	OPT_CONFIG = 'c',
	OPT_SOCKET = 's',
	OPT_PORTS = 'p',
	OPT_USER = 'u',
	OPT_HELP = 'h',
	OPT_VERSION = 'V',
	OPT_HUGE = 256,
	OPT_NO_HUGE,
	OPT_CORE,
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
	{ "worker-core", required_argument, NULL, OPT_CORE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static const char *const short_options = "c:s:p:u:hV";

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
	     "      --worker-core N    pin the worker to core N\n"
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
		.worker_core = OPTIONS_ANY_CORE,
	};
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
		    .size = sizeof(o->hugepages) },
		{ .section = "dataplane",
		    .name = "log_level",
		    .kind = CONF_STRING,
		    .target = o->log_level,
		    .size = sizeof(o->log_level) },
		{ .section = "dataplane",
		    .name = "mem_mib",
		    .kind = CONF_UINT,
		    .target = &o->mem_mib,
		    .min = MIN_MEM_MIB,
		    .max = 65536 },
		{ .section = "dataplane",
		    .name = "worker_core",
		    .kind = CONF_UINT,
		    .target = &o->worker_core,
		    .min = 0,
		    .max = MAX_CORE },
	};
	static const char *const others[] = { "agent", NULL };

	if (!must_exist && access(o->config, F_OK) < 0)
		return 0;
	return conf_read(o->config, keys, ARRAY_SIZE(keys), others, e);
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
	unsigned long core;
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
	case OPT_CORE:
		core = strtoul(arg, &end, 10);
		if (*end || !*arg || core > MAX_CORE)
			return err_set(e, -EINVAL,
			    "--worker-core %s: want a number to %d", arg,
			    MAX_CORE);
		o->worker_core = (unsigned)core;
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
	return rc == 0 ? parse_huge(o, e) : rc;
}
