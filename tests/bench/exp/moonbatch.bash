# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# moonbatch: what batches do (MoonRoute paper, section 6.6), 64-byte frames to
# random destinations all over the address space.
#
#   figure 11  rate_txT@R    Mpps of one process (inproc.c) that asks for R frames
#                            and sends T at once
#   figure 12  misses_*@R    a packet in a fast path (paths.c), simulated by
#                            valgrind: first level 32 KiB, last level 1 MiB
#   figure 13  age_txT@R     us from when a frame came to when it left, the mean, at
#                            90 % of the rate that is reached when each frame is
#                            stamped; p99_txT@R
#
# A batch of the router has at most 64 packets.

describe_moonbatch() {
  echo "MoonRoute's figures 11, 12 and 13: batches"
}

moonbatch_rate() { # RX TX
  local q load
  # shellcheck disable=SC2086
  bench_inproc "rate_tx$2@$1" $MOON_BATCH_SHORT mpps=0 "burst=$1" "tx=$2" ||
    return 1
  [ "$2" != 64 ] || return 0
  # a source with a rate that nobody reaches: it costs what the next one does
  # shellcheck disable=SC2086
  bench_inproc "stamped_tx$2@$1" $MOON_BATCH_SHORT mpps=1000 "burst=$1" "tx=$2" \
    age=yes || return 1
  load=$(jq -n "$MPPS * 0.9 * 1000 | round / 1000")
  # shellcheck disable=SC2086
  bench_inproc "loaded_tx$2@$1" $MOON_BATCH_SHORT "mpps=$load" "burst=$1" \
    "tx=$2" age=yes || return 1
  [ "$(jq .samples "$BENCH_TMP/out")" -ge 40000 ] ||
    bench_die "too few samples of age"
  for q in mean p99; do
    bench_value "${q/mean/age}_tx$2@$1" "$(jq ".${q}_us" "$BENCH_TMP/out")"
  done
}

moonbatch_rates() { # RX sizes
  local i rx tx
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for rx in "$@"; do
      for tx in $MOON_TX; do moonbatch_rate "$rx" "$tx" || return 1; done
    done
  done
  for tx in $MOON_TX; do
    for rx in "$@"; do
      bench_series moonbatch "rate_tx$tx@$rx" Mpps \
        "inproc mpps=0 burst=$rx tx=$tx"
      [ "$tx" != 64 ] || continue
      bench_series moonbatch "age_tx$tx@$rx" us \
        "inproc mpps=LOAD burst=$rx tx=$tx age=yes"
      bench_series moonbatch "p99_tx$tx@$rx" us \
        "inproc mpps=LOAD burst=$rx tx=$tx age=yes"
    done
  done
}

# moonbatch_events BURST PACKETS: misses of the first level, of the last level,
# and mispredicted branches, of the whole program.
moonbatch_events() {
  GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-ERMS,-FSRM \
    setarch -R valgrind -q --tool=cachegrind --cache-sim=yes --branch-sim=yes \
    --I1=32768,8,64 --D1=32768,8,64 --LL=1048576,16,64 \
    --cachegrind-out-file=events "$EUROPA_BUILDDIR/tests/bench/paths" \
    touched=65536 table=each loop=c "burst=$1" "packets=$2" \
    2>> "$BENCH_TMP/stderr" || return 1
  awk '$1 == "events:" {for (i = 2; i <= NF; i++) at[$i] = i}
    $1 == "summary:" {print $at["D1mr"] + $at["D1mw"] + $at["I1mr"],
      $at["DLmr"] + $at["DLmw"] + $at["ILmr"], $at["Bcm"] + $at["Bim"]}' events
}

# What more packets cost more: the set-up is in neither.
moonbatch_misses() { # RX sizes
  local rx few=64000 many=320000 a b i name=(first_level last_level branches)
  command -v valgrind > /dev/null || bench_die "valgrind is not installed"
  for rx in "$@"; do
    read -ra a <<< "$(moonbatch_events "$rx" "$few")"
    read -ra b <<< "$(moonbatch_events "$rx" "$many")"
    [ ${#a[@]} = 3 ] && [ ${#b[@]} = 3 ] || return 1
    for i in 0 1 2; do
      bench_record moonbatch "misses_${name[i]}@$rx" misses - \
        "paths packets=N burst=$rx under cachegrind, 65,536 routes" \
        "$(jq -n "(${b[i]} - ${a[i]}) / ($many - $few)")"
    done
  done
}

run_moonbatch() {
  local batches="1 2 4 8 16 32 64"
  MOON_BATCH_SHORT="warm_ms=200 window_ms=$((BENCH_WINDOW_MS / 2)) touched=14548992"
  MOON_TX="1 8 64 128"
  [ -z "$BENCH_QUICK" ] || batches="16 64" MOON_TX="8 128"
  bench_need_dpdk
  bench_frames
  # shellcheck disable=SC2086
  moonbatch_rates $batches && moonbatch_misses $batches
}
