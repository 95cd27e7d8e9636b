# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# forward: first figures of a build: 64-byte frames a second through
# europa-dataplane and europa-router, beside the same modules in one process,
# and with io (../io.c) instead of the router.

describe_forward() {
  echo "64-byte frames from net_pcap: router, in one process, io"
}

run_forward() {
  local i
  bench_need_dpdk
  bench_frames
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    bench_rig router_64 && bench_inproc inprocess_64 &&
      bench_rig io_64 router=io || return 1
  done
  bench_ratio router_to_inprocess router_64 inprocess_64
  bench_series forward router_64 Mpps rig
  bench_series forward inprocess_64 Mpps inproc
  bench_series forward router_to_inprocess ratio "both, taking turns"
  bench_series forward io_64 Mpps "rig router=io"
  bench_record forward core_ping ns - \
    "coreping $BENCH_HOST_CORE $BENCH_ROUTER_CORE" "${BENCH_PINGS[@]}"
}
