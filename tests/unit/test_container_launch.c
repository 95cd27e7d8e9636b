/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_container_launch: what europad and europa-launch say to each other, and
 * what the launcher tells LXC. The configuration is compared with a golden
 * text: a change to a wall around a tenant shall be seen in a review.
 */
#include "agent/launch_args.h"
#include "agent/launch_config.h"
#include "agent/launch_guard.h"
#include "agent/launch_report.h"
#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static const struct launch_args start_args = {
	.verb = CONTAINER_DO_START,
	.dir = "/var/lib/europa/containers",
	.spec = {
		.uid = "019aa7c0-0000-7000-8000-000000000001",
		.hostname = "r1",
		.rootfs = "/var/lib/europa/templates/router/0123/rootfs",
		.run_dir = "/run/europa/r/019aa7c0",
		.id_base = 1000000000,
		.limits = { 500, 268435456, 64, 67108864, "1-3,5" },
	},
};

/* Field by field: there is padding between them. */
static void
assert_limits(
    const struct container_limits *a, const struct container_limits *b)
{
	assert_int_equal(a->cpu_millis, b->cpu_millis);
	assert_true(a->mem_bytes == b->mem_bytes);
	assert_int_equal(a->pids, b->pids);
	assert_true(a->disk_bytes == b->disk_bytes);
	assert_string_equal(a->cpus, b->cpus);
}

static int
count(char *const argv[])
{
	int n = 0;

	while (argv[n])
		n++;
	return n;
}

static void
test_args_round_trip(void **state)
{
	struct launch_args back;
	struct launch_argv v;
	struct err e;

	(void)state;
	launch_args_format(&start_args, "/x/europa-launch", &v);
	assert_string_equal(v.argv[0], "/x/europa-launch");
	assert_int_equal(
	    launch_args_parse(count(v.argv), v.argv, &back, &e), 0);
	assert_int_equal(back.verb, CONTAINER_DO_START);
	assert_string_equal(back.dir, start_args.dir);
	assert_string_equal(back.spec.uid, start_args.spec.uid);
	assert_string_equal(back.spec.hostname, "r1");
	assert_string_equal(back.spec.rootfs, start_args.spec.rootfs);
	assert_string_equal(back.spec.run_dir, start_args.spec.run_dir);
	assert_int_equal(back.spec.id_base, 1000000000);
	assert_limits(&back.spec.limits, &start_args.spec.limits);
}

/* Replaces one value of a good command line; returns what the parser says. */
static int
parse_with(const char *option, const char *value)
{
	struct launch_args back;
	struct launch_argv v;
	char copy[4096];
	struct err e;

	launch_args_format(&start_args, "europa-launch", &v);
	snprintf(copy, sizeof(copy), "%s", value);
	for (int i = 2; v.argv[i]; i += 2)
		if (strcmp(v.argv[i], option) == 0)
			v.argv[i + 1] = copy;
	return launch_args_parse(count(v.argv), v.argv, &back, &e);
}

static void
test_args_refusals(void **state)
{
	static const char *const bad[][2] = {
		{ "--uid", "../x" },
		{ "--uid", ".x" },
		{ "--uid", "" },
		{ "--uid", "a/b" },
		{ "--uid", "a b" },
		{ "--dir", "relative" },
		{ "--dir", "/a/../b" },
		{ "--rootfs", "/a b" },
		{ "--rootfs", "/a\nlxc.cap.keep=" },
		{ "--run-dir", "/a#b" },
		{ "--run-dir", "/a,b" },
		{ "--hostname", "a\nb" },
		{ "--hostname", "" },
		{ "--cpus", "" },
		{ "--cpus", "1-" },
		{ "--cpus", "1,,2" },
		{ "--cpus", "-1" },
		{ "--cpus", "1\n" },
		{ "--id-base", "0" },
		{ "--id-base", "65535" },
		{ "--id-base", "4294967295" },
		{ "--id-base", "-1" },
		{ "--cpu-millis", "0" },
		{ "--cpu-millis", "1000001" },
		{ "--mem-bytes", "0" },
		{ "--mem-bytes", "4096" },
		{ "--mem-bytes", "99999999999999999999" },
		{ "--pids", "1" },
		{ "--pids", "0x40" },
		{ "--disk-bytes", "0" },
		{ "--disk-bytes", "1G" },
	};

	(void)state;
	assert_int_equal(parse_with("--uid", "econ-1"), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_with(bad[i][0], bad[i][1]) != -EINVAL)
			fail_msg("%s \"%s\" was taken", bad[i][0], bad[i][1]);
}

