# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# tables: the lookup tables alone, ours and DPDK's, over all real prefixes of
# both families (fibs.c): lookups of random destinations, building, changes,
# memory; DPDK's as it is meant to be used (rte: huge pages if there are any,
# changed in place), and as `lookup rte_fib` of a router has it (router). Then 10,000 changes of routes a second while packets are forwarded at
# full rate with 901,899 routes, on another core (inproc_update.c): no packet may
# be lost, and nothing else than the other work on its data may slow it down.

TABLES_UPDATES=10000 TABLES_DESTINATIONS=65536

describe_tables() {
  echo "lookup tables of both families alone; changes at full rate"
}

# fibs prints the values of all runs at once.
tables_figure() { # FAMILY WHO NAME UNIT
  local values
  mapfile -t values < <(jq ".$2.$3[]" "$BENCH_TMP/fibs$1") || return 1
  bench_record tables "$3$1@$2" "$4" - \
    "fibs $1, $TABLES_DESTINATIONS destinations" "${values[@]}"
}

tables_median() { # FAMILY WHO NAME
  local values
  mapfile -t values < <(jq ".$2.$3[]" "$BENCH_TMP/fibs$1")
  bench_median_of "${values[@]}"
}

tables_alone() { # FAMILY N_ROUTES
  local who name
  xz -dc "$EUROPA_SRCDIR/tests/bench/data/prefixes$1.xz" > "$BENCH_TMP/prefixes" ||
    return 1
  # shellcheck disable=SC2016
  EUROPA_ROUTER_DPDK=$EUROPA_BUILDDIR/europa-router-dpdk.so \
    bench_timed bash -c 'exec "$0" "${@:2}" < "$1"' \
    "$EUROPA_BUILDDIR/tests/bench/fibs" "$BENCH_TMP/prefixes" "$1" "$2" \
    "$TABLES_DESTINATIONS" "$BENCH_RUNS" $((BENCH_WINDOW_MS / 4)) \
    "$BENCH_ROUTER_CORE" "$BENCH_HUGE" > "$BENCH_TMP/fibs$1" || return 1
  for who in ours rte router; do
    tables_figure "$1" "$who" lookups M/s && tables_figure "$1" "$who" build_ms ms &&
      tables_figure "$1" "$who" changes k/s || return 1
    bench_record tables "memory$1@$who" MiB - "fibs $1, what lookups may touch" \
      "$(jq ".$who.mib" "$BENCH_TMP/fibs$1")"
  done
  for name in lookups changes; do
    for who in rte router; do
      bench_record tables "${name}_to_$who$1" ratio - "fibs $1, medians" \
        "$(jq -n "$(tables_median "$1" ours "$name") /
          $(tables_median "$1" "$who" "$name")")"
    done
  done
}

tables_changes() {
  local i lost=0 longest=0 value
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    bench_inproc still mpps=0 conf=router.conf &&
      bench_inproc changing mpps=0 conf=router.conf "updates=$TABLES_UPDATES" \
        "update_core=$BENCH_ROUTER_CORE" || return 1
    lost=$((lost + $(jq .lost "$BENCH_TMP/out")))
    value=$(jq .updates "$BENCH_TMP/out") && bench_value updates "$value" || return 1
    value=$(jq .update_max_us "$BENCH_TMP/out") &&
      bench_value longest "$value" || return 1
    longest=$(jq -n "[$longest, $value] | max")
  done
  bench_ratio changing_to_still changing still
  bench_series tables still Mpps "inproc mpps=0, 901,899 routes"
  bench_series tables changing Mpps \
    "inproc mpps=0 updates=$TABLES_UPDATES, 901,899 routes"
  bench_series tables changing_to_still ratio "both, taking turns"
  bench_series tables updates 1/s "inproc updates=$TABLES_UPDATES"
  bench_series tables longest us "inproc updates=$TABLES_UPDATES"
  value=$(bench_median updates)
  bench_judge T13 must "$value" ">=" $((TABLES_UPDATES * 99 / 100)) \
    "changes a second in a router of one process"
  bench_judge T13 must "$lost" "<=" 0 "packets lost beside them at full rate"
  bench_judge T13 must "$(jq -n "$longest / 1000")" "<" 10 \
    "ms until a change is seen, the longest"
}

run_tables() {
  bench_need_dpdk
  command -v xz > /dev/null || bench_die "xz is not installed"
  bench_frames
  tables_alone 4 901899 && tables_alone 6 160147 || return 1
  xz -dc "$EUROPA_SRCDIR/tests/bench/data/prefixes4.xz" |
    "$EUROPA_BUILDDIR/tests/bench/table" "$BENCH_TMP" 901899 \
      "$TABLES_DESTINATIONS" || return 1
  tables_changes
}
