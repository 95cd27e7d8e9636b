# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# batches: rate against batch size (MoonRoute paper, section 6.6), two routes or
# MACs swapped, 64-byte frames, full load.
#
#	rx_europa@N    router; the host's source gives at most N frames at a time,
#	               the router's batches follow from that
#	tx_europa@N    io.c takes and sends at most N frames at a time
#	rx_inprocess@N the in-process forwarder asks for N frames
#	memif_zc@N     host and router of that peer
#
# The host itself asks for VNIC_BURST frames, a batch of the router has at most
# BATCH_MAX: N of ours ends there.

describe_batches() {
  echo "rate against batch size"
}

batches_one() { # N
  if [ "$1" -le 64 ]; then
    bench_rig "rx_europa@$1" mpps=0 "rx_max=$1" &&
      bench_rig "tx_europa@$1" router=io "burst=$1" &&
      bench_inproc "rx_inprocess@$1" "burst=$1" || return 1
  fi
  if [ "$BENCH_HUGE" = yes ]; then
    bench_peer "memif_zc@$1" memif_zc "$1" || return 1
  fi
}

run_batches() {
  local i n series batches="1 2 4 8 16 32 64 128 256"
  [ -z "$BENCH_QUICK" ] || batches="1 4 16 32 64"
  bench_need_dpdk
  bench_frames
  for n in $batches; do
    for ((i = 1; i <= BENCH_RUNS; i++)); do batches_one "$n" || return 1; done
    for series in "rx_europa@$n" "tx_europa@$n" "rx_inprocess@$n" "memif_zc@$n"; do
      [ -z "${SERIES_VALUES[$series]:-}" ] ||
        bench_series batches "$series" Mpps "batches of $n frames"
    done
  done
}
