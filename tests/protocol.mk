# SPDX-License-Identifier: Apache-2.0
# The vNIC protocol: the host's ledger against the router's library
PROTOCOL_LEDGER = \
  dataplane/ledger.c dataplane/ledger.h \
  dataplane/ledger_epoch.c dataplane/ledger_internal.h dataplane/lines.h

if HAVE_CMOCKA
noinst_LIBRARIES += tests/libprotocol.a
PROTOCOL_UNIT = \
  tests/unit/test_lib_conf \
  tests/unit/test_lib_loop \
  tests/unit/test_lib_wire \
  tests/unit/test_ledger \
  tests/unit/test_ledger_epoch \
  tests/unit/test_ledger_slots \
  tests/unit/test_vnic_attach \
  tests/unit/test_vnic_queue \
  tests/unit/test_vnic_ring \
  tests/unit/test_vnic_sleep
check_PROGRAMS += $(PROTOCOL_UNIT)
TESTS += $(PROTOCOL_UNIT)
endif

# both sides in one process, and what checks them
tests_libprotocol_a_SOURCES = \
  tests/unit/vnic_rig.c tests/unit/vnic_rig.h \
  tests/unit/wire_samples.c tests/unit/wire_samples.h $(PROTOCOL_LEDGER)
tests_libprotocol_a_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
PROTOCOL_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
PROTOCOL_LIBS = tests/libprotocol.a $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_ledger_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_ledger_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_ledger_epoch_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_ledger_epoch_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_ledger_slots_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_ledger_slots_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_vnic_ring_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_vnic_ring_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_vnic_attach_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_vnic_attach_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_vnic_queue_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_vnic_queue_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_vnic_sleep_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_vnic_sleep_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime
tests_unit_test_vnic_sleep_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_lib_conf_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_lib_conf_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_lib_loop_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_lib_loop_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_lib_wire_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_lib_wire_LDADD = $(PROTOCOL_LIBS)

# stress: seconds as the first argument; a few under make check
PROTOCOL_STRESS = \
  tests/stress/stress_hostile \
  tests/stress/stress_kill \
  tests/stress/stress_sleep
check_PROGRAMS += $(PROTOCOL_STRESS)
TESTS += $(PROTOCOL_STRESS)
noinst_LIBRARIES += tests/libstress.a
tests_libstress_a_SOURCES = \
  tests/stress/stress.c tests/stress/stress.h $(PROTOCOL_LEDGER)
STRESS_LIBS = tests/libstress.a $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_stress_stress_kill_LDADD = $(STRESS_LIBS)
tests_stress_stress_sleep_LDADD = $(STRESS_LIBS)
tests_stress_stress_hostile_LDADD = $(STRESS_LIBS)

# fuzz: seeds and random inputs under make check; tests/fuzz/run builds the same
# with libFuzzer
PROTOCOL_FUZZ = \
  tests/fuzz/fuzz_attach \
  tests/fuzz/fuzz_ledger \
  tests/fuzz/fuzz_live \
  tests/fuzz/fuzz_netlink \
  tests/fuzz/fuzz_reassemble \
  tests/fuzz/fuzz_router \
  tests/fuzz/fuzz_routerconf \
  tests/fuzz/fuzz_routerctl \
  tests/fuzz/fuzz_visit \
  tests/fuzz/fuzz_wire
check_PROGRAMS += $(PROTOCOL_FUZZ)
TESTS += $(PROTOCOL_FUZZ)
FUZZ_MAIN = tests/fuzz/fuzz_main.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_attach_SOURCES = tests/fuzz/fuzz_attach.c $(FUZZ_MAIN)
tests_fuzz_fuzz_attach_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_fuzz_fuzz_ledger_SOURCES = tests/fuzz/fuzz_ledger.c \
  tests/fuzz/ledger_hook.h $(PROTOCOL_LEDGER) $(FUZZ_MAIN)
tests_fuzz_fuzz_ledger_CPPFLAGS = $(AM_CPPFLAGS) \
  -include $(top_srcdir)/tests/fuzz/ledger_hook.h
