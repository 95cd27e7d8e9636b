# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# sizes: rate against frame size and against batch size (MoonRoute paper,
# sections 6.3 and 6.6), two routes, full load.
#
#	size_*@BYTES   64 to 1500 bytes on the wire, from net_pcap
#	rx_europa@N    the host's source gives at most N frames at a time; the
#	               router's batches follow from that
#	tx_europa@N    io.c takes and sends at most N frames at a time
#	rx_inprocess@N the in-process forwarder asks for N frames
#	tx_memif@N ..  both sides of a peer
#
# The host itself asks for VNIC_BURST frames, a batch of the router has at most
# BATCH_MAX: N ends there.

describe_sizes() {
  echo "rate against frame size and batch size"
}

sizes_frames() {
  local i size bytes="64 128 256 512 1024 1500"
  [ -z "$BENCH_QUICK" ] || bytes="64 512 1500"
  for size in $bytes; do
    bench_frames "$size"
    for ((i = 1; i <= BENCH_RUNS; i++)); do
      bench_rig "size_europa@$size" && bench_inproc "size_inprocess@$size" ||
        return 1
    done
    bench_series sizes "size_europa@$size" Mpps "rig, $size bytes"
    bench_series sizes "size_inprocess@$size" Mpps "inproc, $size bytes"
  done
}

sizes_batches() {
  local i n batches="1 2 4 8 16 32 64 128 256"
  [ -z "$BENCH_QUICK" ] || batches="1 4 16 32 64"
  bench_frames 64
  for n in $batches; do
    for ((i = 1; i <= BENCH_RUNS; i++)); do
      if [ "$n" -le 32 ]; then
        bench_rig "rx_europa@$n" mpps=0 "rx_max=$n" || return 1
      fi
      if [ "$n" -le 64 ]; then
        bench_inproc "rx_inprocess@$n" "burst=$n" &&
          bench_rig "tx_europa@$n" router=io "burst=$n" || return 1
      fi
      if [ "$BENCH_HUGE" = yes ]; then
        bench_peer "tx_memif_zc@$n" memif_zc "$n" || return 1
      fi
    done
    [ "$n" -gt 32 ] || bench_series sizes "rx_europa@$n" Mpps "rig mpps=0 rx_max=$n"
    if [ "$n" -le 64 ]; then
      bench_series sizes "tx_europa@$n" Mpps "rig router=io burst=$n"
      bench_series sizes "rx_inprocess@$n" Mpps "inproc burst=$n"
    fi
    [ "$BENCH_HUGE" != yes ] ||
      bench_series sizes "tx_memif_zc@$n" Mpps "peer memif_zc burst $n"
  done
}

run_sizes() {
  bench_need_dpdk
  sizes_frames && sizes_batches
}
