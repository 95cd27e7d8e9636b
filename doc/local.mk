# SPDX-License-Identifier: Apache-2.0
# doc/: manual pages; why things are as they are
dist_man_MANS += \
  doc/man/europa-dataplane.8 \
  doc/man/europa-errors.7 \
  doc/man/europa-init.8 \
  doc/man/europa-launch.8 \
  doc/man/europa-router.8 \
  doc/man/europa-taps.8 \
  doc/man/europa-template.8 \
  doc/man/europa.conf.5 \
  doc/man/europactl.1 \
  doc/man/europad.8 \
  doc/man/router.conf.5 \
  doc/man/routerctl.1
DECISIONS = \
  doc/decisions/api-thread.md \
  doc/decisions/dpdk-only-in-the-host.md \
  doc/decisions/errors.md \
  doc/decisions/exec-through-init.md \
  doc/decisions/lua-pipeline.md \
  doc/decisions/lxc.md \
  doc/decisions/links.md \
  doc/decisions/linux-twins.md \
  doc/decisions/memory-regions.md \
  doc/decisions/no-libtool.md \
  doc/decisions/one-launcher-per-operation.md \
  doc/decisions/read-only-rootfs.md \
  doc/decisions/router-socket.md \
  doc/decisions/sqlite.md \
  doc/decisions/data-path.md doc/decisions/traffic-limits.md \
  doc/decisions/vnic-protocol.md
EXTRA_DIST += $(DECISIONS) doc/model/vnic-ring.pml doc/results \
  CONTRIBUTING.md .ci/run
dist_doc_DATA += ARCHITECTURE.md CHANGELOG.md LICENSE README.md doc/conformance.md \
  doc/install.md \
  doc/linux-twins.md \
  doc/pipeline.md \
  doc/real-nic.md \
  doc/rest.md
