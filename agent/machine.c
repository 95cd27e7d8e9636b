/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: see machine.h. Folders that the kernel fills are read by number, not
 * as they come, so that the answer is the same each time.
 */
#include "agent/machine.h"

#include "lib/base.h"

#include <dirent.h>
#include <stdio.h>

enum { LINE = 256, MAX_FOUND = 256 };

/* The first line of a file that begins with key ("": any), behind key. */
static json_t *
line_of(const char *path, const char *key)
{
	char line[LINE];
	FILE *f = fopen(path, "re");
	json_t *text = NULL;

	while (f && !text && fgets(line, sizeof(line), f)) {
		const char *at = line + strlen(key);

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		at += strspn(at, " \t");
		text = json_stringn(at, strcspn(at, "\n"));
	}
	if (f)
		fclose(f);
	return text ? text : json_null();
}

static json_t *
number_of(const char *path)
{
	json_t *text = line_of(path, "");
	const char *s = json_string_value(text);
	json_t *number =
	    s ? json_integer((json_int_t)strtoull(s, NULL, 10)) : json_null();

	json_decref(text);
	return number;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers behind prefix of the names in a folder, in order; how many. */
static size_t
numbers_in(const char *folder, const char *prefix, uint64_t out[MAX_FOUND])
{
	DIR *d = opendir(folder);
	const struct dirent *de;
	size_t n = 0, skip = strlen(prefix);

	while (d && n < MAX_FOUND && (de = readdir(d))) {
		const char *digits = de->d_name + skip;

		if (strncmp(de->d_name, prefix, skip) == 0 && *digits >= '0' &&
		    *digits <= '9')
			out[n++] = strtoull(digits, NULL, 10);
	}
	if (d)
		closedir(d);
	qsort(out, n, sizeof(*out), by_number);
	return n;
}

json_t *
machine_cpus(void)
{
	return line_of("/sys/devices/system/cpu/online", "");
}

json_t *
machine_numa(void)
{
	static const char folder[] = "/sys/devices/system/node";
	json_t *list = json_array();
	uint64_t node[MAX_FOUND];
	size_t n = numbers_in(folder, "node", node);
	char path[LINE];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/node%u/cpulist", folder,
		    (unsigned)node[i]);
		json_array_append_new(
		    list, json_pack("{s:i, s:o}", "node", (int)node[i], "cpus",
			      line_of(path, "")));
	}
	return list;
}

json_t *
machine_hugepages(void)
{
	static const char folder[] = "/sys/kernel/mm/hugepages";
	json_t *list = json_array();
	uint64_t kib[MAX_FOUND];
	size_t n = numbers_in(folder, "hugepages-", kib);
	char total[LINE], idle[LINE];

	for (size_t i = 0; i < n; i++) {
		snprintf(total, sizeof(total),
		    "%s/hugepages-%llukB/nr_hugepages", folder,
		    (unsigned long long)kib[i]);
		snprintf(idle, sizeof(idle),
		    "%s/hugepages-%llukB/free_hugepages", folder,
		    (unsigned long long)kib[i]);
		json_array_append_new(
		    list, json_pack("{s:I, s:o, s:o}", "size_bytes",
			      (json_int_t)(kib[i] << 10), "total",
			      number_of(total), "free", number_of(idle)));
	}
	return list;
}

/* Their threads are known by their names: worker0, worker1, ... */
json_t *
machine_workers(uint32_t plane_pid)
{
	json_t *list = json_array(), *name;
	uint64_t tid[MAX_FOUND];
	char folder[64], path[LINE];
	size_t n;

	snprintf(folder, sizeof(folder), "/proc/%u/task", (unsigned)plane_pid);
	n = numbers_in(folder, "", tid);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%llu/status", folder,
		    (unsigned long long)tid[i]);
		name = line_of(path, "Name:");
		if (json_is_string(name) &&
		    strncmp(json_string_value(name), "worker", 6) == 0)
			json_array_append_new(
			    list, line_of(path, "Cpus_allowed_list:"));
		json_decref(name);
	}
	return list;
}

uint64_t
machine_memory_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) *
	       (uint64_t)sysconf(_SC_PAGESIZE);
}
