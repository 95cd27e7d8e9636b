# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# forwarders: one timed run of a forwarder between two pings; for experiments
# that compare them. Each takes the name of its series first, wants the frames
# in BENCH_TMP and leaves what the program printed in MPPS and CPU_NS.
#
#	bench_rig SERIES KEY=VALUE...       Europa (rig.c)
#	bench_inproc SERIES KEY=VALUE...    the same modules in one process (inproc.c)
#	bench_peer SERIES WAY [BURST]       another way through shared memory (peer.c)

bench_run_one() { # SERIES PROGRAM...
  local series=$1
  shift
  bench_ping
  bench_timed "$EUROPA_BUILDDIR/tests/bench/$1" "${@:2}" > "$BENCH_TMP/out" ||
    return 1
  bench_ping
  MPPS=$(jq .mpps "$BENCH_TMP/out") && CPU_NS=$(jq .cpu_ns "$BENCH_TMP/out") &&
    bench_value "$series" "$MPPS" "$CPU_NS"
}

bench_rig() {
  local series=$1
  shift
  bench_run_one "$series" rig "$BENCH_TMP" "$EUROPA_BUILDDIR" \
    "host_core=$BENCH_HOST_CORE" "router_core=$BENCH_ROUTER_CORE" \
    "warm_ms=$BENCH_WARM_MS" "window_ms=$BENCH_WINDOW_MS" "huge=$BENCH_HUGE" "$@"
}

bench_inproc() {
  local series=$1
  shift
  bench_run_one "$series" inproc "$BENCH_TMP" "core=$BENCH_HOST_CORE" \
    "warm_ms=$BENCH_WARM_MS" "window_ms=$BENCH_WINDOW_MS" "huge=$BENCH_HUGE" "$@"
}

bench_peer() {
  local series=$1
  shift
  rm -f "$BENCH_TMP/peer.sock"
  bench_run_one "$series" peer "$BENCH_TMP" "$1" "$BENCH_HOST_CORE" \
    "$BENCH_ROUTER_CORE" "$BENCH_WARM_MS" "$BENCH_WINDOW_MS" "${@:2}"
}

bench_frames() { # [BYTES]
  "$EUROPA_BUILDDIR/tests/bench/frames" "$BENCH_TMP" "$@" ||
    bench_die "no frames"
}

bench_need_dpdk() {
  local program
  for program in inproc peer source.so; do
    [ -x "$EUROPA_BUILDDIR/tests/bench/$program" ] ||
      bench_die "built without DPDK: no $program"
  done
  if [ "$(nproc)" = 1 ] || [ "$BENCH_HOST_CORE" = "$BENCH_ROUTER_CORE" ]; then
    bench_die "host and router want a core each"
  fi
}
