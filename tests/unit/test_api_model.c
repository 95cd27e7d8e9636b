/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_model: documents in, structs out and back; each error where it is.
 */
#include "model_rig.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
a_name_is_enough(void **state)
{
	struct model_router r = rig_read_router("{\"name\": \"r1\"}");

	(void)state;
	assert_string_equal(r.name, "r1");
	assert_string_equal(r.template, "router");
	assert_int_equal(r.power, MODEL_RUNNING);
	assert_int_equal(r.quota.cpu_millis, 1000);
	assert_int_equal(r.quota.mem_bytes, 64 << 20);
	assert_int_equal(r.quota.pids, 64);
	assert_int_equal(r.quota.disk_bytes, 16 << 20);
	assert_int_equal(r.quota.vnics_max, 32);
	assert_int_equal(r.quota.pool_slots, 1024);
	assert_int_equal(r.n_vnics, 0);
	assert_int_equal(r.n_routes, 0);
	assert_string_equal(r.dataplane, "");
	assert_int_equal(json_object_size(r.labels), 0);
	model_router_clear(&r);
}

static const char full[] =
    "{\"kind\": \"Router\", \"project\": \"default\", \"uid\": \"x\","
    " \"generation\": 3, \"created\": \"x\", \"status\": {\"state\": "
    "\"running\"},"
    " \"name\": \"r1\", \"labels\": {\"course\": \"net-1\"},"
    " \"spec\": {\"template\": \"frr\", \"power\": \"paused\","
    "  \"dataplane\": \"/opt/own\","
    "  \"quota\": {\"cpu_millis\": 1500, \"mem_bytes\": \"1.5GiB\","
    "   \"pids\": \"1k\", \"disk_bytes\": \"32MB\", \"pool_slots\": \"4Ki\"},"
    "  \"vnics\": ["
    "   {\"name\": \"a\", \"attach\": {\"port\": \"p0\","
    "     \"match\": {\"vlan\": 42}},"
    "    \"addresses\": [\"198.18.0.1/24\", \"2001:DB8::1/64\"],"
    "    \"mtu\": 9000, \"mac\": \"02:00:5E:10:00:01\"},"
    "   {\"name\": \"b\", \"attach\": {\"port\": \"p1\", \"trunk\": true}},"
    "   {\"name\": \"c\", \"attach\": {\"router\": \"r2\","
    "     \"vnic\": \"up\"}},"
    "   {\"name\": \"d\", \"attach\": null}],"
    "  \"routes\": ["
    "   {\"prefix\": \"0.0.0.0/0\", \"via\": \"198.18.0.254\"},"
    "   {\"prefix\": \"2001:db8:1::/48\", \"via\": \"fe80::1\","
    "    \"vnic\": \"a\"},"
    "   {\"prefix\": \"203.0.113.0/24\", \"vnic\": \"b\"}]}}";

static void
all_members_are_read(void **state)
{
	struct model_router r = rig_read_router(full);
	const struct model_vnic *a = &r.vnic[0];
	char text[64];

	(void)state;
	assert_string_equal(r.template, "frr");
	assert_int_equal(r.power, MODEL_PAUSED);
	assert_string_equal(r.dataplane, "/opt/own");
	assert_int_equal(r.quota.cpu_millis, 1500);
	assert_int_equal(r.quota.mem_bytes, UINT64_C(3) << 29);
	assert_int_equal(r.quota.pids, 1000);
	assert_int_equal(r.quota.disk_bytes, 32000000);
	assert_int_equal(r.quota.pool_slots, 4096);
	assert_string_equal(
	    json_string_value(json_object_get(r.labels, "course")), "net-1");
	assert_int_equal(r.n_vnics, 4);
	assert_int_equal(a->attach, MODEL_ATTACH_PORT);
	assert_string_equal(a->port, "p0");
	assert_int_equal(a->vlan, 42);
	assert_false(a->trunk);
	assert_int_equal(a->mtu, 9000);
	assert_true(a->has_mac);
	model_mac_text(a->mac, text, sizeof(text));
	assert_string_equal(text, "02:00:5e:10:00:01");
	assert_int_equal(a->n_addresses, 2);
	model_prefix_text(&a->address[1], text, sizeof(text));
	assert_string_equal(text, "2001:db8::1/64");
	assert_true(r.vnic[1].trunk);
	assert_int_equal(r.vnic[1].mtu, 1500);
	assert_int_equal(r.vnic[2].attach, MODEL_ATTACH_VNIC);
	assert_string_equal(r.vnic[2].router, "r2");
	assert_string_equal(r.vnic[2].peer, "up");
	assert_int_equal(r.vnic[3].attach, MODEL_ATTACH_NONE);
	assert_int_equal(r.n_routes, 3);
	assert_int_equal(r.route[0].prefix.length, 0);
	assert_int_equal(r.route[0].via.length, 32);
	model_address_text(&r.route[0].via, text, sizeof(text));
	assert_string_equal(text, "198.18.0.254");
	assert_string_equal(r.route[0].vnic, "");
	assert_int_equal(r.route[1].via.length, 128);
	assert_int_equal(r.route[2].via.family, 0);
	assert_string_equal(r.route[2].vnic, "b");
	model_router_clear(&r);
}

