# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# copies: what the steps cost that a packet's way is made of (Europa paper,
# tables 1 and 2): a copy into a pool and out of it, `NAME@BYTES`, hot (64 slots
# take turns) and cold (1024 do, in an order that no prefetcher foresees); a
# system call; a wake-up, from before the call to the sleeper's first instruction.

describe_copies() {
  echo "copies of 64..1500 bytes, system calls, wake-ups (futex, eventfd)"
}

copies_one() {
  local name size ns
  bench_timed "$EUROPA_BUILDDIR/tests/bench/costs" copies "$BENCH_HOST_CORE" \
    > out || return 1
  while read -r name size ns; do
    bench_value "$name@$size" "$ns"
  done < out
  bench_timed "$EUROPA_BUILDDIR/tests/bench/costs" calls "$BENCH_HOST_CORE" \
    > out || return 1
  while IFS=$'\t' read -r name ns; do
    bench_value "call: $name" "$ns"
  done < out
}

wakes_one() {
  local name p50 p99
  bench_ping
  bench_timed "$EUROPA_BUILDDIR/tests/bench/costs" wakes "$BENCH_HOST_CORE" \
    "$BENCH_ROUTER_CORE" > out || return 1
  bench_ping
  while IFS=$'\t' read -r name p50 p99; do
    bench_value "wake p50: $name" "$(jq -n "$p50 / 1000")"
    bench_value "wake p99: $name" "$(jq -n "$p99 / 1000")"
  done < out
}

run_copies() {
  local i name
  [ -x "$EUROPA_BUILDDIR/tests/bench/costs" ] || bench_die "built without DPDK"
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    # shellcheck disable=SC2034 # copies and calls are of one core
    BENCH_CLASS=""
    copies_one && wakes_one || return 1
  done
  while IFS= read -r name; do
    case $name in
    wake*) bench_series copies "$name" us "costs wakes" ;;
    call*) bench_series copies "$name" ns "costs calls" ;;
    *) bench_series copies "$name" ns "costs copies" ;;
    esac
  done < <(printf '%s\n' "${!SERIES_VALUES[@]}" | sort -V)
  bench_judge T11 must "$(bench_median "wake p99: futex")" "<" 60 \
    "us, p99 from a futex wake-up on one core to the sleeper's first instruction on the other"
}
