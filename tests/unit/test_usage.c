/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_usage: what a project has used never goes back, whatever begins anew:
 * the counters of a memory, a container's cgroup, europad itself.
 */
#include "agent/usage.h"

#include "agent/cpu_time.h"
#include "agent/router.h"
#include "lib/base.h"
#include "lib/vnic_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static char dir[64];
static struct node node;
static struct router router;
static const char uid[] = "01a20383-9a1f-7d0e-8bb8-11ae58883d2a";

/* europad starts: everything is read, and the router's memory is found. */
static void
start(void)
{
	const struct container_config c = { .dir = dir };
	struct err e = { 0 };

	memset(&node, 0, sizeof(node));
	memset(&router.used, 0, sizeof(router.used));
	if (loop_new(&node.loop) < 0 || store_open(dir, &node.store, &e) < 0 ||
	    projects_load(&node, &e) < 0)
		fail_msg("%s", e.msg);
	router.node = &node;
	router.project = node.projects;
	node.routers = &router;
	node.ops = &container_fake;
	if (node.ops->open(node.loop, &c, &node.ops_cookie, &e) < 0)
		fail_msg("%s", e.msg);
	if (usage_open(&node, &e) < 0)
		fail_msg("%s", e.msg);
}

/* It is killed: what is not on disk is gone. */
static void
kill_it(void)
{
	node.ops->close(node.ops_cookie);
	projects_free(&node);
	store_close(node.store);
	loop_free(node.loop);
}

static int
setup(void **state)
{
	struct vnic_geometry g;

	(void)state;
	strcpy(dir, "/tmp/europa-usage-XXXXXX");
	assert_non_null(mkdtemp(dir));
	memset(&router, 0, sizeof(router));
	strcpy(router.uid_text, uid);
	assert_true(uid_parse(uid, router.uid));
	vnic_geometry_for(&g, 1, 4, 1024, 1500);
	assert_int_equal(vnic_layout_make(&router.layout, &g), 0);
	router.host = aligned_alloc(4096, router.layout.host_bytes);
	assert_non_null(router.host);
	memset(router.host, 0, router.layout.host_bytes);
	router.has_memory = true;
	router.set[0] = 1;
	start();
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "europa.db", "europa.db-wal",
		"europa.db-shm", "lock", "ballast" };
	char path[128];

	(void)state;
	kill_it();
	free(router.host);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* The counters of a queue and a vNIC, as the data plane writes them. */
static void
counters_are(unsigned q, unsigned v, uint64_t packets)
{
	struct vnic_counters *c =
	    vnic_counters(&router.layout, router.host, q, v);

	atomic_store_explicit(&c->filled, packets, memory_order_relaxed);
	atomic_store_explicit(
	    &c->filled_bytes, packets * 100, memory_order_relaxed);
	atomic_store_explicit(&c->sent, packets * 2, memory_order_relaxed);
	atomic_store_explicit(
	    &c->sent_bytes, packets * 200, memory_order_relaxed);
}

static void
expect(uint64_t packets)
{
	json_t *o;

	router.project->usage.saved_ms = 0; /* a second later */
	o = usage_account_json(&node, router.project);
	assert_int_equal(
	    json_integer_value(json_object_get(o, "rx_packets")), packets);
	assert_int_equal(
	    json_integer_value(json_object_get(o, "rx_bytes")), packets * 100);
	assert_int_equal(
	    json_integer_value(json_object_get(o, "tx_packets")), packets * 2);
	assert_int_equal(
	    json_integer_value(json_object_get(o, "tx_bytes")), packets * 200);
	json_decref(o);
}

static void
all_queues_and_vnics_count(void **state)
{
	(void)state;
	expect(0);
	counters_are(0, 0, 10);
	counters_are(1, 3, 5);
	expect(15);
	expect(15);
}

static void
a_new_memory_begins_at_zero(void **state)
{
	(void)state;
	counters_are(0, 0, 10);
	usage_count(&router); /* as before it goes */
	memset(router.host, 0, router.layout.host_bytes);
	router.set[0] = 2;
	counters_are(0, 0, 12); /* more than before, and all of it new */
	expect(22);
	/* the same memory, less than before: nothing is taken away */
	counters_are(0, 0, 3);
	expect(22);
	counters_are(0, 0, 4);
	expect(23);
}

static void
a_start_counts_nothing_twice(void **state)
{
	(void)state;
	counters_are(0, 0, 10);
	expect(10); /* told, and on disk */
	counters_are(0, 0, 17);
	kill_it();
	start();
	expect(17);
	kill_it();
	start();
	expect(17);
}

/* What was told stays, though its sources are gone with the machine's power. */
static void
what_was_told_is_on_disk(void **state)
{
	(void)state;
	counters_are(0, 0, 10);
	expect(10);
	kill_it();
	memset(router.host, 0, router.layout.host_bytes);
	router.set[0] = 3;
	start();
	expect(10);
	counters_are(0, 0, 1);
	usage_close(&node); /* an end as it should be */
	kill_it();
	node.routers = NULL;
	start();
	router.has_memory = false;
	expect(11);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
time_on_cores_is_that_of_the_cgroup(void **state)
{
	static const char *const parts[] = { "", "/europa", "/europa/u",
		"/europa/u/payload" };
	static struct cgroups c;
	char root[64] = "/tmp/europa-cpu-XXXXXX", path[256];

	(void)state;
	assert_non_null(mkdtemp(root));
	for (size_t i = 1; i < ARRAY_SIZE(parts); i++) {
		snprintf(path, sizeof(path), "%s%s", root, parts[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	c.n = 2; /* the first counts nothing */
	strcpy(c.tree[0].root, "/nothing/here");
	strcpy(c.tree[1].root, root);
	assert_int_equal(cpu_time_ns(&c, "u"), 0);
	snprintf(path, sizeof(path), "%s/europa/u/payload/cpuacct.usage", root);
	write_file(path, "123456789012\n");
	assert_int_equal(cpu_time_ns(&c, "u"), 123456789012);
	assert_int_equal(cpu_time_ns(&c, "v"), 0);
	unlink(path);
	c.tree[1].unified = true;
	snprintf(path, sizeof(path), "%s/europa/u/payload/cpu.stat", root);
	write_file(path, "nr_periods 7\nusage_usec 2500\nuser_usec 9\n");
	assert_int_equal(cpu_time_ns(&c, "u"), 2500000);
	unlink(path);
	for (size_t i = ARRAY_SIZE(parts); i-- > 0;) {
		snprintf(path, sizeof(path), "%s%s", root, parts[i]);
		assert_int_equal(rmdir(path), 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    all_queues_and_vnics_count, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_new_memory_begins_at_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_start_counts_nothing_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_was_told_is_on_disk, setup, teardown),
		cmocka_unit_test(time_on_cores_is_that_of_the_cgroup),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
