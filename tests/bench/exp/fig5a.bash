# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# fig5a: rate at the sink against offered load, 64-byte frames, a table of two
# routes (Europa paper, figure 5a). The load comes from source.c: net_null with
# a rate and destinations of 198.19.0.0/16. `NAME@X` is the rate at X Mpps of
# offered load, X = max the rate when the source gives what it is asked for.
#
# The kernel and a forwarder that makes a system call for each packet have no such
# source: their curves are over veth ports, see ../kernel.bash.

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
  [ -z "$BENCH_QUICK" ] || tenths="2 4 6 12"
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

fig5a_name() { # MPPS
  if [ "$1" = 0 ]; then echo max; else echo "$1"; fi
}

# A line "OFFERED RATE CPU_NS" for each load comes from the forwarders on veth.
fig5a_veth() {
  local i peer load rate cpu loads="0.1 0.2 0.3 0.4 0.5 0.6 0.8 1 0"
  [ -z "$BENCH_QUICK" ] || loads="0.2 0.4 0.8 0"
  # shellcheck source=tests/bench/veth.bash
  . "$EUROPA_SRCDIR/tests/bench/veth.bash"
  # shellcheck source=tests/bench/kernel.bash
  . "$EUROPA_SRCDIR/tests/bench/kernel.bash"
  # shellcheck disable=SC2034 # three processes on two cores: no class
  BENCH_CLASS=""
  bench_on_exit kernel_down
  bench_on_exit afp_down
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for peer in kernel afp; do
      # shellcheck disable=SC2086
      "${peer}_forward_curve" $loads > "$BENCH_TMP/curve" || return 1
      for load in $loads; do
        read -r _ rate cpu || bench_die "$peer: a load is missing"
        bench_value "$peer@$(fig5a_name "$load")" "$rate" "$cpu"
      done < "$BENCH_TMP/curve"
    done
  done
  for load in $loads; do
    bench_series fig5a "kernel@$(fig5a_name "$load")" Mpps "ip_forward, veth"
    bench_series fig5a "afp@$(fig5a_name "$load")" Mpps "afpfwd, veth"
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
  fig5a_full && fig5a_curve && fig5a_veth && fig5a_targets
}
