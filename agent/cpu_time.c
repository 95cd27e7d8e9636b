/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_time: cpuacct.usage in nanoseconds, cpu.stat in microseconds. */
#include "agent/cpu_time.h"

#include "lib/base.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t
read_tree(const struct cgroup_tree *t, const char *uid)
{
	static const char key[] = "usage_usec ";
	char path[CGROUP_PATH_BYTES + 96], line[128];
	uint64_t v = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/europa/%s/payload/%s", t->root, uid,
	    t->unified ? "cpu.stat" : "cpuacct.usage");
	f = fopen(path, "re");
	while (f && v == 0 && fgets(line, sizeof(line), f)) {
		if (!t->unified)
			v = strtoull(line, NULL, 10);
		else if (strncmp(line, key, sizeof(key) - 1) == 0)
			v = strtoull(line + sizeof(key) - 1, NULL, 10) * 1000;
	}
	if (f)
		fclose(f);
	return v;
}

uint64_t
cpu_time_ns(const struct cgroups *c, const char *uid)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < c->n && v == 0; i++)
		v = read_tree(&c->tree[i], uid);
	return v;
}
