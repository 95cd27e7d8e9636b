# SPDX-License-Identifier: Apache-2.0
# The regression guard: instructions per packet and cache lines of two workers,
# which no load on the machine changes. `make check-guard`; it wants valgrind. And
# what workers do beside one another, by hand, in `make check`.
if HAVE_DPDK
GUARD = tests/guard/host tests/guard/router
GUARD_TESTS = tests/guard/cross tests/guard/order tests/guard/turn
if !SANITIZED
# lines takes the place of a sanitizer's run-time, the others leave all to exit()
GUARD += tests/guard/lines
TESTS += $(GUARD_TESTS)
check_LIBRARIES = tests/guard/liblines.a
endif
check_PROGRAMS += $(GUARD) $(GUARD_TESTS)
endif
GUARD_NODE = tests/guard/node.c tests/guard/node.h \
  tests/bench/bench.h tests/bench/packet.h tests/bench/say.h
tests_guard_host_SOURCES = tests/guard/host.c tests/guard/guard.h \
  $(GUARD_NODE) $(DATAPLANE_SOURCES)
tests_guard_host_CFLAGS = $(DATAPLANE_CFLAGS)
tests_guard_host_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
  -Wl,--wrap=mlock2
tests_guard_host_LDADD = $(LIBEUROPA) $(DPDK_LIBS) $(SYSTEMD_LIBS)
tests_guard_router_SOURCES = tests/guard/router.c tests/guard/guard.h \
  tests/bench/bench.h
tests_guard_router_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime
tests_guard_router_LDADD = router/librouter.a $(LIBEUROPA)

# Two workers, one of which is busy
tests_guard_cross_SOURCES = tests/guard/cross.c $(GUARD_NODE) \
  $(DATAPLANE_SOURCES)
tests_guard_cross_CFLAGS = $(DATAPLANE_CFLAGS)
tests_guard_cross_LDADD = $(LIBEUROPA) $(DPDK_LIBS) $(SYSTEMD_LIBS)

# Three, each of which may come in the midst of another's round
tests_guard_order_SOURCES = tests/guard/order.c $(GUARD_NODE) \
  $(DATAPLANE_SOURCES)
tests_guard_order_CFLAGS = $(DATAPLANE_CFLAGS)
tests_guard_order_LDFLAGS = $(AM_LDFLAGS) \
  -Wl,--wrap=handover_look,--wrap=ledger_take
tests_guard_order_LDADD = $(LIBEUROPA) $(DPDK_LIBS) $(SYSTEMD_LIBS)

# One, which comes to a router several times in a round
tests_guard_turn_SOURCES = tests/guard/turn.c $(GUARD_NODE) \
  $(DATAPLANE_SOURCES)
tests_guard_turn_CFLAGS = $(DATAPLANE_CFLAGS)
tests_guard_turn_LDFLAGS = $(AM_LDFLAGS) \
  -Wl,--wrap=ledger_turn,--wrap=ledger_take
tests_guard_turn_LDADD = $(LIBEUROPA) $(DPDK_LIBS) $(SYSTEMD_LIBS)

# Two workers, whose stores are recorded
tests_guard_liblines_a_SOURCES = $(DATAPLANE_SOURCES)
tests_guard_liblines_a_CPPFLAGS = $(AM_CPPFLAGS) -fsanitize=thread
tests_guard_liblines_a_CFLAGS = $(DATAPLANE_CFLAGS)
tests_guard_lines_SOURCES = tests/guard/lines.c \
  tests/guard/stores.c tests/guard/stores.h $(GUARD_NODE)
tests_guard_lines_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS)
tests_guard_lines_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=mlock2 \
  -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset \
  -Wl,--wrap=__memcpy_chk,--wrap=__memmove_chk,--wrap=__memset_chk
tests_guard_lines_LDADD = tests/guard/liblines.a $(LIBEUROPA) $(DPDK_LIBS) \
  $(SYSTEMD_LIBS)
EXTRA_DIST += tests/guard/run tests/guard/ceilings

check-guard: all $(GUARD)
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/guard/run
.PHONY: check-guard
