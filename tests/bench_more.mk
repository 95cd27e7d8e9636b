# SPDX-License-Identifier: Apache-2.0
# The benchmark suite, second part: where the time goes, how long packets are in
# the node, what routers cost that do nothing; and the report.
if HAVE_DPDK
BENCH_TOOLS += tests/bench/latency.so tests/bench/busy.so \
  tests/bench/gate.so tests/bench/costs
endif
# libraries that are loaded first, not programs
tests_bench_latency_so_SOURCES = tests/bench/latency.c tests/bench/bench.h
tests_bench_latency_so_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS) -fPIC
tests_bench_latency_so_LDFLAGS = $(SAN_FLAGS) -shared
tests_bench_latency_so_LDADD = $(DPDK_LIBS)
tests_bench_gate_so_SOURCES = tests/bench/gate.c tests/bench/bench.h
tests_bench_gate_so_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS) -fPIC
tests_bench_gate_so_LDFLAGS = $(SAN_FLAGS) -shared
tests_bench_gate_so_LDADD = $(DPDK_LIBS)
tests_bench_busy_so_SOURCES = tests/bench/busy.c
tests_bench_busy_so_CFLAGS = $(AM_CFLAGS) -fPIC
tests_bench_busy_so_LDFLAGS = $(SAN_FLAGS) -shared
tests_bench_costs_SOURCES = tests/bench/costs.c tests/bench/bench.h
tests_bench_costs_CFLAGS = $(DPDK_CFLAGS) $(AM_CFLAGS)
tests_bench_costs_LDADD = $(LIBEUROPA)
EXTRA_DIST += tests/bench/ended.sh tests/bench/tools.sh tests/bench/exp/control.bash \
  tests/bench/exp/copies.bash \
  tests/bench/exp/latency.bash tests/bench/exp/lua.bash \
  tests/bench/exp/polling.bash \
  tests/bench/exp/quota.bash tests/bench/exp/stages.bash \
  tests/bench/judge tests/bench/report tests/bench/report.jq tests/bench/report.sh \
  tests/bench/stages.jq
TESTS += tests/bench/ended.sh tests/bench/report.sh
if HAVE_DPDK
if !SANITIZED
TESTS += tests/bench/tools.sh
endif
endif

# The page of bench.jsonl
bench-report:
	$(top_srcdir)/tests/bench/report bench-report \
	  $(wildcard bench-report/bench.jsonl) bench.jsonl
.PHONY: bench-report
