# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # what ends at exit is named in an eval
#
# tcp: iperf3 through 1 to 10 routers side by side, a stream each, on the same
# pair of veth ports: all of them and each. Beside it Linux ip_forward, a
# process on packet sockets per router, and testpmd (io), which has no routers
# and lets the streams pass. [Europa paper, figure 7]
#
# Stream i goes from 198.18.(2i).2 to 198.18.(2i+1).2, whose gateways are the
# two sides of router i; offloads are off everywhere. Hosts know the MACs.

# shellcheck source=tests/bench/veth.bash
. "$EUROPA_SRCDIR/tests/bench/veth.bash"
# shellcheck source=tests/bench/kernel.bash
. "$EUROPA_SRCDIR/tests/bench/kernel.bash"
# shellcheck source=tests/bench/europa.bash
. "$EUROPA_SRCDIR/tests/bench/europa.bash"

TCP_N="1 2 3 4 5 6 7 8 9 10" TCP_MAX=10
TCP_PORT=5201
declare -A TCP_PREFIX=([europa]=ebu$$- [ip_forward]=ebk$$- [packet_socket]=eba$$- [testpmd]=ebt$$-)
TCP_WHO="europa testpmd ip_forward packet_socket"

describe_tcp() {
  echo "iperf3 TCP through 1 to 10 routers, beside testpmd, ip_forward, packet sockets (root)"
}

tcp_mac() { # SIDE I
  printf '02:00:00:01:%02x:%02x' "$1" "$2"
}

# Addresses of all streams in the two hosts, and MAC0, MAC1 as their gateways:
# %i stands for the number of the router.
tcp_hosts() { # MAC_OF_SENDER'S_GATEWAY MAC_OF_RECEIVER'S
  local i hex a b
  for ((i = 0; i < TCP_MAX; i++)); do
    hex=$(printf '%02x' $i) a=$((2 * i)) b=$((2 * i + 1))
    ip -n "$NODE_SENDER" addr replace 198.18.$a.2/24 dev eth0 &&
      ip -n "$NODE_RECEIVER" addr replace 198.18.$b.2/24 dev eth0 &&
      ip -n "$NODE_SENDER" neigh replace 198.18.$a.1 lladdr "${1/\%i/$hex}" dev eth0 nud permanent &&
      ip -n "$NODE_RECEIVER" neigh replace 198.18.$b.1 lladdr "${2/\%i/$hex}" dev eth0 nud permanent &&
      ip -n "$NODE_SENDER" route replace 198.18.$b.0/24 via 198.18.$a.1 &&
      ip -n "$NODE_RECEIVER" route replace 198.18.$a.0/24 via 198.18.$b.1 || return 1
  done
}

tcp_routers() {
  local i
  for ((i = 0; i < TCP_MAX; i++)); do
    europa_router '{"name":"t'$i'","spec":{"vnics":[
      {"name":"eth0","mac":"'"$(tcp_mac 0 $i)"'","attach":{"port":"p0"},"addresses":["198.18.'$((2 * i))'.1/24"]},
      {"name":"eth1","mac":"'"$(tcp_mac 1 $i)"'","attach":{"port":"p1"},"addresses":["198.18.'$((2 * i + 1))'.1/24"]}]}}' ||
      return 1
  done
}

tcp_up_europa() {
  europa_up "${TCP_PREFIX[europa]}" net_af_packet0,iface=p0,framecnt=8192 \
    net_af_packet1,iface=p1,framecnt=8192 &&
    veth_mac "$NODE_SENDER" eth0 "$VETH_HOST" && veth_mac "$NODE_RECEIVER" eth0 "$VETH_HOP" &&
    tcp_routers && tcp_hosts 02:00:00:01:00:%i 02:00:00:01:01:%i
}

tcp_up_testpmd() { # a wire: the hosts are each other's gateways
  veth_up "${TCP_PREFIX[testpmd]}" && tcp_hosts "$VETH_HOP" "$VETH_HOST"
}

tcp_up_packet_socket() {
  veth_up "${TCP_PREFIX[packet_socket]}" && tcp_hosts 02:00:00:01:00:%i 02:00:00:01:01:%i
}

tcp_up_ip_forward() {
  local i ns
  veth_up "${TCP_PREFIX[ip_forward]}" && tcp_hosts "$VETH_GATE0" "$VETH_GATE1" || return 1
  ns=$NODE_PLANE_NS
  ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 || return 1
  for ((i = 0; i < TCP_MAX; i++)); do
    ip -n "$ns" addr add 198.18.$((2 * i)).1/24 dev p0 &&
      ip -n "$ns" addr add 198.18.$((2 * i + 1)).1/24 dev p1 || return 1
  done
}

tcp_up() {
  local who
  for who in testpmd ip_forward packet_socket; do
    bench_on_exit veth_down "${TCP_PREFIX[$who]}"
    "tcp_up_$who" || return 1
  done
  tcp_up_europa
}

