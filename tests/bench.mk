# SPDX-License-Identifier: Apache-2.0
# The benchmark suite: tests/bench/run, "make bench". Its programs are built with
# the tests, so that they do not rot; they are run by nobody else.
BENCH_TOOLS = tests/bench/coreping tests/bench/frames tests/bench/rig
if HAVE_DPDK
BENCH_TOOLS += tests/bench/inproc
endif
check_PROGRAMS += $(BENCH_TOOLS)
EXTRA_DIST += tests/bench/run tests/bench/lib.bash \
  tests/bench/exp/forward.bash tests/bench/exp/node.bash

tests_bench_coreping_SOURCES = tests/bench/coreping.c tests/bench/bench.h
tests_bench_frames_SOURCES = tests/bench/frames.c tests/bench/bench.h
tests_bench_rig_SOURCES = tests/bench/rig.c tests/bench/bench.h
tests_bench_rig_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_bench_inproc_SOURCES = tests/bench/inproc.c tests/bench/bench.h
tests_bench_inproc_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS)
tests_bench_inproc_LDADD = router/librouter.a $(LIBEUROPA) $(DPDK_LIBS) \
  $(SYSTEMD_LIBS)

bench: all $(BENCH_TOOLS)
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/bench/run $(BENCH_FLAGS) \
	  --json bench.jsonl
.PHONY: bench
CLEANFILES += bench.jsonl