/* What GET returns can be PUT, and gives the same again. */
static void
a_spec_read_back_is_the_same(void **state)
{
	struct model_router r = rig_read_router(full), again;
	json_t *spec = model_router_spec(&r), *spec_again;
	json_t *body = json_pack("{s:s, s:O}", "name", "r1", "spec", spec);
	struct problem p;

	(void)state;
	problem_init(&p);
	model_router_init(&again);
	assert_int_equal(model_router_read(&again, body, "r1", &p), 0);
	spec_again = model_router_spec(&again);
	assert_true(json_equal(spec, spec_again));
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(spec, "quota"), "mem_bytes")),
	    INT64_C(3) << 29);
	json_decref(spec_again);
	json_decref(spec);
	json_decref(body);
	model_router_clear(&r);
	model_router_clear(&again);
}

static void
unknown_members_are_refused_with_a_suggestion(void **state)
{
	(void)state;
	rig_expect_error("{\"spek\": {}}", "/spek", "did you mean \"spec\"?");
	rig_expect_error("{\"spec\": {\"quota\": {\"cpu_milis\": 9}}}",
	    "/spec/quota/cpu_milis", "did you mean \"cpu_millis\"?");
	rig_expect_error("{\"spec\": {\"zebra\": 1}}", "/spec/zebra",
	    "known are template, power, quota, vnics, routes, dataplane");
	rig_expect_error("{\"a/b~c\": 1}", "/a~1b~0c", "unknown member");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"adresses\": []}", "/adresses", "addresses");
}

static void
types_are_checked(void **state)
{
	(void)state;
	rig_expect_error("[]", "", "must be an object");
	rig_expect_error("{\"spec\": 1}", "/spec", "must be an object");
	rig_expect_error("{\"spec\": null}", "/spec", "must be an object");
	rig_expect_error("{\"name\": 1}", "/name", "must be a string");
	rig_expect_error("{\"labels\": []}", "/labels", "must be an object");
	rig_expect_error("{\"labels\": {\"a\": 1}}", "/labels/a", "a string");
	rig_expect_error(
	    "{\"labels\": {\"a b\": \"\"}}", "/labels/a b", "the key");
	rig_expect_error(
	    "{\"spec\": {\"power\": true}}", "/spec/power", "string");
	rig_expect_error(
	    "{\"spec\": {\"power\": \"on\"}}", "/spec/power", "running");
	rig_expect_error(
	    "{\"spec\": {\"vnics\": {}}}", "/spec/vnics", "a list");
	rig_expect_error(
	    "{\"spec\": {\"vnics\": [7]}}", "/spec/vnics/0", "object");
	rig_expect_error(
	    "{\"spec\": {\"routes\": [7]}}", "/spec/routes/0", "obj");
	rig_expect_error(
	    "{\"spec\": {\"quota\": []}}", "/spec/quota", "object");
	rig_expect_error("{\"spec\": {\"dataplane\": \"/a\\nb\"}}",
	    "/spec/dataplane", "control");
	rig_expect_error("{\"spec\": {\"dataplane\": \"own\"}}",
	    "/spec/dataplane", "absolute");
	rig_expect_error("{\"spec\": {\"template\": \"../x\"}}",
	    "/spec/template", "lower-case");
}

