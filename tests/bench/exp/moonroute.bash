# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# moonroute: the figures and tables of the MoonRoute paper about rate, with 64-byte
# frames, full load and random destinations; batches and latency are in
# moonbatch.bash. `NAME@N`: destinations in N networks of 24 bits (touched.h).
#
#   figure 7   ns@N, cycles@N       a packet in the shipped pipeline alone (paths.c)
#   figure 8   one_path, two_paths  fast paths, each on its core, with shared tables
#   figure 9   fib4@N, rte_fib@N    one process (inproc.c): one default route, and
#              fib4_each@N, rte_fib_each@N   a route to each of the networks
#              real: the table of the Internet, a random host of a random route
#   table 1    share_*              of a fast path's time, by rdtsc (lib/stage.h)
#
# There is no frequency to be set in a virtual machine, and no line to be filled:
# figure 7 is the time of a packet.

MOON_ALL=14548992 # 2^24 without what may not be forwarded, TOUCHED_MAX

describe_moonroute() {
  echo "MoonRoute's figures 7, 8 and 9 and its table 1"
}

# moon_paths SERIES KEY=VALUE...: leaves its JSON in out.
moon_paths() {
  local series=$1
  shift
  bench_ping
  bench_timed "$EUROPA_BUILDDIR/tests/bench/paths" "$@" \
    "ms=$((BENCH_WINDOW_MS / 2))" > "$BENCH_TMP/out" ||
    return 1
  bench_ping
  bench_value "$series" "$(jq .mpps "$BENCH_TMP/out")" \
    "$(jq .cpu_ns "$BENCH_TMP/out")"
}

moon_time() {
  local i n
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for n in 2 "$MOON_ALL"; do
      moon_paths "mpps@$n" "cores=$BENCH_HOST_CORE" "touched=$n" || return 1
      bench_value "ns@$n" "$(jq .cpu_ns "$BENCH_TMP/out")"
      bench_value "cycles@$n" "$(jq .cycles "$BENCH_TMP/out")"
    done
  done
  for n in 2 "$MOON_ALL"; do
    bench_series moonroute "ns@$n" ns "paths touched=$n"
    bench_series moonroute "cycles@$n" cycles "paths touched=$n"
  done
}

moon_two() {
  local i
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    moon_paths one_path "cores=$BENCH_HOST_CORE" touched=1048576 table=each &&
      moon_paths two_paths "cores=$BENCH_HOST_CORE,$BENCH_ROUTER_CORE" \
        touched=1048576 table=each || return 1
  done
  bench_ratio two_to_one two_paths one_path
  bench_series moonroute one_path Mpps "paths cores=A, 2^20 routes"
  bench_series moonroute two_paths Mpps "paths cores=A,B, 2^20 routes"
  bench_series moonroute two_to_one ratio "both, taking turns"
}

moon_inproc() { # SERIES KEY=VALUE...
  # shellcheck disable=SC2086
  bench_inproc "$1" $MOON_SHORT mpps=0 "${@:2}" || return 1
  [ -n "${MOON_SEEN[$1]:-}" ] || MOON_SERIES+=("$1")
  MOON_SEEN[$1]=1
}

moon_table_of() { # TOUCHED
  moon_inproc "fib4@$1" "touched=$1" &&
    moon_inproc "rte_fib@$1" "touched=$1" lookup=rte_fib || return 1
  [ "$1" -le 1048576 ] || return 0
  moon_inproc "fib4_each@$1" "touched=$1" table=each &&
    moon_inproc "rte_fib_each@$1" "touched=$1" table=each lookup=rte_fib
}

moon_tables() {
  local i n name touched="2 1024 16384 65536 262144 1048576 4194304 $MOON_ALL"
  declare -A MOON_SEEN=()
  MOON_SERIES=()
  [ -z "$BENCH_QUICK" ] || touched="2 65536 1048576 $MOON_ALL"
  mkdir -p real && xz -dc "$EUROPA_SRCDIR/tests/bench/data/prefixes4.xz" |
    "$EUROPA_BUILDDIR/tests/bench/table" "$BENCH_TMP/real" 901899 65536 ||
    return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for n in $touched; do moon_table_of "$n" || return 1; done
    cp real/dst.bin . &&
      moon_inproc fib4_real conf=real/router.conf &&
      moon_inproc rte_fib_real conf=real/router.conf lookup=rte_fib || return 1
  done
  for name in "${MOON_SERIES[@]}"; do
    bench_series moonroute "$name" Mpps "inproc mpps=0, ${name/@/, touched=}"
  done
}

# moon_share NAME STAGE...: of the time of all stages of the router's thread.
moon_share() {
  local name=$1
  shift
  bench_value "$name" "$(jq -s '
    [.[] | select(.thread == "fast")][-1] as $t
    | [$t.stages[] | select(.name != "idle")
       | {name, ticks: (.ticks - .marks * $t.mark_ticks)}] as $s
    | ($s | map(.ticks) | add) as $all
    | ($s | map(select(.name | IN($ARGS.positional[])) | .ticks) | add) * 100
      / $all' stages.jsonl --args "$@")"
}

moon_modules() {
  local i name
  # shellcheck source=tests/bench/exp/stages.bash
  . "$EUROPA_SRCDIR/tests/bench/exp/stages.bash"
  stages_build || return 1
  bench_frames
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    STAGE_NAMES=()
    rm -f all.jsonl
    stages_one || return 1
    mv all.jsonl stages.jsonl
    moon_share share_distribute_and_send "vnic tx" "give back" flush
    moon_share share_routing lookup4
    moon_share share_receive "vnic rx"
    moon_share share_apply_route rewrite
    moon_share share_other ether_in check_ip4 ttl4 turn
  done
  for name in distribute_and_send routing receive apply_route other; do
    bench_series moonroute "share_$name" % "EUROPA_STAGES=FILE rig"
  done
}

run_moonroute() {
  MOON_SHORT="warm_ms=200 window_ms=$((BENCH_WINDOW_MS / 2))"
  bench_need_dpdk
  bench_frames
  moon_time && moon_two && moon_tables && moon_modules
}
