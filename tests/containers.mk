# SPDX-License-Identifier: Apache-2.0
# Containers: the launcher's parts, both back ends, europa-init
EXTRA_DIST += tests/unit/launch_config.golden tests/unit/template.sh \
  tests/unit/store_v1.bin
TESTS += tests/unit/template.sh
if HAVE_CMOCKA
CONTAINER_UNIT = \
  tests/unit/test_burial \
  tests/unit/test_plane \
  tests/unit/test_container_backends \
  tests/unit/test_container_cgroup \
  tests/unit/test_container_launch \
  tests/unit/test_cpus \
  tests/unit/test_ctlclient \
  tests/unit/test_changes \
  tests/unit/test_faults \
  tests/unit/test_init_service \
  tests/unit/test_init \
  tests/unit/test_lib_piece \
  tests/unit/test_logring \
  tests/unit/test_textbits \
  tests/unit/test_answers tests/unit/test_live_files \
  tests/unit/test_store \
  tests/unit/test_tokens \
  tests/unit/test_usage
check_PROGRAMS += $(CONTAINER_UNIT) tests/unit/init_child_probe
TESTS += $(CONTAINER_UNIT)
endif

CONTAINER_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
CONTAINER_TEST_LIBS = $(LIBCONTAINERS) $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_test_plane_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_plane_LDADD = agent/libagent.a $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_test_burial_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_burial_LDADD = agent/libagent.a $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_test_container_backends_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_container_backends_LDADD = $(CONTAINER_TEST_LIBS)
tests_unit_test_container_cgroup_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_container_cgroup_LDADD = $(CONTAINER_TEST_LIBS)
tests_unit_test_container_launch_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_container_launch_LDADD = $(CONTAINER_TEST_LIBS)
tests_unit_test_cpus_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_cpus_LDADD = agent/libagent.a $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_test_ctlclient_SOURCES = tests/unit/test_ctlclient.c \
  tests/unit/ctl_fake.c tests/unit/ctl_fake.h
tests_unit_test_ctlclient_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_ctlclient_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_changes_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_changes_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_faults_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_faults_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_lib_piece_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_lib_piece_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_test_logring_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_logring_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_textbits_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_textbits_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_answers_SOURCES = tests/unit/test_answers.c
tests_unit_test_answers_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_answers_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_live_files_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_live_files_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_store_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_store_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_usage_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_usage_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_tokens_CFLAGS = $(CONTAINER_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_tokens_LDADD = $(AGENT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_init_service_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_init_service_LDADD = $(LIBINIT) $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_test_init_CFLAGS = $(CONTAINER_TEST_CFLAGS)
tests_unit_test_init_LDADD = $(LIBINIT) $(LIBEUROPA) $(CMOCKA_LIBS)
tests_unit_init_child_probe_LDADD = $(LIBEUROPA)

# The tenant of tests/system/containers.bats: its root holds no library
check_PROGRAMS += tests/system/probe_wall
tests_system_probe_wall_SOURCES = tests/system/probe_wall.c
if !SANITIZED
tests_system_probe_wall_LDFLAGS = $(AM_LDFLAGS) -static
endif
EXTRA_DIST += tests/system/containers.bats
