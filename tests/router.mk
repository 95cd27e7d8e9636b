# SPDX-License-Identifier: Apache-2.0
# The router: its modules on bytes, its tables, and the whole process
if HAVE_CMOCKA
noinst_LIBRARIES += tests/librouterrig.a
ROUTER_UNIT = \
  tests/unit/test_router_modules \
  tests/unit/test_router_modules6 \
  tests/unit/test_router_fib4 tests/unit/test_router_fib4_change \
  tests/unit/test_router_fib6 \
  tests/unit/test_router_queue \
  tests/unit/test_router_share \
  tests/unit/test_router_conf tests/unit/test_router_plan \
  tests/unit/test_router_distribute \
  tests/unit/test_router_dpdk \
  tests/unit/test_router_engines \
  tests/unit/test_router_red \
  tests/unit/test_router_scatter \
  tests/unit/test_router_arp \
  tests/unit/test_router_icmp \
  tests/unit/test_router_lua \
  tests/unit/test_router_lua_doc \
  tests/unit/test_router_lua_live \
  tests/unit/test_router_nd \
  tests/unit/test_router_beside \
  tests/unit/test_router_linux_feed \
  tests/unit/test_router_netlink \
  tests/unit/test_router_taps \
  tests/unit/test_router_twins \
  tests/unit/test_router_icmp6 \
  tests/unit/test_router_pieces \
  tests/unit/test_router_process \
  tests/unit/test_router_reassemble \
  tests/unit/test_router_exceptions \
  tests/unit/test_router_routes tests/unit/test_router_ctl \
  tests/unit/test_router_ctl_pipeline \
  tests/unit/test_routerctl \
  tests/unit/test_router_conformance \
  tests/unit/test_router_ipv6 \
  tests/unit/test_router_watch \
  tests/unit/test_router_watchdog \
  tests/unit/test_router_revisions \
  tests/unit/test_router_seat
check_PROGRAMS += $(ROUTER_UNIT)
TESTS += $(ROUTER_UNIT)
endif
TESTS += tests/unit/conformance.sh
EXTRA_DIST += tests/unit/conformance.sh
EXTRA_DIST += tests/unit/engine_changes.inc tests/unit/router_dpdk.h
EXTRA_DIST += tests/golden/router_packets.py tests/golden/router_packets.txt \
  tests/golden/router_packets6.py tests/golden/router_packets6.txt \
  tests/golden/router_packets_join.py tests/golden/router_packets_join.txt \
  tests/golden/check

# with scapy: are the golden files what their scripts make?
check-golden:
	$(top_srcdir)/tests/golden/check
.PHONY: check-golden

tests_librouterrig_a_SOURCES = \
  tests/unit/ctl_client.c tests/unit/ctl_client.h \
  tests/unit/conf_text.h tests/unit/frame_maker.c tests/unit/frame_maker.h \
  tests/unit/golden.c tests/unit/golden.h \
  tests/unit/nl_maker.c tests/unit/nl_maker.h \
  tests/unit/fib_rig.c tests/unit/fib_rig.h \
  tests/unit/router_lab.c tests/unit/router_lab.h \
  tests/unit/router_rig.c tests/unit/router_rig.h $(PROTOCOL_LEDGER)
tests_librouterrig_a_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
ROUTER_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
ROUTER_LIBS = tests/librouterrig.a router/librouter.a $(LIBEUROPA) $(CMOCKA_LIBS)

tests_unit_test_router_modules_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_modules_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_modules6_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_modules6_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_fib4_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_fib4_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_fib4_change_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_fib4_change_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_fib6_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_fib6_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_queue_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_queue_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_share_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_share_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_conf_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_conf_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_plan_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_plan_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_arp_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_arp_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_icmp_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_icmp_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_lua_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_lua_LDADD = router/librouter.a $(LIBEUROPA) \
  $(LUAJIT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_router_lua_LDFLAGS = $(SCRIPT_EXPORTS)
EXTRA_tests_unit_test_router_lua_DEPENDENCIES = europa-router
tests_unit_test_router_lua_doc_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_lua_doc_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_lua_doc_DEPENDENCIES = europa-router
tests_unit_test_router_lua_live_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_lua_live_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_lua_live_DEPENDENCIES = europa-router
tests_unit_test_router_nd_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_nd_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_netlink_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_netlink_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_twins_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_twins_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_taps_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_taps_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_taps_DEPENDENCIES = europa-taps
tests_unit_test_router_linux_feed_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_linux_feed_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_beside_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_beside_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_beside_DEPENDENCIES = europa-router
tests_unit_test_router_icmp6_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_icmp6_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_pieces_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_pieces_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_routes_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_routes_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_ctl_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_ctl_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_ctl_DEPENDENCIES = europa-router
tests_unit_test_router_ctl_pipeline_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_ctl_pipeline_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_ctl_pipeline_DEPENDENCIES = europa-router
tests_unit_test_routerctl_SOURCES = tests/unit/test_routerctl.c \
  router/routerctl_json.c router/routerctl.h
tests_unit_test_routerctl_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_routerctl_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_routerctl_DEPENDENCIES = europa-router routerctl
tests_unit_test_router_watchdog_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_watchdog_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_revisions_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_revisions_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_seat_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_seat_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_watch_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_watch_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_process_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_process_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_exceptions_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_exceptions_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_reassemble_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_reassemble_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_conformance_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_conformance_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_conformance_DEPENDENCIES = europa-router
tests_unit_test_router_ipv6_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_ipv6_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_ipv6_DEPENDENCIES = europa-router
EXTRA_tests_unit_test_router_exceptions_DEPENDENCIES = europa-router
EXTRA_tests_unit_test_router_process_DEPENDENCIES = \
  europa-router examples/vnic-echo

tests_unit_test_router_distribute_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_distribute_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_distribute_DEPENDENCIES = europa-router
tests_unit_test_router_engines_CFLAGS = $(ROUTER_CFLAGS) $(TEST_DPDK)
tests_unit_test_router_engines_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_red_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_red_LDADD = router/librouter.a $(LIBEUROPA) \
  $(LUAJIT_LIBS) $(CMOCKA_LIBS) -lm
# a script finds the modules by name alone
tests_unit_test_router_red_LDFLAGS = $(SCRIPT_EXPORTS) -Wl,--undefined=pipeline_run
tests_unit_test_router_scatter_SOURCES = tests/unit/test_router_scatter.c \
  tests/bench/scatter.c tests/bench/scatter.h
tests_unit_test_router_scatter_CFLAGS = $(ROUTER_CFLAGS)
tests_unit_test_router_scatter_LDADD = $(ROUTER_LIBS)
tests_unit_test_router_dpdk_CFLAGS = $(ROUTER_CFLAGS) $(TEST_DPDK)
tests_unit_test_router_dpdk_LDADD = $(ROUTER_LIBS)
EXTRA_tests_unit_test_router_dpdk_DEPENDENCIES = europa-router
if HAVE_DPDK_STATIC
EXTRA_tests_unit_test_router_engines_DEPENDENCIES = europa-router-dpdk.so
EXTRA_tests_unit_test_router_dpdk_DEPENDENCIES += europa-router-dpdk.so
else
TEST_DPDK = -DTEST_DPDK=0
endif
