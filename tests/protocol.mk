# SPDX-License-Identifier: Apache-2.0
# The vNIC protocol: the host's ledger against the router's library
PROTOCOL_LEDGER = \
  dataplane/ledger.c dataplane/ledger.h \
  dataplane/ledger_epoch.c dataplane/ledger_internal.h
PROTOCOL_RIG = tests/unit/vnic_rig.c tests/unit/vnic_rig.h $(PROTOCOL_LEDGER)

if HAVE_CMOCKA
PROTOCOL_UNIT = \
  tests/unit/test_ledger
check_PROGRAMS += $(PROTOCOL_UNIT)
TESTS += $(PROTOCOL_UNIT)
endif

tests_unit_test_ledger_SOURCES = tests/unit/test_ledger.c $(PROTOCOL_RIG)
tests_unit_test_ledger_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ledger_LDADD = $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)