static void
expect_quota(const char *key, const char *value, const char *part)
{
	char text[256], at[64];

	snprintf(text, sizeof(text), "{\"spec\": {\"quota\": {\"%s\": %s}}}",
	    key, value);
	snprintf(at, sizeof(at), "/spec/quota/%s", key);
	rig_expect_error(text, at, part);
}

static void
quotas_have_ranges_and_units(void **state)
{
	static const char *const nonsense[] = { "1.5", "true", "\"\"",
		"\"MiB\"", "\"1 GiB\"", "\"1MiBB\"", "\"-1\"", "\"1.\"",
		"\"0x10\"", "\"1e3\"", "\"1.3KiB\"", "\"1P\"", "null", "[]" };

	(void)state;
	expect_quota("cpu_millis", "9", "must be 10 to 1000000");
	expect_quota("cpu_millis", "1000001", "must be 10 to 1000000");
	expect_quota("cpu_millis", "-1", "must be 10 to 1000000");
	expect_quota("cpu_millis", "\"10MB\"", "whole number");
	expect_quota("mem_bytes", "\"7MiB\"", "must be 8 MiB to 1 TiB");
	expect_quota("mem_bytes", "\"99999999999999999999\"", "8 MiB to 1 TiB");
	expect_quota("mem_bytes", "\"99999999T\"", "must be 8 MiB to 1 TiB");
	expect_quota("disk_bytes", "\"2TiB\"", "must be 1 MiB to 1 TiB");
	expect_quota("pids", "3", "must be 4 to 32768");
	expect_quota("pool_slots", "1", "must be 2 to 65536");
	expect_quota("pool_slots", "65537", "must be 2 to 65536");
	expect_quota("vnics_max", "0", "must be 1 to 32");
	expect_quota("vnics_max", "33", "must be 1 to 32");
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++)
		expect_quota(
		    "mem_bytes", nonsense[i], "must be a whole number");
}

static void
all_errors_are_told_at_once(void **state)
{
	struct model_router r;
	struct problem p;
	json_t *body =
	    rig_parse("{\"name\": \"R\", \"labels\": 1, \"spec\": {\"quota\":"
		      " {\"pids\": 1, \"pool_slots\": \"x\"}, \"vnics\":"
		      " [{\"name\": \"a\", \"mtu\": 1}, {\"nam\": \"b\"}]}}");

	(void)state;
	problem_init(&p);
	assert_int_equal(model_router_read(&r, body, NULL, &p), -EINVAL);
	assert_true(rig_has_error(&p, "/name", "lower-case"));
	assert_true(rig_has_error(&p, "/labels", "object"));
	assert_true(rig_has_error(&p, "/spec/quota/pids", "4"));
	assert_true(rig_has_error(&p, "/spec/quota/pool_slots", "whole"));
	assert_true(rig_has_error(&p, "/spec/vnics/0/mtu", "68"));
	assert_true(rig_has_error(&p, "/spec/vnics/1/nam", "\"name\""));
	assert_true(rig_has_error(&p, "/spec/vnics/1/name", "missing"));
	assert_int_equal(p.n_errors, 7);
	json_decref(body);
	problem_clear(&p);
}

static void
the_path_names_the_object(void **state)
{
	struct model_router r;
	struct problem p;
	json_t *body = rig_parse("{}");

	(void)state;
	rig_expect_error("{\"name\": \"r2\"}", "/name", "the path says \"r1\"");
	problem_init(&p);
	model_router_init(&r);
	assert_int_equal(model_router_read(&r, body, "r1", &p), 0);
	assert_string_equal(r.name, "r1");
	model_router_clear(&r);
	assert_int_equal(model_router_read(&r, body, NULL, &p), -EINVAL);
	assert_true(rig_has_error(&p, "/name", "missing"));
	json_decref(body);
	problem_clear(&p);
}

