/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cli_doctor: what the doctor says of hosts that are folders here: one that
 * has all, and one for each thing that it may lack.
 */
#include "cli/doctor.h"

#include "lib/base.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ROOTS "root:1879048192:268435456\n"

/* clang-format off */
static const struct {
	const char *path, *text;
} whole[] = {
	{ "/proc/sys/kernel/osrelease", "6.1.0-amd64\n" },
	{ "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse4_1 sse4_2\n" },
	{ "/proc/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n" },
	{ "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n" },
	{ "/proc/sys/user/max_user_namespaces", "1000\n" },
	/* the second line as the package europa-node writes it */
	{ "/etc/subuid", "lab:100000:65536\nroot:1879048192:268435456\n" },
	{ "/etc/subgid", "lab:100000:65536\nroot:1879048192:268435456\n" },
	{ "/usr/bin/newuidmap", "" },
	{ "/usr/bin/newgidmap", "" },
	{ "/usr/sbin/europad", "" },
	{ "/usr/sbin/europa-dataplane", "" },
	{ "/libexec/europa-launch", "" },
	{ "/libexec/europa-init", "" },
	{ "/libexec/europa-router", "" },
	{ "/libexec/europa-template", "" },
	{ "/libexec/templates/router/manifest", "" },
	{ "/dev/net/tun", "" },
	{ "/proc/sys/net/ipv4/neigh/default/gc_thresh3", "65536\n" },
	{ "/proc/sys/net/ipv6/neigh/default/gc_thresh3", "65536\n" },
	{ "/proc/meminfo", "MemAvailable:  4096000 kB\nHugePages_Total:  8\n"
	    "HugePages_Free:  3\nHugepagesize:  2048 kB\n" },
	{ "/state/europa.db", "" },
};

/* One that lacks something: a file has another text, NULL: is not there. */
static const struct {
	const char *check, *path, *text;
	enum finding_state state;
	const char *seen, *cure;
} lacking[] = {
	{ "kernel", "/proc/sys/kernel/osrelease", "4.19.0\n", FINDING_FAIL, "4.19.0", "apt-get install linux-image" },
	{ "kernel", "/proc/sys/kernel/osrelease", "5.9.1\n", FINDING_FAIL, "5.9.1", "apt-get install linux-image" },
	{ "kernel", "/proc/sys/kernel/osrelease", NULL, FINDING_WARN, "cannot be read", "mount" },
	{ "processor", "/proc/cpuinfo", "processor\t: 0\nflags\t: fpu sse4_1\n", FINDING_FAIL, "sse4_2", "CPU model" },
	{ "cgroups", "/sys/fs/cgroup/cgroup.controllers", "cpuset memory pids\n", FINDING_FAIL, "no controller cpu:", "mount -t cgroup -o cpu cpu" },
	{ "cgroups", "/sys/fs/cgroup/cgroup.controllers", NULL, FINDING_FAIL, "no controller", "mount -t cgroup" },
	{ "user namespaces", "/proc/sys/user/max_user_namespaces", "0\n", FINDING_FAIL, "forbidden", "sysctl -w user.max_user_namespaces" },
	{ "user namespaces", "/proc/sys/user/max_user_namespaces", NULL, FINDING_FAIL, "no user namespaces", "CONFIG_USER_NS" },
	{ "subuids", "/etc/subuid", ROOTS "lab:1879048192:65536\n", FINDING_WARN, "lab:1879048192", "id_base" },
	{ "subuids", "/etc/subgid", ROOTS "lab:1879000000:65536\n", FINDING_WARN, "/etc/subgid", "id_base" },
	{ "subuids", "/etc/subuid", "lab:100000:65536\n", FINDING_FAIL, "no line of /etc/subuid lets", "echo root:1879048192:268435456 | tee -a /etc/subuid" },
	{ "subuids", "/etc/subgid", NULL, FINDING_FAIL, "no line of /etc/subgid lets", "echo root:1879048192:268435456 | tee -a /etc/subgid" },
	{ "subuids", "/etc/subuid", "root:1879048192:65535\n", FINDING_FAIL, "none starts", "tee -a" },
	{ "subuids", "/etc/subuid", "root:1879048192:65536\n", FINDING_WARN, "all that routers may have", "tee -a /etc/subuid" },
	/* where another id_base is set, the line has to say that */
	{ "subuids", "/etc/europa.conf", "[agent]\nid_base = 2200000000\n", FINDING_FAIL, "none starts", "echo root:2200000000:268435456 | tee -a /etc/subuid /etc/subgid" },
	{ "subuids", "/etc/europa.conf.d/a.conf", "[agent]\n\n\tid_ranges=8192\n", FINDING_WARN, "all that", "root:1879048192:536870912" },
	{ "programs", "/usr/sbin/europad", NULL, FINDING_FAIL, "europad is not", "apt-get install" },
	{ "programs", "/libexec/europa-launch", NULL, FINDING_FAIL, "europa-launch", "apt-get install" },
	{ "tun", "/dev/net/tun", NULL, FINDING_WARN, "no /dev/net/tun", "modprobe tun" },
	{ "neighbours", "/proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n", FINDING_WARN, "1024", "net.ipv4.neigh.default.gc_thresh3=65536" },
	{ "neighbours", "/proc/sys/net/ipv6/neigh/default/gc_thresh3", "1024\n", FINDING_WARN, "ipv6", "net.ipv6" },
	{ "memory", "/proc/meminfo", "MemAvailable: 1024 kB\n", FINDING_WARN, "1 MiB", "mem_mib" },
	{ "huge pages", "/proc/meminfo", "HugePages_Total: 0\n", FINDING_WARN, "works without", "vm.nr_hugepages" },
	{ "disk", "/state", NULL, FINDING_FAIL, "/state", "systemd-tmpfiles" },
};
/* clang-format on */

