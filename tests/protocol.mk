# SPDX-License-Identifier: Apache-2.0
# The vNIC protocol: the host's ledger against the router's library
PROTOCOL_LEDGER = \
  dataplane/ledger.c dataplane/ledger.h \
  dataplane/ledger_epoch.c dataplane/ledger_internal.h

if HAVE_CMOCKA
noinst_LIBRARIES += tests/libprotocol.a
PROTOCOL_UNIT = \
  tests/unit/test_ledger \
  tests/unit/test_ledger_epoch \
  tests/unit/test_vnic_ring
check_PROGRAMS += $(PROTOCOL_UNIT)
TESTS += $(PROTOCOL_UNIT)
endif

# both sides in one process, and what checks them
tests_libprotocol_a_SOURCES = \
  tests/unit/vnic_rig.c tests/unit/vnic_rig.h $(PROTOCOL_LEDGER)
tests_libprotocol_a_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
PROTOCOL_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
PROTOCOL_LIBS = tests/libprotocol.a $(LIBEUROPA) $(CMOCKA_LIBS) $(SYSTEMD_LIBS)

tests_unit_test_ledger_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_ledger_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_ledger_epoch_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_ledger_epoch_LDADD = $(PROTOCOL_LIBS)
tests_unit_test_vnic_ring_CFLAGS = $(PROTOCOL_CFLAGS)
tests_unit_test_vnic_ring_LDADD = $(PROTOCOL_LIBS)
