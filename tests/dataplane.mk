# SPDX-License-Identifier: Apache-2.0
# The host's data plane: its pure parts, and a running process fed by files
DP_RIG = tests/unit/dp_rig.c tests/unit/dp_rig.h

if HAVE_CMOCKA
dp_pure_tests = tests/unit/test_dp_pure tests/unit/test_dp_workers tests/unit/test_police \
  tests/unit/test_impair tests/unit/test_match \
  tests/unit/test_police_clock
check_PROGRAMS += $(dp_pure_tests)
TESTS += $(dp_pure_tests)
if HAVE_DPDK
DP_PROCESS_TESTS = \
  tests/unit/test_dp_control tests/unit/test_dp_floods tests/unit/test_dp_police \
  tests/unit/test_dp_link tests/unit/test_dp_link2 tests/unit/test_dp_macs \
  tests/unit/test_dp_process tests/unit/test_dp_process2 \
  tests/unit/test_dp_quiet tests/unit/test_dp_quiet2 \
  tests/unit/test_dp_queues tests/unit/test_dp_queues2
check_PROGRAMS += $(DP_PROCESS_TESTS)
TESTS += $(DP_PROCESS_TESTS)
endif
endif

tests_unit_test_dp_pure_SOURCES = tests/unit/test_dp_pure.c $(DATAPLANE_PURE)
tests_unit_test_dp_pure_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_pure_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

POLICE_RIG = dataplane/police.c dataplane/police.h \
  tests/unit/police_rig.c tests/unit/police_rig.h
tests_unit_test_police_SOURCES = tests/unit/test_police.c $(POLICE_RIG)
tests_unit_test_police_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_police_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS)

tests_unit_test_police_clock_SOURCES = tests/unit/test_police_clock.c \
  tests/unit/police_hook.h $(POLICE_RIG)
tests_unit_test_police_clock_CPPFLAGS = $(AM_CPPFLAGS) \
  -include $(top_srcdir)/tests/unit/police_hook.h
tests_unit_test_police_clock_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_police_clock_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) -lpthread
tests_unit_test_dp_workers_SOURCES = tests/unit/test_dp_workers.c \
  $(DATAPLANE_LEDGER) $(DATAPLANE_PURE)
tests_unit_test_dp_workers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_workers_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_impair_SOURCES = tests/unit/test_impair.c \
  dataplane/impair.c dataplane/impair.h
tests_unit_test_impair_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_impair_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS)

tests_unit_test_match_SOURCES = tests/unit/test_match.c \
  dataplane/match.c dataplane/match.h dataplane/frame.h dataplane/rules.h
tests_unit_test_match_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_match_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS)

tests_unit_test_dp_link_SOURCES = tests/unit/test_dp_link.c $(DP_RIG)
tests_unit_test_dp_link_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_link_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_macs_SOURCES = tests/unit/test_dp_macs.c $(DP_RIG)
tests_unit_test_dp_macs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_macs_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_control_SOURCES = tests/unit/test_dp_control.c $(DP_RIG)
tests_unit_test_dp_control_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_control_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_floods_SOURCES = tests/unit/test_dp_floods.c $(DP_RIG)
tests_unit_test_dp_floods_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_floods_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_police_SOURCES = tests/unit/test_dp_police.c $(DP_RIG)
tests_unit_test_dp_police_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_police_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_process_SOURCES = tests/unit/test_dp_process.c $(DP_RIG)
tests_unit_test_dp_process_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_process_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_queues_SOURCES = tests/unit/test_dp_queues.c $(DP_RIG)
tests_unit_test_dp_queues_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_queues_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

# the same, moved by two workers
DP_TWO_WORKERS = $(AM_CPPFLAGS) -DDP_CONF='"workers = 2\n"'
tests_unit_test_dp_process2_SOURCES = tests/unit/test_dp_process.c $(DP_RIG)
tests_unit_test_dp_process2_CPPFLAGS = $(DP_TWO_WORKERS)
tests_unit_test_dp_process2_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_process2_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_quiet_SOURCES = tests/unit/test_dp_quiet.c $(DP_RIG)
tests_unit_test_dp_quiet_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_quiet_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_quiet2_SOURCES = tests/unit/test_dp_quiet.c $(DP_RIG)
tests_unit_test_dp_quiet2_CPPFLAGS = $(DP_TWO_WORKERS)
tests_unit_test_dp_quiet2_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_quiet2_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_link2_SOURCES = tests/unit/test_dp_link.c $(DP_RIG)
tests_unit_test_dp_link2_CPPFLAGS = $(DP_TWO_WORKERS)
tests_unit_test_dp_link2_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_link2_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_dp_queues2_SOURCES = tests/unit/test_dp_queues.c $(DP_RIG)
tests_unit_test_dp_queues2_CPPFLAGS = $(DP_TWO_WORKERS)
tests_unit_test_dp_queues2_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_dp_queues2_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

# The router of tests/system/dataplane.bats, also for measurements
check_PROGRAMS += tests/system/dp_router
tests_system_dp_router_SOURCES = tests/system/dp_router.c
tests_system_dp_router_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
EXTRA_DIST += tests/system/dataplane.bats tests/system/tagged_arp.py
