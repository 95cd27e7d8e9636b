/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_api_quota: limits of traffic, in a router's quota and in a vNIC's, and
 * the documents that change one of them alone.
 */
#include "model_rig.h"

#include "lib/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
expect_rates(const struct model_rates *r, uint64_t rx_pps, uint64_t tx_pps,
    uint64_t rx_bps, uint64_t tx_bps)
{
	assert_int_equal(r->rx_pps, rx_pps);
	assert_int_equal(r->tx_pps, tx_pps);
	assert_int_equal(r->rx_bps, rx_bps);
	assert_int_equal(r->tx_bps, tx_bps);
}

static void
no_limit_is_the_default(void **state)
{
	struct model_router r =
	    rig_read_router("{\"name\": \"r1\", \"spec\": {\"vnics\":"
			    " [{\"name\": \"a\"}]}}");

	(void)state;
	expect_rates(&r.quota.rates, 0, 0, 0, 0);
	assert_int_equal(r.quota.rates.burst_ms, 50);
	expect_rates(&r.vnic[0].rates, 0, 0, 0, 0);
	assert_int_equal(r.vnic[0].rates.burst_ms, 50);
	model_router_clear(&r);
}

static void
both_levels_are_read_and_written(void **state)
{
	struct model_router r = rig_read_router(
	    "{\"name\": \"r1\", \"spec\": {\"quota\": {\"rx_pps\": \"1M\","
	    " \"tx_pps\": 1000000000, \"rx_bps\": \"2G\", \"tx_bps\": \"1T\","
	    " \"burst_ms\": 1000, \"pool_slots\": 8},"
	    " \"vnics\": [{\"name\": \"a\", \"quota\": {\"rx_pps\": 1,"
	    " \"tx_bps\": \"1k\", \"burst_ms\": 1}}]}}");
	json_t *spec = model_router_spec(&r), *o;

	(void)state;
	expect_rates(&r.quota.rates, 1000000, 1000000000, 2000000000,
	    UINT64_C(1000000000000));
	assert_int_equal(r.quota.rates.burst_ms, 1000);
	assert_int_equal(r.quota.pool_slots, 8);
	expect_rates(&r.vnic[0].rates, 1, 0, 0, 1000);
	assert_int_equal(r.vnic[0].rates.burst_ms, 1);
	o = json_object_get(spec, "quota");
	assert_int_equal(json_integer_value(json_object_get(o, "tx_bps")),
	    INT64_C(1000000000000));
	assert_int_equal(json_object_size(o), 12);
	o = json_object_get(
	    json_array_get(json_object_get(spec, "vnics"), 0), "quota");
	assert_int_equal(
	    json_integer_value(json_object_get(o, "tx_bps")), 1000);
	assert_int_equal(json_integer_value(json_object_get(o, "rx_bps")), 0);
	assert_int_equal(json_object_size(o), 5);
	json_decref(spec);
	model_router_clear(&r);
}

static void
expect_bad(const char *key, const char *value, const char *part)
{
	char text[256], at[64];

	snprintf(text, sizeof(text), "{\"spec\": {\"quota\": {\"%s\": %s}}}",
	    key, value);
	snprintf(at, sizeof(at), "/spec/quota/%s", key);
	rig_expect_error(text, at, part);
	snprintf(text, sizeof(text),
	    "{\"name\": \"a\", \"quota\": {\"%s\": %s}}", key, value);
	snprintf(at, sizeof(at), "/quota/%s", key);
	rig_expect_vnic_error(text, at, part);
}

static void
limits_have_ranges(void **state)
{
	(void)state;
	expect_bad("rx_pps", "-1", "must be 0 (no limit) or 1 to 1000000000");
	expect_bad("tx_pps", "1000000001", "or 1 to 1000000000");
	expect_bad("rx_bps", "999", "0 (no limit) or 1000 to 1000000000000");
	expect_bad("tx_bps", "\"1.1T\"", "or 1000 to 1000000000000");
	expect_bad("tx_bps", "\"99999999999999999999\"", "or 1000 to");
	expect_bad("burst_ms", "0", "must be 1 to 1000");
	expect_bad("burst_ms", "1001", "must be 1 to 1000");
	expect_bad("rx_pps", "\"1MB\"", "whole number");
	expect_bad("rx_pps", "null", "whole number");
	expect_bad("rx_pp", "1", "did you mean \"rx_pps\"?");
	rig_expect_vnic_error(
	    "{\"name\": \"a\", \"quota\": 5}", "/quota", "object");
	/* what only a router has */
	rig_expect_vnic_error("{\"name\": \"a\", \"quota\": {\"pids\": 5}}",
	    "/quota/pids", "unknown member");
}