# The forwarder's processes for one run; Europa's and the kernel's are there.
tcp_start() { # WHO N
  local i prefix=${TCP_PREFIX[$1]}
  TCP_PIDS=()
  veth_names "$prefix"
  case $1 in
  testpmd) TESTPMD_PREFIX=$prefix testpmd_start af_packet ;;
  packet_socket)
    for ((i = 0; i < $2; i++)); do
      ip netns exec "$NODE_PLANE_NS" taskset -c "$BENCH_HOST_CORE" \
        "$EUROPA_BUILDDIR/tests/bench/afpfwd" \
        p0 "$(tcp_mac 0 $i)" 198.18.$((2 * i)).0/24 "$VETH_HOST" \
        p1 "$(tcp_mac 1 $i)" 198.18.$((2 * i + 1)).0/24 "$VETH_HOP" > /dev/null &
      TCP_PIDS+=($!)
    done
    ;;
  esac
}

tcp_stop() { # WHO
  [ "$1" != testpmd ] || TESTPMD_PREFIX=${TCP_PREFIX[$1]} testpmd_stop af_packet
  tcp_end "${TCP_PIDS[@]+"${TCP_PIDS[@]}"}"
}

tcp_end() { # PID...
  [ $# = 0 ] || {
    kill "$@" 2> /dev/null
    wait "$@" 2> /dev/null
  }
  return 0
}

# tcp_one WHO N: N streams at once. Sets GBPS, all together, and JAIN.
tcp_one() {
  local i servers=() clients=() seconds warm=1
  seconds=$(((BENCH_WINDOW_MS + 999) / 1000))
  tcp_start "$1" "$2" || return 1
  veth_names "${TCP_PREFIX[$1]}"
  for ((i = 0; i < $2; i++)); do
    ip netns exec "$NODE_RECEIVER" iperf3 -s -1 -p $((TCP_PORT + i)) \
      -B 198.18.$((2 * i + 1)).2 > /dev/null 2>&1 &
    servers+=($!)
  done
  TCP_SERVERS=("${servers[@]}")
  sleep 0.5
  for ((i = 0; i < $2; i++)); do
    ip netns exec "$NODE_SENDER" timeout $((seconds + warm + 10)) iperf3 -J -O $warm -t "$seconds" \
      -p $((TCP_PORT + i)) -c 198.18.$((2 * i + 1)).2 -B 198.18.$((2 * i)).2 > "tcp$i.json" 2>&1 &
    clients+=($!)
  done
  wait "${clients[@]}"
  tcp_stop "$1"
  tcp_end "${servers[@]}"
  TCP_SERVERS=()
  for ((i = 0; i < $2; i++)); do
    jq -e .end.sum_received.bits_per_second "tcp$i.json" || {
      tail -n 3 "tcp$i.json" >&2
      return 1
    }
  done > rates || return 1
  read -r GBPS JAIN < <(awk '{n += $1; s += $1 * $1} END {print n / 1e9, n * n / (NR * s)}' rates)
}

tcp_point() { # WHO N
  bench_ping
  tcp_one "$1" "$2" || return 1
  bench_ping
  bench_value "$1@$2" "$GBPS"
  [ "$1" != europa ] || {
    bench_value "europa_each@$2" "$(jq -n "$GBPS / $2")"
    bench_value "europa_jain@$2" "$JAIN"
  }
}

tcp_targets() {
  local last=${TCP_N##* } who
  for who in testpmd ip_forward packet_socket; do
    bench_ratio_series tcp "to_$who" europa@1 $who@1
  done
  bench_ratio_series tcp "ten_to_one" "europa@$last" europa@1
  bench_judge T8 must "$(bench_median to_testpmd)" '>=' 0.9 \
    "TCP through one router to testpmd io on the same ports"
  bench_judge T8 stretch "$(bench_median to_ip_forward)" '>=' 1 \
    "TCP through one router to ip_forward, offloads off"
  bench_judge T8 stretch "$(bench_median to_packet_socket)" '>=' 1.22 \
    "TCP through one router to a forwarder on packet sockets; 1.22 in the Europa paper"
  bench_judge T8 stretch "$(bench_median ten_to_one)" '>=' 0.87 \
    "TCP through $last routers to one; 0.87 in the Europa paper"
}

run_tcp() {
  local i n who
  [ "$(id -u)" = 0 ] || bench_die "tcp: needs root"
  command -v iperf3 > /dev/null || bench_die "iperf3 is not installed"
  [ -z "$BENCH_QUICK" ] || TCP_N="1 10"
  TCP_PIDS=() TCP_SERVERS=()
  # shellcheck disable=SC2016 # when it ends, not now
  bench_on_exit eval 'tcp_end "${TCP_PIDS[@]}" "${TCP_SERVERS[@]}"'
  tcp_up || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for n in $TCP_N; do
      for who in $TCP_WHO; do tcp_point "$who" "$n" || return 1; done
    done
  done
  for who in $TCP_WHO europa_each; do
    for n in $TCP_N; do
      bench_series tcp "$who@$n" Gbit/s "iperf3, $n streams, veth, offloads off"
    done
  done
  for n in $TCP_N; do bench_series tcp "europa_jain@$n" index "the same"; done
  tcp_targets
}
