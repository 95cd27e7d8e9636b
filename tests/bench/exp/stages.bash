# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# stages: where the nanoseconds of a packet go, in the host's worker and in the
# router's fast path, by the time stamp counter (lib/stage.h); beside it what
# valgrind counts in the same paths. The build that reads the clock is made here,
# beside the one that is measured elsewhere; its router runs the pipeline in C,
# where the clock is read between the modules.

describe_stages() {
  echo "time of a packet by stage (rdtsc), instructions, simulated misses"
}

# stages_build: DIR, which it makes, is a build with stage timing.
stages_build() {
  local dir=$EUROPA_BUILDDIR-stages
  mkdir -p "$dir" && cd "$dir" || return 1
  [ -e config.status ] ||
    "$EUROPA_SRCDIR/configure" --enable-stage-timing > configure.out 2>&1 || {
    tail -n 20 configure.out >&2
    return 1
  }
  make -s -j"$(nproc)" europa-dataplane europa-router tests/bench/rig \
    > make.out 2>&1 || {
    tail -n 20 make.out >&2
    return 1
  }
  STAGES_BUILD=$dir
  cd "$BENCH_TMP" || return 1
}

stages_one() {
  local line name thread
  bench_ping
  EUROPA_STAGES=$BENCH_TMP/stages.jsonl bench_timed \
    "$STAGES_BUILD/tests/bench/rig" "$BENCH_TMP" "$STAGES_BUILD" \
    router=forward conf=stages.conf host_core="$BENCH_HOST_CORE" \
    router_core="$BENCH_ROUTER_CORE" warm_ms="$BENCH_WARM_MS" \
    window_ms="$BENCH_WINDOW_MS" huge="$BENCH_HUGE" > out || return 1
  bench_ping
  cat stages.jsonl >> all.jsonl
  while IFS=$'\t' read -r thread name line; do
    [ -n "${SERIES_VALUES["$thread: $name"]:-}" ] ||
      STAGE_NAMES+=("$thread: $name")
    bench_value "$thread: $name" "$line"
  done < <(jq -rf "$EUROPA_SRCDIR/tests/bench/stages.jq" stages.jsonl |
    awk -F '\t' '/^[a-z]+:/ {thread = $1; sub(/:.*/, "", thread); next}
      $2 ~ /^[0-9.]+$/ {sub(/^ */, "", $1); print thread "\t" $1 "\t" $2}')
  rm stages.jsonl
  bench_value stages_rate "$(jq .mpps out)" "$(jq .cpu_ns out)"
}

stages_record() {
  local name
  bench_series stages stages_rate Mpps "rig router=forward, with stage timing"
  for name in "${STAGE_NAMES[@]}"; do
    bench_series stages "$name" ns "EUROPA_STAGES=FILE rig router=forward"
  done
}

stages_guard() {
  local path i d1 dl b
  "$EUROPA_SRCDIR/tests/guard/run" --json guard.jsonl > guard.out || {
    cat guard.out >&2
    return 1
  }
  while read -r path i d1 dl b; do
    bench_record stages "$path instructions" instr - "tests/guard/run" "$i"
    bench_record stages "$path simulated first-level misses" misses - \
      "tests/guard/run" "$d1"
    bench_record stages "$path simulated last-level misses" misses - \
      "tests/guard/run" "$dl"
    bench_record stages "$path simulated branch misses" misses - \
      "tests/guard/run" "$b"
  done < <(jq -r '[.path, .instructions, .d1_misses, .ll_misses,
    .branch_misses] | map(tostring) | join(" ")' guard.jsonl)
}

run_stages() {
  local i
  STAGE_NAMES=()
  stages_build || bench_die "no build with stage timing"
  "$EUROPA_BUILDDIR/tests/bench/frames" "$BENCH_TMP" || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do stages_one || return 1; done
  stages_record
  stages_guard
}
