# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ports: frames of 64 bytes through veth ports: one router of Europa on
# net_af_packet and on net_af_xdp, testpmd (io) on the same kinds of port,
# Linux ip_forward, and a forwarder that makes system calls for each packet.
#
# A forwarder's figure is the best median over the offered loads; above that, on
# two cores, the source takes from the forwarder. The router has a pool of 4096
# slots, since it shares its core with the source, which sends for half a
# millisecond at a time. ip_forward is measured twice: on the host's
# core, as the others, and on the core where packets arrive, as the source's
# own system call: there nothing is handed over, and nothing can be overrun.

# shellcheck source=tests/bench/veth.bash
. "$EUROPA_SRCDIR/tests/bench/veth.bash"
# shellcheck source=tests/bench/kernel.bash
. "$EUROPA_SRCDIR/tests/bench/kernel.bash"
# shellcheck source=tests/bench/europa.bash
. "$EUROPA_SRCDIR/tests/bench/europa.bash"

PORTS_LOADS="0.2 0.3 0.4 0.5 0.6 0.8 1"
PORTS_WHO="europa_af_packet testpmd_af_packet europa_af_xdp testpmd_af_xdp
  ip_forward ip_forward_same_core packet_socket"
EUROPA_PREFIX=ebe$$

describe_ports() {
  echo "64-byte frames through veth ports, beside testpmd, ip_forward, packet sockets (root)"
}

ports_europa_up() { # DRIVER MORE_DEVARGS
  local prefix=$EUROPA_PREFIX${1#af_}-
  europa_up "$prefix" "net_${1}0,iface=p0$2" "net_${1}1,iface=p1$2" &&
    veth_mac "$NODE_SENDER" eth0 "$VETH_HOST" && veth_mac "$NODE_RECEIVER" eth0 "$VETH_HOP" &&
    europa_bench_router ',"quota":{"pool_slots":4096}' && veth_sink
}

ports_europa_load() { # DRIVER MPPS
  local keys=()
  [ "$1" != af_xdp ] || read -ra keys <<< "$(veth_by_wire "$EUROPA_PREFIX${1#af_}-")"
  veth_load "$EUROPA_PREFIX${1#af_}-" "$2" ${keys[@]+"${keys[@]}"}
}

ports_up() {
  bench_on_exit kernel_down
  kernel_up || return 1
  bench_on_exit afp_down
  afp_up || return 1
  for driver in af_packet af_xdp; do
    bench_on_exit testpmd_down $driver
    testpmd_up $driver || return 1
  done
  ports_europa_up af_packet ,framecnt=8192 && ports_europa_up af_xdp ""
}

ports_one() { # WHO MPPS
  bench_ping
  case $1 in
  europa_*) ports_europa_load "${1#europa_}" "$2" ;;
  testpmd_*) testpmd_load "${1#testpmd_}" "$2" ;;
  packet_socket) afp_load "$2" ;;
  ip_forward) kernel_steer && kernel_load "$2" ;;
  ip_forward_same_core) KERNEL_CPUS=0 kernel_steer && kernel_load "$2" ;;
  esac || return 1
  bench_ping
  bench_value "$1@$2" "$MPPS" "$CPU_NS"
}

# ports_best WHO...: sets BEST to the series with the best median.
ports_best() {
  local who load best=0 value
  BEST=""
  for who in "$@"; do
    for load in $PORTS_LOADS; do
      [ -n "${SERIES_VALUES[$who@$load]-}" ] || continue
      value=$(bench_median "$who@$load")
      [ "$(jq -n "$value > $best")" = true ] || continue
      best=$value BEST=$who@$load
    done
  done
  [ -n "$BEST" ] || bench_die "ports: no rate of $*"
}

ports_targets() {
  local driver europa who
  for driver in af_packet af_xdp; do
    ports_best europa_$driver
    europa=$BEST
    for who in testpmd_$driver packet_socket "ip_forward ip_forward_same_core"; do
      # shellcheck disable=SC2086
      ports_best $who
      bench_ratio_series ports "${driver}_to_${who%% *}" "$europa" "$BEST"
    done
    bench_judge T7 must "$(bench_median ${driver}_to_testpmd_$driver)" '>=' 0.95 \
      "$driver: one router to testpmd io on the same port kind, best rates"
    bench_judge T7 must "$(bench_median ${driver}_to_packet_socket)" '>=' 2 \
      "$driver: one router to the per-packet forwarder, best rates"
    bench_judge T7 stretch "$(bench_median ${driver}_to_packet_socket)" '>=' 4 \
      "$driver: one router to the per-packet forwarder, best rates"
    bench_judge T7 stretch "$(bench_median ${driver}_to_ip_forward)" '>=' 1 \
      "$driver: one router to ip_forward, the better of its two, best rates"
  done
}

run_ports() {
  local i who load
  [ "$(id -u)" = 0 ] || bench_die "ports: needs root"
  [ -z "$BENCH_QUICK" ] || PORTS_LOADS="0.3 0.6"
  BENCH_WARM_MS=$((BENCH_WARM_MS < 300 ? BENCH_WARM_MS : 300))
  BENCH_WINDOW_MS=$((BENCH_WINDOW_MS / 2))
  ports_up || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for load in $PORTS_LOADS; do
      for who in $PORTS_WHO; do ports_one "$who" "$load" || return 1; done
    done
  done
  for who in $PORTS_WHO; do
    for load in $PORTS_LOADS; do
      bench_series ports "$who@$load" Mpps "vload pps=${load}e6; 60 bytes, veth, offloads off"
    done
  done
  ports_targets
}
