# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# fig5a: rate at the sink against offered load, 64-byte frames, a table of two
# routes (Europa paper, figure 5a). The load comes from source.c: net_null with
# a rate and destinations of 198.19.0.0/16. `NAME@X` is the rate at X Mpps of
# offered load, X = max the rate when the source gives what it is asked for.
#
# The curves of the kernel and of a forwarder that makes a system call a packet
# are over real ports (veth) and stand in kernel.bash, which has
# kernel_forward_curve and afp_forward_curve: they record NAME@X themselves.

describe_fig5a() {
  echo "rate against offered load: router, in one process, kernel, user mode"
}

# Full load, in turns: the target's line.
fig5a_full() {
  local i
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    bench_rig europa@max mpps=0 && bench_inproc inprocess@max mpps=0 || return 1
  done
  bench_ratio europa_to_inprocess europa@max inprocess@max
  bench_series fig5a europa@max Mpps "rig mpps=0"
  bench_series fig5a inprocess@max Mpps "inproc mpps=0"
  bench_series fig5a europa_to_inprocess ratio "both, taking turns"
}

# The offered loads: tenths of what the faster one does, and beyond.
fig5a_loads() {
  local tenths="1 2 3 4 5 6 7 8 9 10 12"
  [ -z "$BENCH_QUICK" ] || tenths="2 4 6 8 10 12"
  # shellcheck disable=SC2086
  printf '%s\n' $tenths | jq --argjson max "$(bench_median inprocess@max)" \
    '. * $max * 10 | round / 100'
}

fig5a_curve() {
  local i load loads
  loads=$(fig5a_loads) || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for load in $loads; do
      bench_rig "europa@$load" "mpps=$load" &&
        bench_inproc "inprocess@$load" "mpps=$load" || return 1
    done
  done
  for load in $loads; do
    bench_series fig5a "europa@$load" Mpps "rig mpps=$load"
    bench_series fig5a "inprocess@$load" Mpps "inproc mpps=$load"
  done
}

fig5a_targets() {
  local ratio
  ratio=$(bench_median europa_to_inprocess)
  bench_judge T2 must "$ratio" ">=" 0.80 \
    "IPv4 forwarding, two routes, to the same modules in one process"
  bench_judge T2 stretch "$ratio" ">=" 0.95 "the same"
}

run_fig5a() {
  bench_need_dpdk
  bench_frames
  fig5a_full && fig5a_curve || return 1
  if [ -e "$EUROPA_SRCDIR/tests/bench/kernel.bash" ]; then
    # shellcheck disable=SC1091
    . "$EUROPA_SRCDIR/tests/bench/kernel.bash"
    kernel_forward_curve && afp_forward_curve || return 1
  fi
  fig5a_targets
}
