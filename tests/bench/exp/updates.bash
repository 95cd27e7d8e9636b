# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# updates: routes at run time, by the router's own socket (updates.c), of a router
# in a process of its own with 901,899 static routes that forwards at full rate:
# 10,000 changes a second in requests of 100 and of one; how long until an answer,
# which means that the fast paths know; packets that the router drops. Then all
# 901,899 as a whole table, beside 1 Mpps.

UPDATES_MPPS=0 UPDATES_PER_SECOND=10000 UPDATES_DESTINATIONS=65536

describe_updates() {
  echo "routes changed by the router's own socket at full rate"
}

# updates_run SERIES MS ARGUMENTS...: the client, on the router's core as programs
# in a container are, beside the rig, which starts when the client has read its
# table; its answer is in $BENCH_TMP/updates.
updates_run() {
  local series=$1 ms=$2 client said rc=0
  shift 2
  rm -f "$BENCH_TMP/router.sock" "$BENCH_TMP/routes.api" "$BENCH_TMP/said"
  mkfifo "$BENCH_TMP/said" && exec {said}<> "$BENCH_TMP/said" || return 1
  bench_start taskset -c "$BENCH_ROUTER_CORE" \
    "$EUROPA_BUILDDIR/tests/bench/updates" "$BENCH_TMP/router.sock" \
    "$BENCH_TMP/router.conf" "$@" >&"$said"
  client=$BENCH_PID
  read -r -t 60 -u "$said" &&
    bench_rig "$series" "mpps=$UPDATES_MPPS" "window_ms=$ms" conf=router.conf &&
    read -r -t 60 -u "$said" && echo "$REPLY" > "$BENCH_TMP/updates" || rc=1
  wait "$client" || rc=1
  bench_forget "$client"
  exec {said}<&-
  return "$rc"
}

updates_value() { # SERIES KEY
  bench_value "$1" "$(jq ".$2" "$BENCH_TMP/updates")"
}

run_updates() {
  local i n dropped=0
  bench_need_dpdk
  command -v xz > /dev/null || bench_die "xz is not installed"
  bench_frames
  xz -dc "$EUROPA_SRCDIR/tests/bench/data/prefixes4.xz" |
    "$EUROPA_BUILDDIR/tests/bench/table" "$BENCH_TMP" 901899 \
      "$UPDATES_DESTINATIONS" || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    bench_rig still mpps=0 conf=router.conf || return 1
    for n in 100 1; do
      # over before the router is
      updates_run "changing@$n" $((BENCH_WINDOW_MS + 1000)) \
        "$((n == 1 ? 1000 : UPDATES_PER_SECOND))" "$n" "$BENCH_WINDOW_MS" || return 1
      updates_value "updates@$n" updates
      updates_value "answer_p50@$n" answer_p50_us
      updates_value "answer_p99@$n" answer_p99_us
      updates_value "answer_max@$n" answer_max_us
      dropped=$((dropped + $(jq .dropped "$BENCH_TMP/updates")))
    done
    UPDATES_MPPS=1 updates_run loading $((BENCH_WINDOW_MS + 6000)) load || return 1
    updates_value load_ms load_ms
  done
  bench_series updates still Mpps "rig mpps=0, 901,899 routes"
  for n in 100 1; do
    bench_series updates "changing@$n" Mpps "rig mpps=0, requests of $n changes"
    bench_series updates "updates@$n" 1/s "requests of $n changes"
    bench_series updates "answer_p50@$n" us "requests of $n changes"
    bench_series updates "answer_p99@$n" us "requests of $n changes"
    bench_series updates "answer_max@$n" us "requests of $n changes"
  done
  bench_series updates load_ms ms "replace routes, 901,899"
  bench_judge T13 must "$(bench_median updates@100)" ">=" \
    $((UPDATES_PER_SECOND * 99 / 100)) "changes a second by the router's own socket"
  bench_judge T13 must "$dropped" "<=" 0 "packets that it drops beside them"
  bench_judge T13 must "$(jq -n "$(bench_median answer_max@1) / 1000")" "<" 10 \
    "ms until a single change is answered, the longest of a run"
  bench_judge T13 stretch "$(jq -n "$(bench_median load_ms) / 1000")" "<" 1 \
    "s for a whole table by the socket, beside 1 Mpps"
}
