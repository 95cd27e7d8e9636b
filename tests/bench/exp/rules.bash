# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# rules: what the rules of a router's filter cost a packet (rules.c), asked one
# after the other and found by DPDK's classifier, by how many there are.
#
#	linear@N, acl@N          each packet matches one of them, at random
#	linear_none@N, acl_none@N    none matches

describe_rules() {
  echo "rules of the filter, one after the other and by DPDK's classifier"
}

run_rules() {
  local i n way numbers="1 4 8 16 32 64 128"
  bench_need_dpdk
  [ -z "$BENCH_QUICK" ] || numbers="8 128"
  for n in $numbers; do
    for ((i = 1; i <= BENCH_RUNS; i++)); do
      EUROPA_ROUTER_DPDK=$EUROPA_BUILDDIR/europa-router-dpdk.so \
        bench_timed taskset -c "$BENCH_ROUTER_CORE" \
        "$EUROPA_BUILDDIR/tests/bench/rules" "n=$n" > "$BENCH_TMP/out" || return 1
      for way in linear acl linear_none acl_none; do
        bench_value "$way@$n" "$(jq ".${way}_ns" "$BENCH_TMP/out")"
      done
    done
    for way in linear acl linear_none acl_none; do
      bench_series rules "$way@$n" ns "rules n=$n"
    done
    bench_ratio "acl_to_linear@$n" "linear@$n" "acl@$n"
    bench_series rules "acl_to_linear@$n" ratio "one after the other over acl"
  done
}