static void
routes_are_replaced_or_kept(void **state)
{
	struct model_router r = rig_read_router(full);
	json_t *none = rig_parse("{\"routes\": []}");
	json_t *bad =
	    rig_parse("{\"routes\": [{\"prefix\": \"x\"}], \"r\": 1}");
	struct problem p;
	json_t *out;

	(void)state;
	problem_init(&p);
	assert_int_equal(model_routes_read(&r, bad, &p), -EINVAL);
	assert_int_equal(r.n_routes, 3);
	problem_clear(&p);
	assert_int_equal(model_routes_read(&r, none, &p), 0);
	assert_int_equal(r.n_routes, 0);
	out = model_routes_json(&r);
	assert_true(json_equal(out, json_object_get(none, "routes")));
	json_decref(out);
	json_decref(none);
	json_decref(bad);
	model_router_clear(&r);
}

/* What could not be read again from the store is not taken either. */
static void
routes_of_a_router_without_vnics_are_refused(void **state)
{
	json_t *good = rig_parse("{\"routes\": [{\"prefix\": \"10.0.0.0/8\","
				 " \"via\": \"192.0.2.1\", \"vnic\": \"x\"}]}");
	json_t *bad = rig_parse("{\"routes\": [{\"prefix\": \"10.0.0.1/8\","
				" \"vnic\": \"x\"}]}");
	struct model_router r;
	struct problem p;

	(void)state;
	problem_init(&p);
	model_router_init(&r);
	assert_int_equal(model_routes_read(&r, good, &p), -EINVAL);
	assert_true(rig_has_error(&p, "/routes/0/vnic", "no vNIC"));
	assert_int_equal(r.n_routes, 0);
	assert_int_equal(model_routes_read(&r, bad, &p), -EINVAL);
	assert_true(rig_has_error(&p, "/routes/0/prefix", "host bits"));
	json_decref(good);
	json_decref(bad);
	problem_clear(&p);
	model_router_clear(&r);
}

/* DPDK reads devargs as root: no commands, no files, no new lines */
static void
devices_are_those_that_do_no_harm(void **state)
{
	static const char *const good[] = { "net_af_packet0,iface=eth0.7",
		"net_af_packet1,iface=p0,framecnt=4096", "net_null0,no-rx=1",
		"net_tap,iface=tap0,mac=fixed", "net_af_xdp12,iface=eth-1",
		"0000:00:08.0", "08:00.1", "pci:0000:3b:00.0,txq_inline=64" };
	static const char *const bad[] = { "net_failsafe0,exec(id)",
		"net_failsafe0,dev(net_null0)", "net_pcap0,tx_pcap=/etc/x",
		"net_vhost0,iface=/etc/passwd", "net_memif0,socket=x",
		"net_null0/../x", "net_nullx", "net_null0,", "net_null0,=1",
		"net_null0,exec=1", "net_null0,size=1,tx_pcap=a",
		"net_af_packet0,iface=/x", "net_af_packet0,iface=a\nport",
		"net_tap0,iface=$(id)", "net_af_xdp0,iface=p0,xdp_prog=a",
		"0000:00:08.8", "0000:00:08.0,x=/etc/passwd",
		"0000:00:08.0 -d x", "pci:", "net_nul", "vdev:net_null0", "-a",
		"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (model_devargs_risk(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!model_devargs_risk(bad[i]))
			fail_msg("%s", bad[i]);
}

static void
ports_are_read_and_checked(void **state)
{
	static const struct {
		const char *text, *pointer, *part;
	} bad[] = {
		{ "{}", "/spec", "missing" },
		{ "{\"spec\": {}}", "/spec/devargs", "missing" },
		{ "{\"spec\": {\"devargs\": \"\"}}", "/spec/devargs",
		    "names no device" },
		{ "{\"spec\": {\"devargs\": \"--vdev=x\"}}", "/spec/devargs",
		    "names no device" },
		{ "{\"spec\": {\"devargs\": \"net_null0,size=6 4\"}}",
		    "/spec/devargs", "without blanks" },
		{ "{\"spec\": {\"devargs\": \"net_null0\", \"mtu\": 1.5}}",
		    "/spec/mtu", "whole number" },
	};
	struct model_port port;
	struct problem p;
	json_t *body = rig_parse("{\"spec\": {\"devargs\": \"net_null0\"}}"),
	       *spec;

	(void)state;
	problem_init(&p);
	model_port_init(&port);
	assert_int_equal(model_port_read(&port, body, "p0", &p), 0);
	assert_string_equal(port.name, "p0");
	assert_string_equal(port.devargs, "net_null0");
	assert_int_equal(port.mtu, 1500);
	spec = model_port_spec(&port);
	assert_int_equal(
	    json_integer_value(json_object_get(spec, "mtu")), 1500);
	json_decref(spec);
	json_decref(body);
	model_port_clear(&port);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		problem_init(&p);
		body = rig_parse(bad[i].text);
		assert_int_equal(
		    model_port_read(&port, body, "p0", &p), -EINVAL);
		assert_int_equal(p.n_errors, 1);
		assert_true(rig_has_error(&p, bad[i].pointer, bad[i].part));
		json_decref(body);
		problem_clear(&p);
	}
}

