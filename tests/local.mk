# SPDX-License-Identifier: Apache-2.0
# tests/: each part adds its own
noinst_PROGRAMS += udpseq
udpseq_SOURCES = tests/tools/udpseq.c
include tests/api.mk
include tests/bench.mk
include tests/containers.mk
include tests/dataplane.mk
include tests/lint.mk
include tests/protocol.mk
include tests/router.mk
EXTRA_DIST += quickstart tests/run \
  tests/system/common.bash tests/system/node.sh \
  tests/system/forward.bats tests/system/kills.bats \
  tests/system/state.bats tests/system/topology.bats \
  tests/tools/arp_probe.py
