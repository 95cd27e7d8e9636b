/* SPDX-License-Identifier: Apache-2.0 */
/* config: what [agent] in europa.conf says, with its defaults. */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "lib/err.h"

#include <stdbool.h>

enum { CONFIG_PATH = 256, CONFIG_RANGE_IDS = 65536 };

struct config {
	char state_dir[CONFIG_PATH]; /* database, containers, templates */
	char run_dir[64];            /* sockets of the routers; short paths */
	char socket[CONFIG_PATH];    /* of the API */
	char socket_group[64];
	unsigned tcp_port;     /* on loopback; 0 = none */
	char listen_https[64]; /* "" = none */
	char dataplane_socket[CONFIG_PATH];
	char libexec_dir[CONFIG_PATH];      /* europa-launch, europa-template */
	char template_bin[2 * CONFIG_PATH]; /* folders with the programs of a
	                                       template, colons between */
	char web_dir[CONFIG_PATH];
	char containers[16];     /* lxc; fake in tests */
	unsigned memory_mib;     /* for routers; 0 = machine less an eighth */
	unsigned mem_overcommit; /* percent of it that may be promised */
	unsigned cpu_overcommit; /* percent of the cores; 0 = no limit */
	char tenant_templates[CONFIG_PATH]; /* "router,bird"; "*" = all */
	unsigned fast_paths;                /* data queues per router */
	char router_cpus[CONFIG_PATH];      /* cores of routers; "" = all */
	unsigned id_base;                   /* first host uid of routers */
	unsigned id_ranges;                 /* how many ranges follow */
	unsigned start_timeout_ms;
	char log_level[8];
};

/* All defaults, then path if not NULL. Returns 0 or negative errno. */
int config_load(struct config *c, const char *path, struct err *e);

/* Whether who is not admin of the node may make routers of this template. */
bool config_tenants_may_use(const struct config *c, const char *template);

#endif