static void
a_quota_alone(void **state)
{
	json_t *good = rig_parse("{\"limit\": {\"rx_pps\": 5, \"pids\": 9},"
				 " \"usage\": 1, \"effective\": null,"
				 " \"kind\": \"Quota\", \"router\": \"r\"}");
	json_t *bad = rig_parse("{\"limit\": {\"rx_bps\": 5}, \"rx_pps\": 1}");
	json_t *none = rig_parse("{}");
	struct model_quota q = { .pids = 77 };
	struct problem p;

	(void)state;
	problem_init(&p);
	assert_int_equal(model_quota_read(&q, bad, &p), -EINVAL);
	assert_int_equal(q.pids, 77);
	assert_int_equal(p.n_errors, 2);
	assert_true(rig_has_error(&p, "/limit/rx_bps", "1000"));
	assert_true(rig_has_error(&p, "/rx_pps", "known are limit"));
	problem_clear(&p);
	problem_init(&p);
	assert_int_equal(model_quota_read(&q, good, &p), 0);
	expect_rates(&q.rates, 5, 0, 0, 0);
	assert_int_equal(q.pids, 9);
	assert_int_equal(q.cpu_millis, 1000);
	assert_int_equal(model_quota_read(&q, none, &p), 0);
	assert_int_equal(q.pids, 64);
	problem_clear(&p);
	json_decref(good);
	json_decref(bad);
	json_decref(none);
}

static void
expect_object_error(const char *text, const char *at, const char *part)
{
	json_t *body = rig_parse(text);
	struct model_vnic v = { .vlan = 7 };
	struct problem p;

	problem_init(&p);
	assert_int_equal(model_vnic_object_read(&v, body, "a", &p), -EINVAL);
	assert_int_equal(v.vlan, 7);
	assert_int_equal(p.n_errors, 1);
	if (!rig_has_error(&p, at, part))
		fail_msg("%s %s", p.error[0].pointer, p.error[0].detail);
	problem_clear(&p);
	json_decref(body);
}

static void
a_vnic_alone(void **state)
{
	json_t *body = rig_parse(
	    "{\"kind\": \"Vnic\", \"name\": \"a\", \"router\": \"r\","
	    " \"status\": {}, \"spec\": {\"name\": \"a\", \"mtu\": 900}}");
	struct model_vnic v;
	struct problem p;

	(void)state;
	problem_init(&p);
	assert_int_equal(model_vnic_object_read(&v, body, "a", &p), 0);
	assert_string_equal(v.name, "a");
	assert_int_equal(v.mtu, 900);
	json_decref(body);
	problem_clear(&p);
	expect_object_error("[]", "", "must be an object");
	expect_object_error("{\"name\": \"a\"}", "/spec", "is missing");
	expect_object_error("{\"name\": \"b\", \"spec\": {\"name\": \"a\"}}",
	    "/name", "names do not change");
	expect_object_error("{\"name\": \"a\", \"spec\": {\"name\": \"b\"}}",
	    "/spec/name", "names do not change");
	expect_object_error(
	    "{\"name\": \"a\", \"spec\": 5}", "/spec", "object");
	expect_object_error(
	    "{\"name\": \"a\", \"x\": 1, \"spec\": {\"name\": \"a\"}}", "/x",
	    "unknown member");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limit_is_the_default),
		cmocka_unit_test(both_levels_are_read_and_written),
		cmocka_unit_test(limits_have_ranges),
		cmocka_unit_test(a_quota_alone),
		cmocka_unit_test(a_vnic_alone),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