tests_fuzz_fuzz_ledger_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_fuzz_fuzz_netlink_SOURCES = tests/fuzz/fuzz_netlink.c $(FUZZ_MAIN)
tests_fuzz_fuzz_netlink_LDADD = router/librouter.a $(LIBEUROPA)
tests_fuzz_fuzz_live_SOURCES = tests/fuzz/fuzz_live.c agent/ctlclient.c \
  $(FUZZ_MAIN)
tests_fuzz_fuzz_live_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_live_LDADD = api/libapi.a $(LIBEUROPA) $(JANSSON_LIBS) \
  $(SYSTEMD_LIBS)
tests_fuzz_fuzz_visit_SOURCES = tests/fuzz/fuzz_visit.c $(FUZZ_MAIN)
tests_fuzz_fuzz_visit_LDADD = api/libapi.a $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz_wire.c \
  tests/unit/wire_samples.c tests/unit/wire_samples.h $(FUZZ_MAIN)
tests_fuzz_fuzz_wire_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_fuzz_fuzz_reassemble_SOURCES = tests/fuzz/fuzz_reassemble.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reassemble_LDADD = router/librouter.a $(LIBEUROPA)
tests_fuzz_fuzz_router_SOURCES = tests/fuzz/fuzz_router.c $(FUZZ_MAIN)
tests_fuzz_fuzz_router_LDADD = router/librouter.a $(LIBEUROPA)
tests_fuzz_fuzz_routerconf_SOURCES = tests/fuzz/fuzz_routerconf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_routerconf_LDADD = router/librouter.a $(LIBEUROPA)
tests_fuzz_fuzz_routerctl_SOURCES = tests/fuzz/fuzz_routerctl.c \
  router/routerctl_json.c router/routerctl.h $(FUZZ_MAIN)
tests_fuzz_fuzz_routerctl_LDADD = router/librouter.a $(LIBEUROPA) $(LUAJIT_LIBS)
tests_fuzz_fuzz_routerctl_LDFLAGS = $(SCRIPT_EXPORTS)

# libFuzzer, each for FUZZ_SECONDS; corpora grow in _build-fuzz
FUZZ_SECONDS = 30
FUZZ_LONG_SECONDS = 600
EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus
fuzz:
	$(top_srcdir)/tests/fuzz/run --seconds $(FUZZ_SECONDS) .
.PHONY: fuzz

# abi: the contract as text; make abi-update after its version was raised
check_PROGRAMS += tests/abi/abi_dump tests/abi/abi_dump_ffi
TESTS += tests/abi/abi.sh
EXTRA_DIST += tests/abi/abi.sh tests/abi/vnic_abi.txt
tests_abi_abi_dump_SOURCES = tests/abi/abi_dump.c
tests_abi_abi_dump_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_abi_abi_dump_ffi_SOURCES = tests/abi/abi_dump.c
tests_abi_abi_dump_ffi_CPPFLAGS = $(AM_CPPFLAGS) -DVNIC_FFI
abi-update: tests/abi/abi_dump tests/abi/abi_dump_ffi
	$(AM_TESTS_ENVIRONMENT) $(SHELL) $(top_srcdir)/tests/abi/abi.sh update
.PHONY: abi-update

# long: minutes, not part of make check
EXTRA_DIST += tests/mutants/run tests/mutants/list.sh tests/stress/model.sh \
  doc/model/vnic-ring.pml
LONG_SECONDS = 60
# seeded faults, each of which the tests have to find
check-mutants:
	CC='$(CC)' $(top_srcdir)/tests/mutants/run
check-long-protocol: $(PROTOCOL_STRESS) $(PROTOCOL_FUZZ)
	for t in $(PROTOCOL_STRESS); do ./$$t $(LONG_SECONDS) || exit 1; done
	for t in $(PROTOCOL_FUZZ); do \
	  $(AM_TESTS_ENVIRONMENT) ./$$t 200000 2 || exit 1; done
	$(top_srcdir)/tests/fuzz/run --seconds $(FUZZ_LONG_SECONDS) .
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/stress/model.sh
.PHONY: check-mutants check-long-protocol
