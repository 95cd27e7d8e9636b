# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# forward: first figures of a build: 64-byte frames a second through
# europa-dataplane and europa-router, beside the same modules in one process,
# and with vnic-echo instead of the router.

describe_forward() {
  echo "64-byte frames: router, in one process, echo"
}

# What runs one forwarder, without its folders.
forwarder() { # forward|echo|inproc
  if [ "$1" = inproc ]; then
    echo "inproc DIR $BENCH_HOST_CORE $BENCH_WARM_MS $BENCH_WINDOW_MS $BENCH_HUGE"
  else
    echo "rig DIR BUILD router=$1 host_core=$BENCH_HOST_CORE" \
      "router_core=$BENCH_ROUTER_CORE warm_ms=$BENCH_WARM_MS" \
      "window_ms=$BENCH_WINDOW_MS huge=$BENCH_HUGE"
  fi
}

forward_one() { # SERIES forward|echo|inproc
  local command
  read -ra command <<< "$(forwarder "$2")"
  command=("${command[@]/#DIR/$BENCH_TMP}")
  command=("${command[@]/#BUILD/$EUROPA_BUILDDIR}")
  bench_ping
  bench_timed "$EUROPA_BUILDDIR/tests/bench/${command[0]}" "${command[@]:1}" \
    > out || return 1
  bench_ping
  bench_value "$1" "$(jq .mpps out)" "$(jq .cpu_ns out)"
}

run_forward() {
  local i
  [ -x "$EUROPA_BUILDDIR/tests/bench/inproc" ] || bench_die "built without DPDK"
  "$EUROPA_BUILDDIR/tests/bench/frames" "$BENCH_TMP" || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    forward_one router_64 forward && forward_one inprocess_64 inproc &&
      forward_one io_64 echo || return 1
  done
  bench_ratio router_to_inprocess router_64 inprocess_64
  bench_series forward router_64 Mpps "$(forwarder forward)"
  bench_series forward inprocess_64 Mpps "$(forwarder inproc)"
  bench_series forward router_to_inprocess ratio "both, taking turns"
  bench_series forward io_64 Mpps "$(forwarder echo)"
  bench_record forward core_ping ns - \
    "coreping $BENCH_HOST_CORE $BENCH_ROUTER_CORE" "${BENCH_PINGS[@]}"
}