/* RFC 7396, appendix A. */
static void
merge_patch_is_that_of_the_rfc(void **state)
{
	static const char *const cases[][3] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}",
		    "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}",
		    "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		    "{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
		{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
		{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}",
		    "{\"a\":{\"bb\":{}}}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *target = rig_parse(cases[i][0]);
		json_t *patch = rig_parse(cases[i][1]);
		json_t *want = rig_parse(cases[i][2]);

		assert_int_equal(model_merge_patch(&target, patch), 0);
		assert_true(json_equal(target, want));
		json_decref(target);
		json_decref(patch);
		json_decref(want);
	}
}

static void
names_are_names(void **state)
{
	(void)state;
	assert_true(model_name_is_valid("a"));
	assert_true(model_name_is_valid("r-1"));
	assert_false(model_name_is_valid(""));
	assert_false(model_name_is_valid("-"));
	assert_false(model_name_is_valid("1a"));
	assert_false(model_name_is_valid("a-"));
	assert_false(model_name_is_valid("a_b"));
	assert_false(model_name_is_valid("a\n"));
	for (int i = MODEL_RUNNING; i <= MODEL_PAUSED; i++)
		assert_int_equal(
		    model_power_parse(model_power_text((enum model_power)i)),
		    i);
	assert_int_equal(model_power_parse("off"), -EINVAL);
}

/* Objects share parts with what is stored; a patch is not stored by itself. */
static void
merge_patch_leaves_shared_parts_alone(void **state)
{
	json_t *labels = rig_parse("{\"a\":\"b\",\"in\":{\"x\":\"y\"}}");
	json_t *before = json_deep_copy(labels);
	json_t *target = json_pack("{s:O}", "labels", labels);
	json_t *patch =
	    rig_parse("{\"labels\":{\"a\":null,\"in\":{\"x\":\"z\"}}}");
	json_t *want = rig_parse("{\"labels\":{\"in\":{\"x\":\"z\"}}}");

	(void)state;
	assert_int_equal(model_merge_patch(&target, patch), 0);
	assert_true(json_equal(target, want));
	assert_true(json_equal(labels, before));
	json_decref(want);
	json_decref(patch);
	json_decref(target);
	json_decref(before);
	json_decref(labels);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_enough),
		cmocka_unit_test(all_members_are_read),
		cmocka_unit_test(a_spec_read_back_is_the_same),
		cmocka_unit_test(unknown_members_are_refused_with_a_suggestion),
		cmocka_unit_test(types_are_checked),
		cmocka_unit_test(quotas_have_ranges_and_units),
		cmocka_unit_test(all_errors_are_told_at_once),
		cmocka_unit_test(the_path_names_the_object),
		cmocka_unit_test(routes_are_replaced_or_kept),
		cmocka_unit_test(routes_of_a_router_without_vnics_are_refused),
		cmocka_unit_test(devices_are_those_that_do_no_harm),
		cmocka_unit_test(ports_are_read_and_checked),
		cmocka_unit_test(merge_patch_is_that_of_the_rfc),
		cmocka_unit_test(merge_patch_leaves_shared_parts_alone),
		cmocka_unit_test(names_are_names),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
