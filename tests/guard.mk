# SPDX-License-Identifier: Apache-2.0
# The regression guard: instructions per packet, which no load on the machine
# changes. `make check-guard`; it wants valgrind.
GUARD = tests/guard/host tests/guard/router
if HAVE_DPDK
check_PROGRAMS += $(GUARD)
endif
tests_guard_host_SOURCES = tests/guard/host.c tests/guard/guard.h \
  tests/bench/bench.h $(DATAPLANE_SOURCES)
tests_guard_host_CFLAGS = $(DATAPLANE_CFLAGS)
tests_guard_host_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
  -Wl,--wrap=mlock2
tests_guard_host_LDADD = $(LIBEUROPA) $(DPDK_LIBS) $(SYSTEMD_LIBS)
tests_guard_router_SOURCES = tests/guard/router.c tests/guard/guard.h \
  tests/bench/bench.h
tests_guard_router_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime
tests_guard_router_LDADD = router/librouter.a $(LIBEUROPA)
EXTRA_DIST += tests/guard/run tests/guard/ceilings

check-guard: all $(GUARD)
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/guard/run
.PHONY: check-guard
