# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# polling: how much of a core host and router take against offered load, as they
# are (they sleep when there is nothing to do), and with busy.so, which lets them
# poll all the time. `NAME@X` at X Mpps of 64-byte frames. The source has no
# descriptor to sleep on: a host that sleeps looks at it each millisecond, and
# what came meanwhile, as far as the source's queue of 1024 holds it, comes at
# once. host and router are in percent of a core.

describe_polling() {
  echo "processor time of host and router against load: adaptive, busy"
}

polling_one() { # adaptive|busy LOAD
  if [ "$1" = busy ]; then
    export BENCH_PRELOAD=$EUROPA_BUILDDIR/tests/bench/busy.so
    export BENCH_ROUTER_PRELOAD=$BENCH_PRELOAD
  fi
  bench_rig "$1@$2" "mpps=$2" || return 1
  unset BENCH_PRELOAD BENCH_ROUTER_PRELOAD
  bench_value "$1_host@$2" "$(jq .plane_percent "$BENCH_TMP/out")"
  bench_value "$1_router@$2" "$(jq .router_percent "$BENCH_TMP/out")"
}

run_polling() {
  local i load way loads="0.001 0.005 0.02 0.05 0.2 1 4"
  [ -z "$BENCH_QUICK" ] || loads="0.001 0.05 0.5 2"
  bench_need_dpdk
  bench_frames 64
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for load in $loads; do
      polling_one adaptive "$load" && polling_one busy "$load" || return 1
    done
  done
  for way in adaptive busy; do
    for load in $loads; do
      bench_series polling "$way@$load" Mpps "rig mpps=$load"
      bench_series polling "${way}_host@$load" % "rig mpps=$load"
      bench_series polling "${way}_router@$load" % "rig mpps=$load"
    done
  done
}
