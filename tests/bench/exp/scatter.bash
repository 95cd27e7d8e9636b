# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# scatter: what it costs to take packets out of a batch (scatters.c), by the
# three ways of the MoonRoute paper, section 4.3: ns a packet in the modules, by
# how many of 100 packets are complex.
#
#	arrays@P    arrays that close ranks, as Click has them
#	masks@P     bit masks, as libraries of DPDK have them
#	dropout@P   drop-out batching, as this router has it

SCATTER_WAYS="arrays masks dropout"

describe_scatter() {
  echo "three ways to take packets out of a batch, by how many are complex"
}

run_scatter() {
  local i p way shares="0 1 2 5 10 20 50"
  [ -z "$BENCH_QUICK" ] || shares="0 2 50"
  for p in $shares; do
    for ((i = 1; i <= BENCH_RUNS; i++)); do
      bench_timed taskset -c "$BENCH_ROUTER_CORE" \
        "$EUROPA_BUILDDIR/tests/bench/scatters" "complex=$p" rounds=11 \
        > "$BENCH_TMP/out" || return 1
      bench_value "arrays@$p" "$(jq .arrays_ns "$BENCH_TMP/out")"
      bench_value "masks@$p" "$(jq .masks_ns "$BENCH_TMP/out")"
      bench_value "dropout@$p" "$(jq .drop_out_ns "$BENCH_TMP/out")"
    done
    for way in $SCATTER_WAYS; do
      bench_series scatter "$way@$p" ns "scatters complex=$p"
    done
    for way in arrays masks; do
      bench_ratio "dropout_to_$way@$p" "$way@$p" "dropout@$p"
      bench_series scatter "dropout_to_$way@$p" ratio "$way over drop-out"
    done
  done
}