static void
test_args_missing(void **state)
{
	char *none[] = { (char[]){ "europa-launch" }, NULL };
	struct launch_args back;
	struct launch_argv v;
	struct err e;

	(void)state;
	assert_int_equal(launch_args_parse(1, none, &back, &e), -EINVAL);
	launch_args_format(&start_args, "europa-launch", &v);
	/* each prefix of a good line is a bad one */
	for (int n = count(v.argv) - 1; n > 1; n--)
		assert_int_equal(
		    launch_args_parse(n, v.argv, &back, &e), -EINVAL);
}

static void
test_report_round_trip(void **state)
{
	const struct container_status st = {
		.state = CONTAINER_FROZEN,
		.init_pid = 4711,
		.effective = { 500, 1ULL << 40, 64, 12345, "0,2-3" },
		.all_cpus = "0-3",
	};
	struct container_status back = { 0 };
	char buf[LAUNCH_REPORT_BYTES];
	struct err e = { 0 };
	size_t n;

	(void)state;
	n = launch_report_format(buf, 0, &st, NULL);
	assert_int_equal(strlen(buf), n);
	assert_int_equal(launch_report_parse(buf, &back, &e), 0);
	assert_int_equal(back.state, CONTAINER_FROZEN);
	assert_int_equal(back.init_pid, 4711);
	assert_limits(&back.effective, &st.effective);
	assert_string_equal(back.all_cpus, "0-3");

	err_set(&e, -EBADE, "limit pids:\nasked for 64");
	launch_report_format(buf, -EBADE, NULL, &e);
	memset(&e, 0, sizeof(e));
	assert_int_equal(launch_report_parse(buf, &back, &e), -EBADE);
	assert_string_equal(e.msg, "limit pids: asked for 64");
}

static void
test_report_garbage(void **state)
{
	static const char *const bad[] = {
		"",
		"end\n",
		"europa-launch 2\nend\n",
		"europa-launch 1\n",
		"europa-launch 1\nstate odd\n",
		"europa-launch 1\nerror 0 x\nend\n",
		"europa-launch 1\nerror -5 x\nend\n",
		"europa-launch 1\nerror 5 x\n",
		"europa-launch 1\nerror 5 x\nend\nmore",
		"warning\neuropa-launch 1\nerror 5 x\nend\n",
		"europa-launch 1\nerror 99999 x\nend\n",
	};
	const struct container_status st = { .state = CONTAINER_RUNNING };
	struct container_status back;
	char buf[LAUNCH_REPORT_BYTES];
	size_t n = launch_report_format(buf, 0, &st, NULL);
	struct err e;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
		    launch_report_parse(bad[i], &back, &e), -EPROTO);
	/* no prefix, and no report with one byte changed to another digit */
	while (n-- > 0) {
		buf[n] = '\0';
		assert_int_equal(launch_report_parse(buf, &back, &e), -EPROTO);
	}
	assert_int_equal(launch_report_parse("europa-launch 1\nstate running\n"
					     "init-pid 99999999999\n",
			     &back, &e),
	    -EPROTO);
}

static void
test_cpu(void **state)
{
	(void)state;
	for (uint32_t m = 1; m <= 64000; m++) {
		struct launch_cpu c = launch_cpu(m);

		assert_true(c.quota_us >= 1000);
		assert_true(c.period_us <= 1000000);
		assert_int_equal(launch_cpu_millis(c.quota_us, c.period_us), m);
	}
	assert_int_equal(launch_cpu(500).period_us, 10000);
	assert_int_equal(launch_cpu(500).quota_us, 5000);
	assert_int_equal(launch_cpu_millis(1, 0), 0);
}

