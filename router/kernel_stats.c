/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_stats: see kernel_stats.h. The kernel is trusted, a line that is not
 * understood is left out all the same.
 */
#include "router/kernel_stats.h"

#include "lib/base.h"
#include "router/stats.h"

#include <limits.h>

static const char *const names[][2] = {
	{ "ForwDatagrams", "kernel_forwarded" },
	{ "InHdrErrors", "kernel_bad_header" }, /* TTL, too */
	{ "InAddrErrors", "kernel_bad_address" },
	{ "InDiscards", "kernel_in_discarded" },
	{ "OutDiscards", "kernel_out_discarded" },
	{ "OutNoRoutes", "kernel_no_route" },
	{ "FragFails", "kernel_too_big_df" },
	{ "Ip6OutForwDatagrams", "kernel_forwarded6" },
	{ "Ip6InHdrErrors", "kernel_bad_header6" },
	{ "Ip6InAddrErrors", "kernel_bad_address6" },
	{ "Ip6InNoRoutes", "kernel_no_route6" },
	{ "Ip6InTooBigErrors", "kernel_too_big6" },
	{ "Ip6InDiscards", "kernel_in_discarded6" },
	{ "Ip6OutDiscards", "kernel_out_discarded6" },
};

static void
add(struct wire_msg *m, const char *key, const char *value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i][0], key) == 0)
			stats_add(m, names[i][1], strtoull(value, NULL, 10));
}

static FILE *
open_file(const char *root, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/proc/net/%s", root, name) >=
	    (int)sizeof(path))
		return NULL;
	return fopen(path, "re");
}

/* Two lines: "Ip: KEY KEY ...", "Ip: VALUE VALUE ...". */
static void
add_snmp(struct wire_msg *m, FILE *in)
{
	char keys[2048], values[2048];
	char *key_rest, *value_rest, *key, *value;

	if (!fgets(keys, sizeof(keys), in) ||
	    !fgets(values, sizeof(values), in) ||
	    strncmp(keys, "Ip:", 3) != 0 || strncmp(values, "Ip:", 3) != 0)
		return;
	key = strtok_r(keys, " \n", &key_rest);
	value = strtok_r(values, " \n", &value_rest);
	while (key && value) {
		add(m, key, value);
		key = strtok_r(NULL, " \n", &key_rest);
		value = strtok_r(NULL, " \n", &value_rest);
	}
}

/* One each line: "KEY VALUE". */
static void
add_snmp6(struct wire_msg *m, FILE *in)
{
	char line[128], key[64], value[32];

	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%63s %31s", key, value) == 2)
			add(m, key, value);
}

/*
 * "NAME: " and 16 numbers, the twelfth counts what found the queue full: of a
 * twin, which we read too late.
 */
static void
add_dev(struct wire_msg *m, FILE *in)
{
	unsigned long long drops, sum = 0;
	char line[512];

	while (fgets(line, sizeof(line), in)) {
		const char *at = strchr(line, ':');

		if (at &&
		    sscanf(at + 1,
			"%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu",
			&drops) == 1)
			sum += drops;
	}
	stats_add(m, "twin_queue_full", sum);
}

void
kernel_stats_add(struct wire_msg *m, const char *root)
{
	static const struct {
		const char *name;
		void (*add)(struct wire_msg *m, FILE *in);
	} files[] = { { "snmp", add_snmp }, { "snmp6", add_snmp6 },
		{ "dev", add_dev } };

	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *in = open_file(root, files[i].name);

		if (!in)
			continue;
		files[i].add(m, in);
		fclose(in);
	}
}
