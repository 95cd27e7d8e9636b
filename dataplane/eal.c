/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal: what rte_eal_init() is told, see eal.h.
 *
 * Huge pages go with --in-memory (no files, memory on demand); 4 KiB pages with
 * --no-huge --no-shconf and a fixed size, whose pages are made on touch. DPDK
 * refuses the two together.
 */
#include "dataplane/eal.h"

#include "dataplane/port.h"
#include "lib/base.h"

#include <sched.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

enum { MAX_ARGS = 64, ARG_BYTES = 5120, HUGE_MIB = 2, MAX_NODES = 64 };

struct args {
	int n;
	char *v[MAX_ARGS + 1];
	char text[ARG_BYTES];
	size_t used;
	bool full;
};

static void
add(struct args *a, const char *arg)
{
	size_t n = strlen(arg) + 1;

	if (a->n >= MAX_ARGS || a->used + n > sizeof(a->text)) {
		a->full = true;
		return;
	}
	memcpy(a->text + a->used, arg, n);
	a->v[a->n++] = a->text + a->used;
	a->used += n;
}

static unsigned
free_huge_mib(void)
{
	unsigned long n = 0;
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/"
			"free_hugepages",
	    "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	fclose(f);
	return (unsigned)(n * HUGE_MIB);
}

/* One lcore, the control thread, on all cores that we may use. */
static void
add_lcores(struct args *a)
{
	char text[2048] = "--lcores=0@(";
	cpu_set_t set;
	size_t n = strlen(text);
	bool first = true;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	for (int c = 0; c < CPU_SETSIZE && n < sizeof(text) - 16; c++) {
		if (!CPU_ISSET((size_t)c, &set))
			continue;
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "%s%d", first ? "" : ",", c);
		first = false;
	}
	snprintf(text + n, sizeof(text) - n, ")");
	add(a, text);
}

static int
add_pci(struct args *a, const char *path)
{
	scoped_free struct port_spec *list = NULL;
	int n = ports_file_read(path, &list);
	bool any = false;

	for (int i = 0; i < n; i++) {
		const char *dev = list[i].devargs;

		if (!port_is_pci(&list[i]))
			continue;
		add(a, "-a");
		add(a, strncmp(dev, "pci:", 4) == 0 ? dev + 4 : dev);
		any = true;
	}
	if (!any)
		add(a, "--no-pci");
	return MIN(n, 0);
}

static void
add_memory(struct args *a, const struct options *o, bool huge)
{
	char mib[16];

	if (huge) {
		add(a, "--in-memory");
		return;
	}
	snprintf(mib, sizeof(mib), "%u", o->mem_mib);
	add(a, "--no-huge");
	add(a, "--no-shconf");
	add(a, "-m");
	add(a, mib);
}

int
eal_start(const struct options *o, bool *hugepages, struct err *e)
{
	struct args a = { 0 };
	char prefix[48];
	int rc;

	*hugepages = o->huge == HUGE_YES ||
		     (o->huge == HUGE_AUTO && free_huge_mib() >= o->mem_mib);
	snprintf(prefix, sizeof(prefix), "--file-prefix=europa-%d", getpid());
	add(&a, "europa-dataplane");
	add(&a, prefix);
	add(&a, "--no-telemetry");
	add(&a, "--iova-mode=va");
	add(&a, "--log-level=notice");
	add_lcores(&a);
	add_memory(&a, o, *hugepages);
	rc = add_pci(&a, o->ports);
	if (rc < 0)
		return err_set(e, rc, "%s: %s", o->ports, strerror(-rc));
	if (a.full)
		return err_set(e, -E2BIG,
		    "%s: too many PCI ports, or too long arguments", o->ports);
	rte_openlog_stream(stderr);
	if (rte_eal_init(a.n, a.v) < 0)
		return err_set(e, -rte_errno,
		    "DPDK does not start: %s; %s (its own words are above)",
		    rte_strerror(rte_errno),
		    *hugepages ? "are there enough huge pages?"
			       : "is mem_mib too large?");
	return 0;
}

int
eal_numa_node(int core)
{
	char path[64];

	for (int node = 0; core >= 0 && node < MAX_NODES; node++) {
		snprintf(path, sizeof(path),
		    "/sys/devices/system/cpu/cpu%d/node%d", core, node);
		if (access(path, F_OK) == 0)
			return node;
	}
	return -1;
}
