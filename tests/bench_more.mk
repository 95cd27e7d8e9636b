# SPDX-License-Identifier: Apache-2.0
# The benchmark suite, second part: where the time goes, how long packets are in
# the node, what routers cost that do nothing; and the report.
if HAVE_DPDK
BENCH_TOOLS += tests/bench/latency.so
check_PROGRAMS += tests/bench/latency.so
endif
# a library that is loaded first, not a program
tests_bench_latency_so_SOURCES = tests/bench/latency.c tests/bench/bench.h
tests_bench_latency_so_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS) -fPIC
tests_bench_latency_so_LDFLAGS = $(SAN_FLAGS) -shared
tests_bench_latency_so_LDADD = $(DPDK_LIBS)
EXTRA_DIST += tests/bench/exp/stages.bash tests/bench/stages.jq
