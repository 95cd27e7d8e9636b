/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_vnic: links, addresses and routes: what can never work is refused.
 */
#include "model_rig.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
vnics_are_checked(void **state)
{
	(void)state;
	rig_expect_vnic_error("{}", "/name", "is missing");
	rig_expect_vnic_error("{\"name\": \"\"}", "/name", "1 to 15");
	rig_expect_vnic_error("{\"name\": \"Eth0\"}", "/name", "lower-case");
	rig_expect_vnic_error(
	    "{\"name\": \"sixteen-letters0\"}", "/name", "15");
	rig_expect_vnic_error("{\"name\": \"a\", \"mtu\": 67}", "/mtu", "68");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"mtu\": 9001}", "/mtu", "9000");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"mac\": \"01:00:5e:00:00:01\"}", "/mac",
	    "group");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"mac\": \"00:00:00:00:00:00\"}", "/mac",
	    "nobody");
	rig_expect_vnic_error("{\"name\": \"a\", \"mac\": \"02:00:00:00:00\"}",
	    "/mac", "six bytes");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"mac\": \"02:00:00:00:00:0g\"}", "/mac",
	    "six bytes");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"mac\": \"02:00:00:00:00:000\"}", "/mac",
	    "six bytes");
}

static void
a_vnic_has_one_link(void **state)
{
	(void)state;
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"attach\": {}}", "/attach", "must name a port");
	rig_expect_vnic_error("{\"name\": \"a\", \"attach\": {\"port\": \"p\","
			      " \"router\": \"r\", \"vnic\": \"b\"}}",
	    "/attach", "one link");
	rig_expect_vnic_error("{\"name\": \"a\", \"attach\": {\"port\": \"p\","
			      " \"vnic\": \"b\"}}",
	    "/attach/vnic", "goes with router");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"attach\": {\"router\": \"r\"}}",
	    "/attach/vnic", "is missing");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"attach\": {\"router\": \"r\","
	    " \"vnic\": \"b\", \"trunk\": true}}",
	    "/attach/trunk", "goes with port");
	rig_expect_vnic_error("{\"name\": \"a\", \"attach\": {\"port\": \"p\","
			      " \"trunk\": true, \"match\": {\"vlan\": 1}}}",
	    "/attach/trunk", "cannot match");
	rig_expect_vnic_error("{\"name\": \"a\", \"attach\": {\"port\": \"p\","
			      " \"match\": {\"vlan\": 4095}}}",
	    "/attach/match/vlan", "1 to 4094");
	rig_expect_vnic_error("{\"name\": \"a\", \"attach\": {\"port\": \"p\","
			      " \"match\": {\"vlan\": 0}}}",
	    "/attach/match/vlan", "1 to 4094");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"attach\": {\"router\": \"r1\","
	    " \"vnic\": \"a\"}}",
	    "/attach", "itself");
}

static void
expect_address_error(const char *address, const char *part)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "{\"name\": \"a\", \"addresses\": [\"%s\"]}", address);
	rig_expect_vnic_error(text, "/addresses/0", part);
}

static void
addresses_are_checked(void **state)
{
	(void)state;
	expect_address_error("198.18.0.1", "has no length");
	expect_address_error("198.18.0.1/33", "0 to 32");
	expect_address_error("2001:db8::1/129", "0 to 128");
	expect_address_error("198.18.0.1/", "no IPv4");
	expect_address_error("198.18.0.1/024", "no IPv4");
	expect_address_error("198.18.0.1/24 ", "no IPv4");
	expect_address_error("198.18.0.256/24", "no IPv4");
	expect_address_error("198.18.0.1/4294967320", "no IPv4");
	expect_address_error("fe80::1%eth0/64", "no IPv4");
	expect_address_error("198.18.0.0/24", "the network itself");
	expect_address_error("198.18.0.255/24", "broadcast");
	expect_address_error("224.0.0.1/24", "multicast");
	expect_address_error("127.0.0.1/8", "no address for");
	expect_address_error("0.0.0.0/0", "length 0");
	expect_address_error("ff02::1/64", "multicast");
	expect_address_error("::1/128", "no address for");
	rig_expect_vnic_error("{\"name\": \"a\", \"mtu\": 1279,"
			      " \"addresses\": [\"2001:db8::1/64\"]}",
	    "/addresses/0", "1280");
	rig_expect_vnic_error("{\"name\": \"a\", \"addresses\":"
			      " [\"192.0.2.1/24\", \"192.0.2.1/25\"]}",
	    "/addresses/1", "twice");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"addresses\": [1]}", "/addresses/0", "string");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"addresses\": [1,2,3,4,5,6,7,8,"
	    "9]}",
	    "/addresses", "at most 8");
}