static char *
printed(void (*print)(FILE *f, const struct launch_args *a))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	print(f, &start_args);
	fclose(f);
	return text;
}

static void
print_both(FILE *f, const struct launch_args *a)
{
	launch_config_print(f, a);
	fprintf(f, "--- seccomp\n");
	launch_seccomp_print(f);
}

static void
test_config_golden(void **state)
{
	const char *src = getenv("EUROPA_SRCDIR");
	scoped_free char *text = printed(print_both);
	char path[1024], golden[16384];
	size_t n;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/unit/launch_config.golden",
	    src ? src : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(golden, 1, sizeof(golden) - 1, f);
	golden[n] = '\0';
	fclose(f);
	assert_string_equal(text, golden);
}

static void
write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

/* The mark in the root decides, in the unmarked one nothing is said of it. */
static void
test_twins_rights(void **state)
{
	static const char *const rights[] = { " net_admin net_raw",
		"lxc.mount.entry = /dev/net/tun dev/net/tun ",
		"lxc.cgroup.devices.allow = c 10:200 rwm",
		"lxc.cgroup2.devices.allow = c 10:200 rwm" };
	struct launch_args a = start_args;
	char root[] = "/tmp/europa-test-XXXXXX";
	char command[128];

	(void)state;
	assert_non_null(mkdtemp(root));
	a.spec.rootfs = root;
	for (unsigned twins = 0; twins < 2; twins++) {
		scoped_free char *text = NULL;
		size_t n;
		FILE *f = open_memstream(&text, &n);

		assert_non_null(f);
		launch_config_print(f, &a);
		fclose(f);
		for (unsigned i = 0; i < ARRAY_SIZE(rights); i++)
			assert_int_equal(
			    strstr(text, rights[i]) != NULL, twins);
		snprintf(command, sizeof(command),
		    "mkdir -p %s/etc/europa && touch %s/etc/europa/twins", root,
		    root);
		assert_int_equal(system(command), 0);
	}
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void
test_idmap(void **state)
{
	char dir[] = "/tmp/europa-test-XXXXXX";
	char path[64], subuid[64], subgid[64];
	struct err e = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "/nonexistent:%s", dir);
	snprintf(subuid, sizeof(subuid), "%s/subuid", dir);
	snprintf(subgid, sizeof(subgid), "%s/subgid", dir);
	/* no tool, no rule */
	assert_int_equal(
	    launch_idmap_check(path, subuid, subgid, 100000, &e), 0);
	write_file(dir, "newuidmap", "", 0755);
	write_file(dir, "newgidmap", "", 0755);
	assert_int_equal(
	    launch_idmap_check(path, subuid, subgid, 100000, &e), -EPERM);
	assert_non_null(strstr(e.msg, "root:100000:65536"));
	write_file(dir, "subuid", "alice:1:2\nroot:100000:65536\n", 0644);
	assert_int_equal(
	    launch_idmap_check(path, subuid, subgid, 100000, &e), -EPERM);
	assert_non_null(strstr(e.msg, "newgidmap"));
	write_file(dir, "subgid", "root:90000:100000\n", 0644);
	assert_int_equal(
	    launch_idmap_check(path, subuid, subgid, 100000, &e), 0);
	/* one id too few */
	write_file(dir, "subgid", "root:100000:65535\n", 0644);
	assert_int_equal(
	    launch_idmap_check(path, subuid, subgid, 100000, &e), -EPERM);
	write_file(dir, "subgid", "alice:100000:65536\n", 0644);
	assert_int_equal(
	    launch_idmap_check(path, subuid, subgid, 100000, &e), -EPERM);
	assert_int_equal(chdir(dir), 0);
	unlink("newuidmap");
	unlink("newgidmap");
	unlink("subuid");
	unlink("subgid");
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args_round_trip),
		cmocka_unit_test(test_args_refusals),
		cmocka_unit_test(test_args_missing),
		cmocka_unit_test(test_report_round_trip),
		cmocka_unit_test(test_report_garbage),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_config_golden),
		cmocka_unit_test(test_twins_rights),
		cmocka_unit_test(test_idmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
