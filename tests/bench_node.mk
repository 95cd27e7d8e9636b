# SPDX-License-Identifier: Apache-2.0
# The experiments on whole nodes and beside kernel forwarders: their programs.
NODE_BENCH_TOOLS = tests/bench/vload tests/bench/afpfwd tests/bench/tenants \
  tests/bench/unruly tests/bench/apiload
if !SANITIZED
check_PROGRAMS += $(NODE_BENCH_TOOLS)
endif
bench-tools: $(NODE_BENCH_TOOLS)
EXTRA_DIST += tests/bench/europa.bash tests/bench/kernel.bash \
  tests/bench/exp/api.bash tests/bench/exp/impair.bash \
  tests/bench/veth.bash tests/bench/exp/noisy.bash tests/bench/exp/pool.bash \
  tests/bench/exp/ports.bash tests/bench/exp/routers.bash tests/bench/exp/tcp.bash

tests_bench_vload_SOURCES = tests/bench/vload.c tests/bench/bench.h \
  tests/bench/packet.h
tests_bench_afpfwd_SOURCES = tests/bench/afpfwd.c tests/bench/bench.h \
  tests/bench/packet.h
tests_bench_tenants_SOURCES = tests/bench/tenants.c tests/bench/bench.h \
  tests/bench/packet.h
tests_bench_apiload_SOURCES = tests/bench/apiload.c tests/bench/bench.h
# it runs in a root file system without libraries
tests_bench_unruly_SOURCES = tests/bench/unruly.c tests/bench/bench.h \
  tests/bench/packet.h
tests_bench_unruly_LDADD = $(LIBEUROPA)
if !SANITIZED
tests_bench_unruly_LDFLAGS = $(AM_LDFLAGS) -static
endif
