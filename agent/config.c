/* SPDX-License-Identifier: Apache-2.0 */
/* config: the keys of [agent]; doc/man/europa.conf.5 describes them. */
#include "agent/config.h"

#include "agent/launch_args.h"
#include "api/server.h"
#include "lib/base.h"
#include "lib/conf.h"
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
	.fast_paths = 1,
	.id_base = ID_BASE,
	.id_ranges = ID_RANGES,
	.start_timeout_ms = 10000,
	.log_level = "info",
};

#define STRING_KEY(field)                                                      \
	{                                                                      \
		"agent", #field, CONF_STRING, c->field, sizeof(c->field), 0, 0 \
	}
#define UINT_KEY(field, lo, hi)                                  \
	{                                                        \
		"agent", #field, CONF_UINT, &c->field, 0, lo, hi \
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
		STRING_KEY(listen_https),
		STRING_KEY(dataplane_socket),
		STRING_KEY(libexec_dir),
		STRING_KEY(template_bin),
		STRING_KEY(web_dir),
		STRING_KEY(containers),
		UINT_KEY(memory_mib, 0, 1U << 30),
		UINT_KEY(fast_paths, 1, 15),
		STRING_KEY(router_cpus),
		UINT_KEY(id_base, 65536, 0xf0000000U),
		UINT_KEY(id_ranges, 1, 32768),
		UINT_KEY(start_timeout_ms, 100, 600000),
		STRING_KEY(log_level),
	};
	int rc = 0;

	*c = defaults;
	if (path)
		rc = conf_read(path, keys, ARRAY_SIZE(keys), others, e);
	if (rc < 0)
		return rc;
	if (strcmp(c->containers, "lxc") != 0 &&
	    strcmp(c->containers, "fake") != 0)
		return err_set(e, -EINVAL,
		    "containers = %s: want lxc (or fake, in tests)",
		    c->containers);
	if (c->router_cpus[0] && !launch_cpus_are_valid(c->router_cpus))
		return err_set(e, -EINVAL,
		    "router_cpus = %s: want a list of cores, such as 1-3,5",
		    c->router_cpus);
	if (c->listen_https[0] && !api_listen_is_valid(c->listen_https))
		return err_set(e, -EINVAL,
		    "listen_https = %s: want ADDRESS:PORT, such as "
		    "0.0.0.0:8780 or [::]:8780",
		    c->listen_https);
	if (log_level_parse(c->log_level) < 0)
		return err_set(e, -EINVAL,
		    "log_level = %s: want err, warn, info or debug",
		    c->log_level);
	/* the last uid of all is nobody's: it means "no change" */
	if ((uint64_t)c->id_base + (uint64_t)c->id_ranges * CONFIG_RANGE_IDS >
	    UINT32_MAX)
		return err_set(e, -EINVAL,
		    "id_base and id_ranges: %u ranges of %d from %u on do not "
		    "fit 32 bits",
		    c->id_ranges, CONFIG_RANGE_IDS, c->id_base);
	return 0;
}
