# SPDX-License-Identifier: Apache-2.0
# tests of api/: the resources, the problems, the table of operations, HTTP
if HAVE_CMOCKA
api_tests = \
  tests/unit/test_api_auth \
  tests/unit/test_api_care \
  tests/unit/test_api_events \
  tests/unit/test_api_hostile \
  tests/unit/test_api_json \
  tests/unit/test_api_lines \
  tests/unit/test_api_list \
  tests/unit/test_api_model \
  tests/unit/test_api_problem \
  tests/unit/test_api_quota \
  tests/unit/test_api_route \
  tests/unit/test_api_server \
  tests/unit/test_api_tls \
  tests/unit/test_api_stream \
  tests/unit/test_api_vnic \
  tests/unit/test_api_websocket
check_PROGRAMS += $(api_tests)
TESTS += $(api_tests)

api_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
api_test_libs = $(LIBAPI) $(LIBEUROPA) $(LIBAPI_LIBS) $(SYSTEMD_LIBS) \
  $(CMOCKA_LIBS)

api_rig_sources = tests/unit/api_rig.c tests/unit/api_rig.h \
  tests/unit/api_client.c tests/unit/api_client.h
model_rig_sources = tests/unit/model_rig.c tests/unit/model_rig.h

tests_unit_test_api_auth_SOURCES = tests/unit/test_api_auth.c $(api_rig_sources)
tests_unit_test_api_auth_CFLAGS = $(api_test_cflags)
tests_unit_test_api_auth_LDADD = $(api_test_libs)

tests_unit_test_api_care_SOURCES = tests/unit/test_api_care.c $(model_rig_sources)
tests_unit_test_api_care_CFLAGS = $(api_test_cflags)
tests_unit_test_api_care_LDADD = $(api_test_libs)
tests_unit_test_api_events_SOURCES = tests/unit/test_api_events.c
tests_unit_test_api_events_CFLAGS = $(api_test_cflags)
tests_unit_test_api_events_LDADD = $(api_test_libs)

tests_unit_test_api_hostile_SOURCES = tests/unit/test_api_hostile.c $(api_rig_sources)
tests_unit_test_api_hostile_CFLAGS = $(api_test_cflags)
tests_unit_test_api_hostile_LDADD = $(api_test_libs)

tests_unit_test_api_json_SOURCES = tests/unit/test_api_json.c
tests_unit_test_api_json_CFLAGS = $(api_test_cflags)
tests_unit_test_api_json_LDADD = $(api_test_libs)

tests_unit_test_api_lines_SOURCES = tests/unit/test_api_lines.c $(api_rig_sources)
tests_unit_test_api_lines_CFLAGS = $(api_test_cflags)
tests_unit_test_api_lines_LDADD = $(api_test_libs)

tests_unit_test_api_list_SOURCES = tests/unit/test_api_list.c
tests_unit_test_api_list_CFLAGS = $(api_test_cflags)
tests_unit_test_api_list_LDADD = $(api_test_libs)

tests_unit_test_api_model_SOURCES = tests/unit/test_api_model.c $(model_rig_sources)
tests_unit_test_api_model_CFLAGS = $(api_test_cflags)
tests_unit_test_api_model_LDADD = $(api_test_libs)

tests_unit_test_api_problem_SOURCES = tests/unit/test_api_problem.c
tests_unit_test_api_problem_CFLAGS = $(api_test_cflags)
tests_unit_test_api_problem_LDADD = $(api_test_libs)

tests_unit_test_api_quota_SOURCES = tests/unit/test_api_quota.c $(model_rig_sources)
tests_unit_test_api_quota_CFLAGS = $(api_test_cflags)
tests_unit_test_api_quota_LDADD = $(api_test_libs)

tests_unit_test_api_route_SOURCES = tests/unit/test_api_route.c
tests_unit_test_api_route_CFLAGS = $(api_test_cflags)
tests_unit_test_api_route_LDADD = $(api_test_libs)

tests_unit_test_api_server_SOURCES = tests/unit/test_api_server.c $(api_rig_sources)
tests_unit_test_api_server_CFLAGS = $(api_test_cflags)
tests_unit_test_api_server_LDADD = $(api_test_libs)

tests_unit_test_api_tls_SOURCES = tests/unit/test_api_tls.c
tests_unit_test_api_tls_CFLAGS = $(api_test_cflags)
tests_unit_test_api_tls_LDADD = $(api_test_libs)

tests_unit_test_api_stream_SOURCES = tests/unit/test_api_stream.c $(api_rig_sources)
tests_unit_test_api_stream_CFLAGS = $(api_test_cflags)
tests_unit_test_api_stream_LDADD = $(api_test_libs)

tests_unit_test_api_websocket_SOURCES = tests/unit/test_api_websocket.c
tests_unit_test_api_websocket_CFLAGS = $(api_test_cflags)
tests_unit_test_api_websocket_LDADD = $(api_test_libs)

tests_unit_test_api_vnic_SOURCES = tests/unit/test_api_vnic.c $(model_rig_sources)
tests_unit_test_api_vnic_CFLAGS = $(api_test_cflags)
tests_unit_test_api_vnic_LDADD = $(api_test_libs)
endif
EXTRA_DIST += \
  tests/rest/audit.test.mjs \
  tests/rest/care.test.mjs \
  tests/rest/again.test.mjs \
  tests/rest/client.mjs \
  tests/rest/nodes.test.mjs \
  tests/rest/console.test.mjs \
  tests/rest/contract.test.mjs \
  tests/rest/docs.test.mjs \
  tests/rest/errors.test.mjs \
  tests/rest/exec.test.mjs \
  tests/rest/files.test.mjs \
  tests/rest/events.test.mjs \
  tests/rest/fake_router.mjs \
  tests/rest/fuzz.test.mjs \
  tests/rest/lists.test.mjs \
  tests/rest/halt.test.mjs \
  tests/rest/live.test.mjs \
  tests/rest/logs.test.mjs \
  tests/rest/macs.test.mjs \
  tests/rest/wiring.test.mjs \
  tests/rest/metrics.test.mjs \
  tests/rest/network.test.mjs \
  tests/rest/openapi.mjs \
  tests/rest/openapi.test.mjs \
  tests/rest/projects.test.mjs \
  tests/rest/quota.test.mjs tests/rest/random.mjs tests/rest/reused.test.mjs tests/rest/revoked.test.mjs \
  tests/rest/run \
  tests/rest/schema.test.mjs tests/rest/shares.test.mjs \
  tests/rest/tokens.test.mjs tests/rest/vnics.test.mjs

# as root: the interface for minutes
check-long-rest: all
	EUROPA_BUILDDIR='$(abs_top_builddir)' EUROPA_FUZZ_RUNS=1000 \
	  EUROPA_SCHEMA_SECONDS=120 $(srcdir)/tests/rest/run fuzz schema
.PHONY: check-long-rest
