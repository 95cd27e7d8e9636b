# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# pool: two routers side by side whose pools have 2 to 1024 slots, on the same
# pair of veth ports: UDP at a steady rate, the same rate in bursts, and TCP.
# [Europa paper, figure 8]
#
# Steady: a few frames each 100 us. Bursty: all frames of 10 ms at once. The
# offered load is half of what the ports carry here, so what is lost is lost
# for want of a slot.

# shellcheck source=tests/bench/veth.bash
. "$EUROPA_SRCDIR/tests/bench/veth.bash"
# shellcheck source=tests/bench/europa.bash
. "$EUROPA_SRCDIR/tests/bench/europa.bash"

POOL_SLOTS="2 4 8 16 32 64 128 256 512 1024"
POOL_MPPS=0.1
POOL_PREFIX=ebp$$-

describe_pool() {
  echo "two routers with pools of 2 to 1024 slots: UDP steady and bursty, TCP (root)"
}

pool_router() { # I SLOTS
  local a=$((2 * $1)) b=$((2 * $1 + 1))
  europa_router '{"name":"t'"$1"'","spec":{"quota":{"pool_slots":'"$2"'},"vnics":[
    {"name":"eth0","mac":"02:00:00:01:00:0'"$1"'","attach":{"port":"p0"},"addresses":["198.18.'$a'.1/24"]},
    {"name":"eth1","mac":"02:00:00:01:01:0'"$1"'","attach":{"port":"p1"},"addresses":["198.18.'$b'.1/24"]}],
    "routes":[{"prefix":"198.19.0.0/16","via":"198.18.'$b'.2"}]}}' || return 1
  ip -n "$NODE_SENDER" addr replace 198.18.$a.2/24 dev eth0 &&
    ip -n "$NODE_RECEIVER" addr replace 198.18.$b.2/24 dev eth0 &&
    ip -n "$NODE_SENDER" route replace 198.18.$b.0/24 via 198.18.$a.1 &&
    ip -n "$NODE_RECEIVER" route replace 198.18.$a.0/24 via 198.18.$b.1
}

pool_udp() { # EVERY_US
  veth_sink && veth_load "$POOL_PREFIX" $POOL_MPPS dst=02:00:00:01:00:00 macs=2 every="$1" || return 1
  ip netns exec "$NODE_RECEIVER" nft delete table netdev bench
}

# Sets GBPS, of a stream through each router.
pool_tcp() {
  local i servers=() clients=() seconds=$(((BENCH_WINDOW_MS + 999) / 1000))
  for i in 0 1; do
    ip netns exec "$NODE_RECEIVER" iperf3 -s -1 -p 520$i -B 198.18.$((2 * i + 1)).2 > /dev/null 2>&1 &
    servers+=($!)
  done
  sleep 0.3
  for i in 0 1; do
    ip netns exec "$NODE_SENDER" timeout $((seconds + 10)) iperf3 -J -O 1 -t "$seconds" -p 520$i \
      -c 198.18.$((2 * i + 1)).2 -B 198.18.$((2 * i)).2 > "tcp$i.json" 2>&1 &
    clients+=($!)
  done
  wait "${clients[@]}"
  kill "${servers[@]}" 2> /dev/null
  wait "${servers[@]}" 2> /dev/null
  # with two slots a connection may not come about: no figure is no rate
  GBPS=$(for i in 0 1; do jq '.end.sum_received.bits_per_second // 0' "tcp$i.json" || echo 0; done |
    awk '{n += $1} END {print n / 1e9}')
}

pool_point() { # SLOTS
  pool_router 0 "$1" && pool_router 1 "$1" || return 1
  sleep 0.3
  bench_ping
  pool_udp 100 || return 1
  bench_ping
  bench_value "udp_steady@$1" "$MPPS" "$CPU_NS"
  bench_ping
  pool_udp 10000 || return 1
  bench_ping
  bench_value "udp_bursty@$1" "$MPPS" "$CPU_NS"
  bench_ping
  pool_tcp
  bench_ping
  bench_value "tcp@$1" "$GBPS"
  node_delete_routers
}

# pool_worst SERIES FROM: the smallest share of the 1024-slot figure, FROM up.
pool_worst() {
  local slots worst=1 whole
  whole=$(bench_median "$1@1024")
  for slots in $POOL_SLOTS; do
    [ "$slots" -ge "$2" ] || continue
    worst=$(jq -n "[$worst, $(bench_median "$1@$slots") / $whole] | min")
  done
  echo "$worst"
}

run_pool() {
  local i slots series
  [ "$(id -u)" = 0 ] || bench_die "pool: needs root"
  command -v iperf3 > /dev/null || bench_die "iperf3 is not installed"
  [ -z "$BENCH_QUICK" ] || POOL_SLOTS="2 32 64 1024"
  BENCH_WARM_MS=$((BENCH_WARM_MS < 500 ? BENCH_WARM_MS : 500))
  europa_up "$POOL_PREFIX" net_af_packet0,iface=p0,framecnt=8192 \
    net_af_packet1,iface=p1,framecnt=8192 || return 1
  for ((i = 1; i <= BENCH_RUNS; i++)); do
    for slots in $POOL_SLOTS; do pool_point "$slots" || return 1; done
  done
  for series in udp_steady udp_bursty tcp; do
    for slots in $POOL_SLOTS; do
      bench_series pool "$series@$slots" "$([ $series = tcp ] && echo Gbit/s || echo Mpps)" \
        "two routers, $slots slots each, $POOL_MPPS Mpps or iperf3"
    done
  done
  bench_judge T6 must "$(pool_worst udp_steady 64)" '>=' 0.95 \
    "UDP at a steady rate, pools of 64 slots up, to 1024"
  bench_judge T6 stretch "$(pool_worst udp_steady 32)" '>=' 0.95 \
    "UDP at a steady rate, pools of 32 slots up, to 1024"
}
