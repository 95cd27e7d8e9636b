# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# fig5b: full load with large tables (Europa paper, figure 5b): 2 routes, 170,000
# and 901,899 real prefixes (data/README), 16 next hops, 65,536 destinations at
# random over the table (source.c), 64-byte frames. Beside Europa: its modules
# in one process, with its own lookup and with DPDK's rte_fib. And how long the
# router needs to read such a table and make it ready.

FIG5B_SIZES="170000 901899" FIG5B_DESTINATIONS=65536

describe_fig5b() {
  echo "full load with 170,000 and 901,899 routes, and their loading"
}

fig5b_make() { # SIZE: a folder with router.conf and dst.bin
  mkdir -p "$BENCH_TMP/$1" || return 1
  xz -dc "$EUROPA_SRCDIR/tests/bench/data/prefixes4.xz" |
    "$EUROPA_BUILDDIR/tests/bench/table" "$BENCH_TMP/$1" "$1" \
      "$FIG5B_DESTINATIONS"
}

# Puts the table of SIZE where the forwarders look; 2: the small one.
fig5b_use() { # SIZE: sets CONF
  CONF=()
  if [ "$1" = 2 ]; then
    bench_frames
  else
    cp "$BENCH_TMP/$1/dst.bin" "$BENCH_TMP/dst.bin" || return 1
    CONF=("conf=$1/router.conf")
  fi
}

fig5b_rates() {
  local i size
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for size in 2 $FIG5B_SIZES; do
      fig5b_use "$size" &&
        bench_rig "europa@$size" mpps=0 ${CONF[@]+"${CONF[@]}"} &&
        bench_inproc "inprocess@$size" mpps=0 ${CONF[@]+"${CONF[@]}"} || return 1
      [ "$size" != 2 ] || continue
      bench_inproc "rte_fib@$size" mpps=0 lookup=rte_fib "${CONF[@]}" || return 1
    done
  done
  for size in 2 $FIG5B_SIZES; do
    bench_series fig5b "europa@$size" Mpps "rig mpps=0, $size routes"
    bench_series fig5b "inprocess@$size" Mpps "inproc mpps=0, $size routes"
    [ "$size" != 2 ] || continue
    bench_series fig5b "rte_fib@$size" Mpps \
      "inproc mpps=0 lookup=rte_fib, $size routes"
    bench_ratio "europa_to_small@$size" "europa@$size" europa@2
    bench_ratio "fib4_to_rte_fib@$size" "inprocess@$size" "rte_fib@$size"
    bench_series fig5b "europa_to_small@$size" ratio "both, taking turns"
    bench_series fig5b "fib4_to_rte_fib@$size" ratio "both, taking turns"
  done
}

# From the start of the program to a table that is ready, the text read.
fig5b_load() {
  local i size start ms
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for size in $FIG5B_SIZES; do
      start=$(date +%s%N)
      bench_timed "$EUROPA_BUILDDIR/europa-router" \
        --check "$BENCH_TMP/$size/router.conf" > "$BENCH_TMP/out" || return 1
      ms=$((($(date +%s%N) - start) / 1000000))
      # shellcheck disable=SC2034 # one core: neither near nor far
      BENCH_CLASS=""
      bench_value "load@$size" "$ms"
    done
  done
  for size in $FIG5B_SIZES; do
    bench_series fig5b "load@$size" ms "europa-router --check, $size routes"
  done
}

fig5b_targets() {
  local size ratio s
  for size in $FIG5B_SIZES; do
    ratio=$(bench_median "europa_to_small@$size")
    bench_judge T3 must "$ratio" ">=" 0.80 "$size routes, to 2 routes"
    bench_judge T3 stretch "$ratio" ">=" 0.90 "$size routes, to 2 routes"
    bench_judge T3 must "$(bench_median "fib4_to_rte_fib@$size")" ">=" 1.0 \
      "$size routes, to rte_fib behind the same modules"
  done
  s=$(jq -n "$(bench_median load@901899) / 1000")
  bench_judge T13 must "$s" "<" 1 "s to load 901,899 routes"
  bench_judge T13 stretch "$s" "<" 0.4 "s to load 901,899 routes"
}

run_fig5b() {
  local size
  bench_need_dpdk
  command -v xz > /dev/null || bench_die "xz is not installed"
  bench_frames
  for size in $FIG5B_SIZES; do fig5b_make "$size" || return 1; done
  fig5b_rates && fig5b_load && fig5b_targets
}
