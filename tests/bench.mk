# SPDX-License-Identifier: Apache-2.0
# The benchmark suite: tests/bench/run, "make bench". Its programs are built with
# the tests, so that they do not rot; they are run by nobody else, so a build for
# sanitizers does without.
BENCH_TOOLS = tests/bench/coreping tests/bench/frames tests/bench/io \
  tests/bench/loops tests/bench/paths tests/bench/rig tests/bench/rules \
  tests/bench/scatters tests/bench/table tests/bench/updates
if HAVE_DPDK
BENCH_TOOLS += tests/bench/fibs tests/bench/inproc tests/bench/peer \
  tests/bench/source.so
endif
if !SANITIZED
check_PROGRAMS += $(BENCH_TOOLS)
endif
EXTRA_DIST += tests/bench/run tests/bench/lib.bash \
  tests/bench/data/README tests/bench/data/prefixes4.xz \
  tests/bench/data/prefixes6.xz \
  tests/bench/data/published.jsonl tests/bench/exp/moonbatch.bash \
  tests/bench/exp/moonroute.bash \
  tests/bench/forwarders.bash tests/bench/exp/batches.bash \
  tests/bench/exp/fig5a.bash \
  tests/bench/exp/fig5b.bash tests/bench/exp/forward.bash \
  tests/bench/node.bash tests/bench/exp/rules.bash \
  tests/bench/exp/scatter.bash \
  tests/bench/exp/shm.bash \
  tests/bench/exp/sizes.bash tests/bench/exp/tables.bash \
  tests/bench/exp/updates.bash tests/bench/exp/workers.bash \
  tests/bench/stages.jq

tests_bench_coreping_SOURCES = tests/bench/coreping.c tests/bench/bench.h
BENCH_FRAME = tests/bench/frame.c tests/bench/frame.h tests/bench/bench.h
tests_bench_frames_SOURCES = tests/bench/frames.c $(BENCH_FRAME)
tests_bench_table_SOURCES = tests/bench/table.c $(BENCH_FRAME)
tests_bench_io_SOURCES = tests/bench/io.c tests/bench/bench.h
tests_bench_io_LDADD = $(LIBEUROPA)
BENCH_ROUNDS = tests/bench/rounds.c tests/bench/rounds.h $(BENCH_FRAME)
tests_bench_loops_SOURCES = tests/bench/loops.c $(BENCH_ROUNDS)
tests_bench_loops_LDADD = router/librouter.a $(LIBEUROPA) $(LUAJIT_LIBS)
tests_bench_loops_LDFLAGS = $(SCRIPT_EXPORTS)
tests_bench_rules_SOURCES = tests/bench/rules.c $(BENCH_ROUNDS)
tests_bench_rules_LDADD = router/librouter.a $(LIBEUROPA)
tests_bench_scatters_SOURCES = tests/bench/scatters.c tests/bench/scatter.c \
  tests/bench/scatter.h $(BENCH_ROUNDS)
tests_bench_scatters_LDADD = router/librouter.a $(LIBEUROPA)
tests_bench_updates_SOURCES = tests/bench/updates.c tests/bench/bench.h
BENCH_TOUCHED = tests/bench/touched.c tests/bench/touched.h $(BENCH_FRAME)
tests_bench_paths_SOURCES = tests/bench/paths.c $(BENCH_TOUCHED)
tests_bench_paths_LDADD = router/librouter.a $(LIBEUROPA) $(LUAJIT_LIBS)
tests_bench_paths_LDFLAGS = $(SCRIPT_EXPORTS)
tests_bench_rig_SOURCES = tests/bench/rig.c tests/bench/bench.h \
  tests/bench/say.h
tests_bench_rig_LDADD = $(LIBEUROPA) $(SYSTEMD_LIBS)
tests_bench_inproc_SOURCES = tests/bench/inproc.c tests/bench/inproc.h \
  tests/bench/inproc_fib.c tests/bench/inproc_tx.c tests/bench/inproc_update.c \
  tests/bench/source.c $(BENCH_TOUCHED)
tests_bench_inproc_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS)
tests_bench_inproc_LDADD = router/librouter.a $(LIBEUROPA) $(DPDK_LIBS) \
  $(SYSTEMD_LIBS)
tests_bench_fibs_SOURCES = tests/bench/fibs.c tests/bench/fibs.h \
  tests/bench/fibs_ours.c tests/bench/fibs_rte.c $(BENCH_FRAME)
tests_bench_fibs_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS)
tests_bench_fibs_LDADD = router/librouter.a $(LIBEUROPA) $(DPDK_LIBS)
tests_bench_peer_SOURCES = tests/bench/peer.c tests/bench/peer.h \
  tests/bench/peer_eth.c tests/bench/peer_proto.c tests/bench/peer_ring.c \
  tests/bench/bench.h
tests_bench_peer_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS)
tests_bench_peer_LDADD = $(DPDK_LIBS)
# a library that is loaded first, not a program
tests_bench_source_so_SOURCES = tests/bench/source.c $(BENCH_FRAME)
tests_bench_source_so_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS) -fPIC
tests_bench_source_so_LDFLAGS = $(SAN_FLAGS) -shared
tests_bench_source_so_LDADD = $(DPDK_LIBS)

bench-tools: all $(BENCH_TOOLS) $(GUARD) $(GUARD_TESTS)
.PHONY: bench-tools

bench: bench-tools
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/bench/run $(BENCH_FLAGS) \
	  --json bench.jsonl
.PHONY: bench
CLEANFILES += bench.jsonl
