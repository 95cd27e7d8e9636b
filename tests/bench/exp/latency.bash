# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# latency: how long 64-byte frames are in the node, from host rx to host tx, at
# 10, 50 and 90 % of the rate that it reaches in the same minute. latency.so
# writes the time stamp counter into the payload at rx and reads it at tx, of one
# frame in four; the data plane is the one that is measured elsewhere. `NAME@X`:
# X is the share of the rate; 1 is a source that gives what it is asked for. calm_*
# are medians of the quantiles of every 10 ms: a virtual machine that stands still
# for a millisecond takes away the p99 of a second. still is the share of time in
# which the worker did not poll for more than 100 us: it was not on a processor.

describe_latency() {
  echo "host rx to host tx: p50, p99, p99.9 at 10, 50, 90 % load"
}

LATENCY_SAMPLES=40000
LATENCY_QUANTILES="p50 p99 p999 max calm_p50 calm_p99"

latency_one() { # SHARE MPPS
  local q ns samples
  rm -f latency.json
  BENCH_PRELOAD=$EUROPA_BUILDDIR/tests/bench/latency.so \
    BENCH_LATENCY_IN=net_null0 BENCH_LATENCY_OUT=net_null1 \
    BENCH_LATENCY_FILE=$BENCH_TMP/latency.json \
    BENCH_LATENCY_WARM_MS=$BENCH_WARM_MS \
    BENCH_LATENCY_WINDOW_MS=$BENCH_WINDOW_MS \
    bench_rig "rate@$1" "mpps=$2" || return 1
  [ -e latency.json ] || bench_die "nothing was measured"
  samples=$(jq .samples latency.json)
  [ "$samples" -ge "$LATENCY_SAMPLES" ] ||
    bench_die "$samples samples at load $1, want $LATENCY_SAMPLES"
  for q in $LATENCY_QUANTILES; do
    ns=$(jq ".${q}_ns" latency.json)
    bench_value "$q@$1" "$(jq -n "$ns / 1000")"
  done
  bench_value "still@$1" "$(jq .still_percent latency.json)"
}

latency_series() { # SHARE
  local q
  bench_series latency "rate@$1" Mpps "rig mpps=LOAD, latency.so"
  for q in $LATENCY_QUANTILES; do
    bench_series latency "$q@$1" us "rig mpps=LOAD, latency.so"
  done
  bench_series latency "still@$1" % "rig mpps=LOAD, latency.so"
}

# latency_judge LEVEL SHARE P50 P99: of runs on near cores if there are five.
latency_judge() {
  local percent calm still
  percent=$(jq -n "$2 * 100")
  calm=$(bench_median "calm_p99@$2")
  still=$(bench_median "still@$2")
  bench_judge T9 "$1" "$(bench_median "p50@$2")" "<=" "$3" \
    "p50 in us at $percent % load, host rx to host tx"
  bench_judge T9 "$1" "$(bench_median "p99@$2")" "<=" "$4" \
    "p99 in us at $percent % load; of every 10 ms, in the median: $calm us; the worker was off its processor for $still % of the time"
}

run_latency() {
  local i share load full
  bench_need_dpdk
  bench_frames 64
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    latency_one 1 0 || return 1
    full=$MPPS
    for share in 0.1 0.5 0.9; do
      load=$(jq -n "$full * $share * 1000 | round / 1000")
      latency_one "$share" "$load" || return 1
    done
  done
  for share in 0.1 0.5 0.9 1; do latency_series "$share"; done
  latency_judge must 0.1 10 40
  latency_judge must 0.9 25 80
  latency_judge stretch 0.1 5 15
  latency_judge stretch 0.9 12 30
}
