# SPDX-License-Identifier: Apache-2.0
# tests/: each part adds its own
noinst_PROGRAMS += udpseq
udpseq_SOURCES = tests/tools/udpseq.c
# the tenant of hostile.bats: it runs in a root file system without libraries
noinst_PROGRAMS += hostile
hostile_SOURCES = tests/tools/hostile.c
hostile_LDADD = $(LIBEUROPA)
if !SANITIZED
hostile_LDFLAGS = $(AM_LDFLAGS) -static
endif
include tests/api.mk
include tests/bench.mk
include tests/bench_more.mk
include tests/bench_node.mk
include tests/cli.mk
include tests/containers.mk
include tests/dataplane.mk
include tests/guard.mk
include tests/lint.mk
include tests/model.mk
include tests/protocol.mk
include tests/router.mk
EXTRA_DIST += quickstart tests/run \
  tests/system/common.bash tests/system/node.sh \
  tests/system/bird.bats tests/system/forward.bats tests/system/hostile.bats tests/system/ipv6.bats tests/system/kills.bats tests/system/linux.bats \
  tests/system/quota.bash tests/system/quota.bats \
  tests/system/quota_live.bats \
  tests/system/modules.bats tests/system/pipeline.bats tests/system/rest_pipeline.bats tests/system/rest_watch.bats tests/system/routerctl.bats tests/system/state.bats tests/system/tenants.bats tests/system/topology.bats tests/system/visits.bats tests/system/wiring.bats tests/system/workers.bats \
  tests/system/tutorial.bats tests/system/xdp.bats \
  tests/tools/arp_probe.py tests/tools/ctrl_c.py tests/tools/tutorial.py
