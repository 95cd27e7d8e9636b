/* SPDX-License-Identifier: Apache-2.0 */
/* config: the keys of [agent]; doc/man/europa.conf.5 describes them. */
#include "agent/config.h"

#include "api/model.h"
#include "api/server.h"
#include "lib/base.h"
#include "lib/conf.h"
#include "lib/cpus.h"
#include "lib/log.h"

#include <stdio.h>

/*
 * Above the ranges that systemd-nspawn takes (up to 0x6fffffff) and below the
 * sign bit: 4096 ranges of 65536 uids.
 */
enum { ID_BASE = 0x70000000, ID_RANGES = 4096 };

static const struct config defaults = {
	.state_dir = EUROPA_STATEDIR,
	.run_dir = "/run/europa",
	.socket = "/run/europa/api.sock",
	.socket_group = "europa",
	.dataplane_socket = "/run/europa-dataplane/control.sock",
	.libexec_dir = EUROPA_LIBEXECDIR,
	.template_bin = EUROPA_LIBEXECDIR,
	.web_dir = EUROPA_WEBDIR,
	.containers = "lxc",
	.tenant_templates = "router",
	.mem_overcommit = 100,
	.fast_paths = 1,
	.id_base = ID_BASE,
	.id_ranges = ID_RANGES,
	.start_timeout_ms = 10000,
	.log_level = "info",
};

#define STRING_KEY(field)                                                    \
	{                                                                    \
		"agent", #field, CONF_STRING, c->field, sizeof(c->field), 0, \
		    0, NULL                                                  \
	}
#define CHECKED_KEY(field, check)                                            \
	{                                                                    \
		"agent", #field, CONF_STRING, c->field, sizeof(c->field), 0, \
		    0, check                                                 \
	}
#define UINT_KEY(field, lo, hi)                                        \
	{                                                              \
		"agent", #field, CONF_UINT, &c->field, 0, lo, hi, NULL \
	}

static const char *
check_containers(const char *value)
{
	if (strcmp(value, "lxc") == 0 || strcmp(value, "fake") == 0)
		return NULL;
	return "lxc (or fake, in tests)";
}

static const char *
check_listen(const char *value)
{
	if (!*value || api_listen_is_valid(value))
		return NULL;
	return "ADDRESS:PORT, such as 0.0.0.0:8780 or [::]:8780";
}

static const char *
check_cpus(const char *value)
{
	struct cpus cpus;

	if (!*value || cpus_parse(value, &cpus))
		return NULL;
	return "a list of cores, such as 1-3,5";
}

/* The next name of a list with commas, without blanks; false: no more. */
static bool
next_name(const char **at, char *name, size_t size)
{
	size_t n, end;

	*at += strspn(*at, " \t");
	if (**at == '\0')
		return false;
	n = strcspn(*at, ",");
	for (end = n; end > 0 && strchr(" \t", (*at)[end - 1]);)
		end--;
	snprintf(name, size, "%.*s", (int)end, *at);
	*at += n + ((*at)[n] == ',');
	return true;
}

static const char *
check_templates(const char *value)
{
	char name[CONFIG_PATH];

	while (next_name(&value, name, sizeof(name)))
		if (strcmp(name, "*") != 0 && !model_name_is_valid(name))
			return "names of templates, such as router,bird, or *";
	return NULL;
}

bool
config_tenants_may_use(const struct config *c, const char *template)
{
	const char *at = c->tenant_templates;
	char name[CONFIG_PATH];

	while (next_name(&at, name, sizeof(name)))
		if (strcmp(name, "*") == 0 || strcmp(name, template) == 0)
			return true;
	return false;
}

int
config_load(struct config *c, const char *path, struct err *e)
{
	static const char *const others[] = { "dataplane", NULL };
	const struct conf_key keys[] = {
		STRING_KEY(state_dir),
		STRING_KEY(run_dir),
		STRING_KEY(socket),
		STRING_KEY(socket_group),
		UINT_KEY(tcp_port, 0, 65535),
		CHECKED_KEY(listen_https, check_listen),
		STRING_KEY(dataplane_socket),
		STRING_KEY(libexec_dir),
		STRING_KEY(template_bin),
		STRING_KEY(web_dir),
		CHECKED_KEY(containers, check_containers),
		CHECKED_KEY(tenant_templates, check_templates),
		UINT_KEY(memory_mib, 0, 1U << 30),
		UINT_KEY(mem_overcommit, 10, 1000),
		UINT_KEY(cpu_overcommit, 0, 100000),
		UINT_KEY(fast_paths, 1, 15),
		CHECKED_KEY(router_cpus, check_cpus),
		UINT_KEY(id_base, 65536, 0xf0000000U),
		UINT_KEY(id_ranges, 1, 32768),
		UINT_KEY(start_timeout_ms, 100, 600000),
		CHECKED_KEY(log_level, log_level_check),
	};
	int rc = 0;

	*c = defaults;
	if (path)
		rc = conf_read_all(path, keys, ARRAY_SIZE(keys), others, e);
	if (rc < 0)
		return rc;
	/* the last uid of all is nobody's: it means "no change" */
	if ((uint64_t)c->id_base + (uint64_t)c->id_ranges * CONFIG_RANGE_IDS >
	    UINT32_MAX)
		return err_set(e, -EINVAL,
		    "id_base and id_ranges: %u ranges of %d from %u on do not "
		    "fit 32 bits",
		    c->id_ranges, CONFIG_RANGE_IDS, c->id_base);
	return 0;
}