static struct host host = {
	.libexec = "/libexec", .state = "/state", .config = "/etc/europa.conf"
};

static void
put(const char *path, const char *text)
{
	char whole_path[256];
	FILE *f;

	snprintf(whole_path, sizeof(whole_path), "%s%s", host.root, path);
	for (char *p = strchr(whole_path + strlen(host.root) + 1, '/'); p;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(whole_path, 0755);
		*p = '/';
	}
	f = fopen(whole_path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
take_away(const char *path)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s%s'", host.root, path);
	assert_int_equal(system(command), 0);
}

static void
put_whole(void)
{
	take_away("");
	assert_int_equal(mkdir(host.root, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		put(whole[i].path, whole[i].text);
}

static struct finding
look(const char *name)
{
	struct finding f;

	for (size_t i = 0; i < n_doctor_checks; i++)
		if (strcmp(doctor_checks[i].name, name) == 0) {
			doctor_checks[i].look(&host, &f);
			return f;
		}
	fail_msg("no check %s", name);
	return (struct finding){ 0 };
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(host.root, "/tmp/europa-doctor.XXXXXX");
	return mkdtemp(host.root) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	take_away("");
	return 0;
}

static void
a_whole_host_is_well(void **state)
{
	(void)state;
	put_whole();
	for (size_t i = 0; i < n_doctor_checks; i++) {
		struct finding f;

		/* who we are is no matter of folders, nor is the disk full */
		if (strcmp(doctor_checks[i].name, "rights") == 0 ||
		    strcmp(doctor_checks[i].name, "disk") == 0)
			continue;
		doctor_checks[i].look(&host, &f);
		if (f.state != FINDING_OK || !f.seen[0] || f.cure[0])
			fail_msg("%s: %s", doctor_checks[i].name, f.seen);
	}
}

static void
what_is_lacking_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lacking); i++) {
		struct finding f;

		put_whole();
		if (lacking[i].text)
			put(lacking[i].path, lacking[i].text);
		else
			take_away(lacking[i].path);
		f = look(lacking[i].check);
		if (f.state != lacking[i].state ||
		    !strstr(f.seen, lacking[i].seen) ||
		    !strstr(f.cure, lacking[i].cure))
			fail_msg("%s: state %d, %s; %s", lacking[i].check,
			    (int)f.state, f.seen, f.cure);
	}
}

/* A node may run where it was built; then it is not installed, and that is all. */
static void
a_build_is_not_installed_and_works(void **state)
{
	(void)state;
	put_whole();
	take_away("/usr/sbin/europad");
	take_away("/state");
	put("/build/europad", "");
	strcpy(host.built, "/build");
	assert_int_equal(look("programs").state, FINDING_FAIL);
	put("/build/europa-dataplane", "");
	assert_int_equal(look("programs").state, FINDING_WARN);
	assert_int_equal(look("disk").state, FINDING_WARN);
	host.built[0] = '\0';
}

/* Of version 1, a mount that names the controller is one. */
static void
cgroups_of_both_versions(void **state)
{
	(void)state;
	put_whole();
	put("/sys/fs/cgroup/cgroup.controllers", "");
	put("/proc/mounts",
	    "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0\n"
	    "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n"
	    "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n");
	assert_int_equal(look("cgroups").state, FINDING_OK);
	put("/proc/mounts",
	    "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n");
	put("/sys/fs/cgroup/unified/cgroup.controllers", "pids memory\n");
	assert_int_equal(look("cgroups").state, FINDING_FAIL);
	put("/sys/fs/cgroup/unified/cgroup.controllers", "cpu pids memory\n");
	assert_int_equal(look("cgroups").state, FINDING_OK);
}

/* Its lines are asked for by newuidmap, and by nobody where it is not. */
static void
without_newuidmap_no_line_is_needed(void **state)
{
	(void)state;
	put_whole();
	take_away("/usr/bin/newuidmap");
	take_away("/usr/bin/newgidmap");
	take_away("/etc/subuid");
	put("/etc/subgid", "lab:100000:65536\n");
	assert_int_equal(look("subuids").state, FINDING_OK);
	put("/usr/local/bin/newgidmap", "");
	assert_int_equal(look("subuids").state, FINDING_FAIL);
	put("/etc/subgid", "0:1879048192:268435456\n");
	assert_int_equal(look("subuids").state, FINDING_OK);
}

/* The cure of a range that others have is one. */
static void
another_id_base_is_heeded(void **state)
{
	(void)state;
	put_whole();
	put("/etc/subuid", "lab:1879048192:65536\nroot:2000000000:6553600\n");
	put("/etc/subgid", "root:1900000000:165536000\n");
	assert_int_equal(look("subuids").state, FINDING_FAIL);
	put("/etc/europa.conf", "[agent]\nid_base = 1\nid_ranges = 100\n");
	put("/etc/europa.conf.d/b.conf", "[agent]\n  id_base = 2000000000 \n");
	put("/etc/europa.conf.d/a.conf", "[agent]\nid_base = 7\n");
	put("/etc/europa.conf.d/c.conf.old", "[agent]\nid_base = 7\n");
	assert_int_equal(look("subuids").state, FINDING_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_host_is_well),
		cmocka_unit_test(what_is_lacking_is_named),
		cmocka_unit_test(a_build_is_not_installed_and_works),
		cmocka_unit_test(cgroups_of_both_versions),
		cmocka_unit_test(without_newuidmap_no_line_is_needed),
		cmocka_unit_test(another_id_base_is_heeded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
