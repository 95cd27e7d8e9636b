/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_container_cgroup: limits and their use read from, written to and
 * compared in fake trees of files: version 1, version 2, and a mixture. The real
 * kernel is met in tests/system/containers.bats.
 */
#include "agent/container_use.h"
#include "lib/base.h"

#include <ftw.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cmocka.h>

static char dir[] = "/tmp/europa-test-XXXXXX";
static char mounts[64], own[64];
static struct cgroups groups;

static void
put(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *p = path + sizeof(dir); (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static const char *
get(const char *name)
{
	static char text[256];
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static int
probe(const char *mount_lines, const char *own_lines, struct err *e)
{
	put("mounts", mount_lines);
	put("own", own_lines);
	return cgroups_probe(&groups, mounts, own, e);
}

/* cpu and cpuacct on one mount, memory below a path of its own */
static void
probe_v1(void)
{
	char text[1024];
	struct err e = { 0 };

	snprintf(text, sizeof(text),
	    "cgroup %s/cpu cgroup rw,cpu,cpuacct 0 0\n"
	    "cgroup %s/mem cgroup rw,memory 0 0\n"
	    "cgroup %s/pids cgroup rw,pids 0 0\n"
	    "cgroup %s/freezer cgroup rw,freezer 0 0\n"
	    "proc /proc proc rw 0 0\n"
	    "cgroup2 %s/uni cgroup2 rw 0 0",
	    dir, dir, dir, dir, dir);
	put("uni/cgroup.controllers", "hugetlb");
	assert_int_equal(probe(text,
			     "5:cpu,cpuacct:/\n4:memory:/base\n3:pids:/\n"
			     "2:freezer:/\n0::/init.scope",
			     &e),
	    0);
}

static void
probe_v2(void)
{
	char text[256];
	struct err e = { 0 };

	snprintf(text, sizeof(text), "cgroup2 %s/uni cgroup2 rw 0 0", dir);
	put("uni/cgroup.controllers", "cpuset cpu io memory pids");
	assert_int_equal(probe(text, "0::/init.scope", &e), 0);
}

static void
test_v1_reads(void **state)
{
	struct container_limits l = { .disk_bytes = 7 };
	struct err e;

	(void)state;
	probe_v1();
	put("cpu/europa/u/payload/cpu.cfs_period_us", "10000");
	put("cpu/europa/u/payload/cpu.cfs_quota_us", "5000");
	put("mem/base/europa/u/payload/memory.limit_in_bytes", "268435456");
	put("pids/europa/u/payload/pids.max", "64");
	assert_int_equal(cgroups_read(&groups, "u", &l, &e), 0);
	assert_int_equal(l.cpu_millis, 500);
	assert_int_equal(l.mem_bytes, 268435456);
	assert_int_equal(l.pids, 64);
	assert_int_equal(l.disk_bytes, 7);

	/* memory is limited, swap is not: that is no limit */
	put("mem/base/europa/u/payload/memory.memsw.limit_in_bytes",
	    "9223372036854771712");
	put("cpu/europa/u/payload/cpu.cfs_quota_us", "-1");
	put("pids/europa/u/payload/pids.max", "max");
	assert_int_equal(cgroups_read(&groups, "u", &l, &e), 0);
	assert_int_equal(l.cpu_millis, 0);
	assert_int_equal(l.mem_bytes, 0);
	assert_int_equal(l.pids, 0);
}

static void
test_v1_writes(void **state)
{
	const struct container_limits l = { 250, 512 << 20, 100, 1, "" };
	struct err e;

	(void)state;
	probe_v1();
	assert_int_equal(cgroups_write(&groups, "u", &l, &e), 0);
	assert_string_equal(
	    get("cpu/europa/u/payload/cpu.cfs_quota_us"), "2500");
	assert_memory_equal(
	    get("mem/base/europa/u/payload/memory.limit_in_bytes"), "536870912",
	    9);
	assert_memory_equal(
	    get("mem/base/europa/u/payload/memory.memsw.limit_in_bytes"),
	    "536870912", 9);
	assert_memory_equal(get("pids/europa/u/payload/pids.max"), "100", 3);
}

static void
test_v2(void **state)
{
	struct container_limits l = { 0 };
	struct err e = { 0 };

	(void)state;
	probe_v2();
	put("uni/europa/u/payload/cpu.max", "5000 10000");
	put("uni/europa/u/payload/memory.max", "33554432");
	put("uni/europa/u/payload/memory.swap.max", "max");
	put("uni/europa/u/payload/memory.current", "20000000");
	put("uni/europa/u/payload/pids.max", "32");
	assert_int_equal(cgroups_read(&groups, "u", &l, &e), 0);
	assert_int_equal(l.cpu_millis, 500);
	assert_int_equal(l.mem_bytes, 0);
	assert_int_equal(l.pids, 32);

	/* below what is in use it would kill */
	l = (struct container_limits){ 100, 10 << 20, 8, 1, "" };
	assert_int_equal(cgroups_write(&groups, "u", &l, &e), -EBUSY);
	assert_memory_equal(
	    get("uni/europa/u/payload/memory.max"), "33554432", 8);
	l.mem_bytes = 32 << 20;
	assert_int_equal(cgroups_write(&groups, "u", &l, &e), 0);
	assert_memory_equal(
	    get("uni/europa/u/payload/cpu.max"), "1000 10000", 10);
	assert_memory_equal(
	    get("uni/europa/u/payload/memory.swap.max"), "0", 1);

	put("uni/europa/u/payload/memory.swap.max", "0");
	put("uni/europa/u/payload/cpu.max", "max 100000");
	assert_int_equal(cgroups_read(&groups, "u", &l, &e), 0);
	assert_int_equal(l.mem_bytes, 32 << 20);
	assert_int_equal(l.cpu_millis, 0);
}

static void
test_missing_controller(void **state)
{
	char text[256];
	struct err e = { 0 };

	(void)state;
	snprintf(text, sizeof(text), "cgroup2 %s/uni cgroup2 rw 0 0", dir);
	put("uni/cgroup.controllers", "cpu memory");
	assert_int_equal(probe(text, "0::/", &e), -ENOTSUP);
	assert_non_null(strstr(e.msg, "pids"));
}

static void
test_missing_limit_file(void **state)
{
	struct container_limits l = { 0 };
	struct err e = { 0 };

	(void)state;
	probe_v1();
	assert_int_equal(cgroups_read(&groups, "nobody", &l, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "cpu"));
}

static void
test_holds(void **state)
{
	struct err e = { 0 };

	(void)state;
	probe_v1();
	put("cpu/europa/u/payload/inner/cgroup.procs", "11\n4711");
	put("mem/base/europa/u/payload/inner/cgroup.procs", "4711");
	put("pids/europa/u/payload/inner/cgroup.procs", "4711");
	assert_int_equal(cgroups_check_holds(&groups, "u", 4711, &e), 0);
	put("pids/europa/u/payload/inner/cgroup.procs", "47");
	assert_int_equal(cgroups_check_holds(&groups, "u", 4711, &e), -EBADE);
	assert_non_null(strstr(e.msg, "pids"));
}

static void
test_equal(void **state)
{
	const struct container_limits asked = { 500, 1000001, 64, 5000, "" };
	struct container_limits got = { 500, 999424, 64, 8192, "" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cgroups_check_equal(&asked, &got, &e), 0);
	got.mem_bytes -= 4096;
	assert_int_equal(cgroups_check_equal(&asked, &got, &e), -EBADE);
	got = (struct container_limits){ 0, 999424, 64, 8192, "" };
	assert_int_equal(cgroups_check_equal(&asked, &got, &e), -EBADE);
	assert_string_equal(
	    e.msg, "limit cpu: asked for 500, but there is none");
	got = (struct container_limits){ 500, 999424, 65, 8192, "" };
	assert_int_equal(cgroups_check_equal(&asked, &got, &e), -EBADE);
	got = (struct container_limits){ 500, 999424, 64, 0, "" };
	assert_int_equal(cgroups_check_equal(&asked, &got, &e), -EBADE);
	/* no list asked for is content with any */
	got = (struct container_limits){ 500, 999424, 64, 8192, "0-1" };
	assert_int_equal(cgroups_check_equal(&asked, &got, &e), 0);
	assert_int_equal(cgroups_check_equal(&got, &got, &e), 0);
	assert_int_equal(cgroups_check_equal(&got, &asked, &e), -EBADE);
}

static void
test_remove(void **state)
{
	char path[128];

	(void)state;
	probe_v1();
	snprintf(path, sizeof(path), "%s/cpu/europa/gone", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/cpu/europa/gone/payload", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/cpu/europa/gone/payload/inner", dir);
	mkdir(path, 0755);
	assert_int_equal(cgroups_remove(&groups, "gone"), 0);
	snprintf(path, sizeof(path), "%s/cpu/europa/gone", dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(cgroups_remove(&groups, "gone"), 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(mounts, sizeof(mounts), "%s/mounts", dir);
	snprintf(own, sizeof(own), "%s/own", dir);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
test_v1_use(void **state)
{
	struct container_use u;

	(void)state;
	probe_v1();
	container_use_read(&groups, "w", 0, &u);
	assert_true(
	    u.cpu_ns == CONTAINER_UNKNOWN && u.mem_bytes == CONTAINER_UNKNOWN &&
	    u.pids == CONTAINER_UNKNOWN && u.disk_bytes == CONTAINER_UNKNOWN);
	put("cpu/europa/w/payload/cpuacct.usage", "123456789012");
	put("mem/base/europa/w/payload/memory.usage_in_bytes", "8192");
	put("pids/europa/w/payload/pids.current", "7");
	container_use_read(&groups, "w", 0, &u);
	assert_int_equal(u.cpu_ns, 123456789012);
	assert_int_equal(u.mem_bytes, 8192);
	assert_int_equal(u.pids, 7);
	/* swap is part of the limit */
	put("mem/base/europa/w/payload/memory.memsw.usage_in_bytes", "12288");
	container_use_read(&groups, "w", 0, &u);
	assert_int_equal(u.mem_bytes, 12288);
}

static void
test_v2_use(void **state)
{
	struct container_use u;

	(void)state;
	probe_v2();
	put("uni/europa/w/payload/cpu.stat", "usage_usec 2500\nuser_usec 9");
	put("uni/europa/w/payload/memory.current", "8192");
	put("uni/europa/w/payload/pids.current", "0");
	container_use_read(&groups, "w", 0, &u);
	assert_int_equal(u.cpu_ns, 2500000);
	assert_int_equal(u.mem_bytes, 8192);
	assert_int_equal(u.pids, 0);
	put("uni/europa/w/payload/memory.swap.current", "4096");
	container_use_read(&groups, "w", 0, &u);
	assert_int_equal(u.mem_bytes, 12288);
}

/* Of this process's own root: a /var that is no tmpfs is nobody's disk. */
static void
test_disk_is_a_tmpfs(void **state)
{
	struct statfs s;

	(void)state;
	assert_true(container_use_disk(0) == CONTAINER_UNKNOWN);
	assert_true(container_use_disk(INT32_MAX) == CONTAINER_UNKNOWN);
	assert_int_equal(statfs("/var", &s), 0);
	if (s.f_type != TMPFS_MAGIC)
		assert_true(container_use_disk(getpid()) == CONTAINER_UNKNOWN);
}

static void
test_v2_cpus(void **state)
{
	char now[CPUS_TEXT], all[CPUS_TEXT];
	struct err e;

	(void)state;
	probe_v2();
	put("uni/europa/x/cpuset.cpus.effective", "0-7");
	put("uni/europa/x/payload/cpuset.cpus.effective", "0-3");
	put("uni/europa/x/payload/cpuset.cpus", "");
	assert_int_equal(cgroups_read_cpus(&groups, "x", now, all, &e), 0);
	assert_string_equal(now, "0-3");
	assert_string_equal(all, "0-7");
	assert_int_equal(cgroups_write_cpus(&groups, "x", "", &e), 0);
	assert_string_equal(get("uni/europa/x/payload/cpuset.cpus"), "");
	assert_int_equal(cgroups_write_cpus(&groups, "x", "1", &e), 0);
	assert_string_equal(get("uni/europa/x/payload/cpuset.cpus"), "1");
}

static void
test_v1_cpus(void **state)
{
	char text[1024], now[CPUS_TEXT], all[CPUS_TEXT];
	struct err e;

	(void)state;
	probe_v1();
	assert_int_equal(cgroups_read_cpus(&groups, "x", now, all, &e), 0);
	assert_string_equal(now, "");
	assert_int_equal(cgroups_write_cpus(&groups, "x", "1", &e), -ENOTSUP);
	snprintf(text, sizeof(text),
	    "cgroup %s/cpu cgroup rw,cpu,memory,pids 0 0\n"
	    "cgroup %s/cs cgroup rw,cpuset 0 0",
	    dir, dir);
	assert_int_equal(probe(text, "2:cpu,memory,pids:/\n1:cpuset:/", &e), 0);
	put("cs/europa/x/cpuset.cpus", "0-7");
	put("cs/europa/x/payload/cpuset.cpus", "0-1");
	put("cs/europa/x/payload/inner/cpuset.cpus", "");
	assert_int_equal(cgroups_read_cpus(&groups, "x", now, all, &e), 0);
	assert_string_equal(now, "0-1");
	assert_string_equal(all, "0-7");
	/* the parent has room for both first; a file keeps what is not over-
	 * written by what comes last */
	assert_int_equal(cgroups_write_cpus(&groups, "x", "2", &e), 0);
	assert_string_equal(get("cs/europa/x/payload/cpuset.cpus"), "2,0-1");
	assert_string_equal(get("cs/europa/x/payload/inner/cpuset.cpus"), "2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1_reads),
		cmocka_unit_test(test_v1_writes),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_missing_controller),
		cmocka_unit_test(test_missing_limit_file),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_v1_use),
		cmocka_unit_test(test_v2_use),
		cmocka_unit_test(test_disk_is_a_tmpfs),
		cmocka_unit_test(test_v2_cpus),
		cmocka_unit_test(test_v1_cpus),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
