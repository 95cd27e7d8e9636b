# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# sizes: rate against frame size (MoonRoute paper, section 6.3), two routes, full
# load from net_pcap: `NAME@X` with X bytes on the wire.

describe_sizes() {
  echo "rate against frame size"
}

run_sizes() {
  local i size bytes="64 128 256 512 1024 1500"
  [ -z "$BENCH_QUICK" ] || bytes="64 512 1500"
  bench_need_dpdk
  for size in $bytes; do
    bench_frames "$size"
    for ((i = 1; i <= BENCH_RUNS; i++)); do
      bench_rig "europa@$size" && bench_inproc "inprocess@$size" || return 1
    done
    bench_series sizes "europa@$size" Mpps "rig, $size bytes"
    bench_series sizes "inprocess@$size" Mpps "inproc, $size bytes"
  done
}
