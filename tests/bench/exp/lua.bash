# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# lua: what it costs that the forwarding loop is Lua (loops.c): ns a packet in
# the modules and the loop around them, by batch size.
#
#	lua@N	pipeline.lua
#	c@N	the same loop in C
#
# A run in which the compiler gave something up is a failure.

describe_lua() {
  echo "the forwarding loop in Lua and in C"
}

run_lua() {
  local i n batches="1 2 4 8 16 32 64"
  [ -z "$BENCH_QUICK" ] || batches="1 16 64"
  for n in $batches; do
    for ((i = 1; i <= BENCH_RUNS; i++)); do
      bench_timed taskset -c "$BENCH_ROUTER_CORE" \
        "$EUROPA_BUILDDIR/tests/bench/loops" "burst=$n" rounds=11 \
        > "$BENCH_TMP/out" || return 1
      [ "$(jq .aborts "$BENCH_TMP/out")" = 0 ] || return 1
      bench_value "lua@$n" "$(jq .lua_ns "$BENCH_TMP/out")"
      bench_value "c@$n" "$(jq .c_ns "$BENCH_TMP/out")"
    done
    bench_series lua "lua@$n" ns "loops burst=$n"
    bench_series lua "c@$n" ns "loops burst=$n"
    bench_ratio_series lua "ratio@$n" "c@$n" "lua@$n"
  done
  for n in 16 64; do
    bench_judge T10 must "$(bench_median "ratio@$n")" ">=" 0.95 \
      "pipeline.lua over the same loop in C, batches of $n, nothing given up"
    bench_judge T10 stretch "$(bench_median "ratio@$n")" ">=" 0.98 \
      "pipeline.lua over the same loop in C, batches of $n, nothing given up"
  done
}