static void
allowed_macs_are_checked_and_canonical(void **state)
{
	struct model_vnic v = { .n_allow_macs = 0 };
	struct problem p;
	json_t *text, *back;

	(void)state;
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"allow_macs\": \"00:00:5e:00:01:01\"}",
	    "/allow_macs", "must be a list");
	rig_expect_vnic_error("{\"name\": \"a\", \"allow_macs\": [7]}",
	    "/allow_macs/0", "string");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"allow_macs\": [\"00:00:5e:00:01\"]}",
	    "/allow_macs/0", "six bytes");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"allow_macs\": [\"33:33:00:00:00:01\"]}",
	    "/allow_macs/0", "group");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"allow_macs\": [\"0a:00:00:00:00:01\","
	    " \"0A:00:00:00:00:01\"]}",
	    "/allow_macs/1", "twice");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"allow_macs\": [1,2,3,4,5,6,7,8,9]}",
	    "/allow_macs", "at most 8");
	problem_init(&p);
	text = rig_parse("{\"name\": \"a\", \"allow_macs\":"
			 " [\"00:00:5E:00:01:0F\", \"02:00:00:00:00:01\"]}");
	assert_int_equal(model_vnic_read(&v, text, "", &p), 0);
	json_decref(text);
	back = model_vnic_json(&v);
	text = rig_parse("[\"00:00:5e:00:01:0f\", \"02:00:00:00:00:01\"]");
	assert_true(json_equal(json_object_get(back, "allow_macs"), text));
	json_decref(text);
	json_decref(back);
	problem_clear(&p);
}

static void
narrow_networks_have_no_broadcast(void **state)
{
	struct model_router r = rig_read_router(
	    "{\"name\": \"r\", \"spec\": {\"vnics\": [{\"name\": \"a\","
	    " \"addresses\": [\"192.0.2.0/31\", \"192.0.2.9/32\"]}]}}");

	(void)state;
	assert_int_equal(r.vnic[0].n_addresses, 2);
	model_router_clear(&r);
}

static void
vnics_of_one_router_differ(void **state)
{
	(void)state;
	rig_expect_error("{\"spec\": {\"vnics\": [{\"name\": \"a\"},"
			 " {\"name\": \"b\"}, {\"name\": \"a\"}]}}",
	    "/spec/vnics/2/name", "another vNIC");
	rig_expect_error("{\"spec\": {\"vnics\": ["
			 "{\"name\": \"a\", \"mac\": \"02:00:00:00:00:01\"},"
			 "{\"name\": \"b\", \"mac\": \"02:00:00:00:00:01\"}]}}",
	    "/spec/vnics/1/mac", "vNIC \"a\" too");
	rig_expect_error(
	    "{\"spec\": {\"vnics\": ["
	    "{\"name\": \"a\", \"addresses\": [\"192.0.2.1/24\"]},"
	    "{\"name\": \"b\", \"addresses\": [\"192.0.2.1/25\"]}]}}",
	    "/spec/vnics/1/addresses", "192.0.2.1 is an address of vNIC");
}

static void
expect_route_error(const char *route, const char *pointer, const char *part)
{
	char text[512], at[64];

	snprintf(text, sizeof(text),
	    "{\"spec\": {\"vnics\": [{\"name\": \"a\", \"addresses\":"
	    " [\"198.18.0.1/24\"]}], \"routes\": [%s]}}",
	    route);
	snprintf(at, sizeof(at), "/spec/routes/%s", pointer);
	rig_expect_error(text, at, part);
}

static void
routes_lead_somewhere(void **state)
{
	(void)state;
	expect_route_error("{\"via\": \"198.18.0.2\"}", "0/prefix", "missing");
	expect_route_error(
	    "{\"prefix\": \"0.0.0.0/0\"}", "0", "needs via, or vnic");
	expect_route_error("{\"prefix\": \"10.0.0.1/8\", \"vnic\": \"a\"}",
	    "0/prefix", "did you mean 10.0.0.0/8?");
	expect_route_error(
	    "{\"prefix\": \"0.0.0.0/0\", \"via\": \"192.0.2.1\"}", "0/via",
	    "on no subnet");
	expect_route_error("{\"prefix\": \"0.0.0.0/0\","
			   " \"via\": \"198.18.0.2/24\"}",
	    "0/via", "without a length");
	expect_route_error("{\"prefix\": \"0.0.0.0/0\", \"via\": \"fe80::1\","
			   " \"vnic\": \"a\"}",
	    "0/via", "another family");
	expect_route_error("{\"prefix\": \"0.0.0.0/0\", \"vnic\": \"b\"}",
	    "0/vnic", "no vNIC \"b\"");
	expect_route_error("{\"prefix\": \"0.0.0.0/0\", \"vnic\": \"a\"},"
			   "{\"prefix\": \"0.0.0.0/0\", \"vnic\": \"a\"}",
	    "1", "same as entry 0");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vnics_are_checked),
		cmocka_unit_test(a_vnic_has_one_link),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(allowed_macs_are_checked_and_canonical),
		cmocka_unit_test(narrow_networks_have_no_broadcast),
		cmocka_unit_test(vnics_of_one_router_differ),
		cmocka_unit_test(routes_lead_somewhere),
	};

	return cmocka_run_group_tests_name("vnic", tests, NULL, NULL);
}
