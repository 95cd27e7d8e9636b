#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# One router between two ports: what the README promises first.

setup_file() {
  load common
  system_setup eufw-
  make_router "$(node_router_body r1)"
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  system_teardown
}

@test "nothing but Europa can move the packets" {
  for ns in "$NODE_SENDER" "$NODE_RECEIVER" "$NODE_PLANE_NS"; do
    [ "$(ip netns exec "$ns" sysctl -n net.ipv4.ip_forward)" = 0 ]
  done
  init=$(init_pid r1)
  [ "$(nsenter -t "$init" -n sysctl -n net.ipv4.ip_forward)" = 0 ]
  # its network namespace has a loopback and nothing else
  [ "$(nsenter -t "$init" -n ip -o link | wc -l)" = 1 ]
  macs=$(api GET /v1/routers/r1 | jq -r '.status.vnics[].mac')
  for mac in $macs; do
    ! ip -n "$NODE_PLANE_NS" link | grep -qi "$mac"
  done
}

@test "ping goes through, and each router takes one from the TTL" {
  capture_ttl "$NODE_RECEIVER" 5 'icmp[icmptype] = icmp-echo' > "$BATS_TEST_TMPDIR/ttl" &
  captures
  node_sender ping -n -c 20 -i 0.02 -W 1 -t 33 198.18.1.2
  wait
  [ "$(sort -u "$BATS_TEST_TMPDIR/ttl")" = 32 ]
}

@test "ping of the router's own addresses" {
  node_sender ping -n -c 3 -i 0.02 -W 1 198.18.0.1
  node_receiver ping -n -c 3 -i 0.02 -W 1 198.18.1.1
  node_sender ping -n -c 3 -i 0.02 -W 1 198.18.1.1
}

@test "traceroute shows the router and the receiver" {
  run node_sender traceroute -n -w 1 -q 3 198.18.1.2
  echo "$output"
  [ "$status" = 0 ]
  [ "$(echo "$output" | awk '$1 == 1 {print $2}')" = 198.18.0.1 ]
  [ "$(echo "$output" | awk '$1 == 2 {print $2}')" = 198.18.1.2 ]
}

@test "an address that nobody has is answered with host unreachable" {
  run node_sender ping -n -c 2 -W 5 198.18.1.77
  echo "$output"
  [[ "$output" == *"From 198.18.0.1"*"nreachable"* ]]
}

@test "a network that no route leads to is answered with net unreachable" {
  run node_sender ping -n -c 1 -W 2 203.0.113.1
  echo "$output"
  [[ "$output" == *"From 198.18.0.1"*"nreachable"* ]]
}

# Datagrams that the receiver's sockets had no room for.
receiver_full() {
  # shellcheck disable=SC2016
  node_receiver awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp
}

@test "iperf3 TCP and UDP pass" {
  node_receiver timeout 30 iperf3 -s -B 198.18.1.2 -1 > /dev/null &
  listens "$NODE_RECEIVER" 5201
  node_sender iperf3 -c 198.18.1.2 -t 2 -J > "$BATS_TEST_TMPDIR/tcp"
  wait
  [ "$(jq '.end.sum_received.bits_per_second > 1e7' "$BATS_TEST_TMPDIR/tcp")" = true ]
  # Its receiver has room for 20 ms. What a socket had no room for came through;
  # what else is missing did not, and a machine that stood still tries again.
  local i full lost
  for ((i = 0; i < 4; i++)); do
    node_receiver timeout 30 iperf3 -s -B 198.18.1.2 -1 > /dev/null &
    listens "$NODE_RECEIVER" 5201
    full=$(receiver_full)
    node_sender iperf3 -c 198.18.1.2 -u -b 50M -l 512 -t 2 -J > "$BATS_TEST_TMPDIR/udp"
    wait
    full=$(($(receiver_full) - full))
    lost=$(jq '.end.sum.lost_packets' "$BATS_TEST_TMPDIR/udp")
    jq -c --argjson full "$full" '.end.sum | [.packets, .lost_packets, $full]' "$BATS_TEST_TMPDIR/udp"
    [ "$(jq --argjson path $((lost - full)) '.end.sum.packets as $n |
      $n > 12000 and $path * 100 < $n' "$BATS_TEST_TMPDIR/udp")" = true ] && return 0
  done
  return 1
}

@test "the counters of host and router say exactly what was sent" {
  sent0=$(host_sum r1 .tx.sent)
  forwarded0=$(claim r1 forwarded)
  node_receiver "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" recv 198.18.1.2 5002 5 77 > "$BATS_TEST_TMPDIR/recv" &
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" send 198.18.1.2 5002 50000 2 77
  wait
  cat "$BATS_TEST_TMPDIR/recv"
  [ "$(jq '.received == 100000 and .lost == 0 and .reordered == 0 and .doubled == 0' "$BATS_TEST_TMPDIR/recv")" = true ]
  within 10 at_least $((forwarded0 + 100000)) claim r1 forwarded
  forwarded1=$(claim r1 forwarded)
  sent1=$(host_sum r1 .tx.sent)
  echo "forwarded $((forwarded1 - forwarded0)), sent $((sent1 - sent0))"
  [ $((forwarded1 - forwarded0)) -ge 100000 ]
  [ $((sent1 - sent0)) -ge 100000 ]
  # beside them only ARP and what the two hosts say by themselves
  [ $((forwarded1 - forwarded0)) -le 100020 ]
  [ $((sent1 - sent0)) -le 100040 ]
}

@test "at rest the ledger balances" {
  sleep 0.3
  stats r1 > "$BATS_TEST_TMPDIR/s"
  cat "$BATS_TEST_TMPDIR/s"
  [ "$(jq '[.vnics[] | .rx.offered == .rx.filled + ([.rx.drops[]] | add)] | all' "$BATS_TEST_TMPDIR/s")" = true ]
  [ "$(jq '[.vnics[] | .held == 0] | all' "$BATS_TEST_TMPDIR/s")" = true ]
  [ "$(jq '([.vnics[] | .back + .tx.originated] | add) == ([.vnics[] | .tx.sent + ([.done[]] | add) + .faults.bad_len + .faults.bad_kind + ([.tx.drops[]] | add)] | add)' "$BATS_TEST_TMPDIR/s")" = true ]
}

@test "a paused router moves nothing, and goes on when it runs again" {
  api PUT /v1/routers/r1/power '{"desired":"paused"}' | jq -e '.status.state == "paused"'
  run node_sender ping -n -c 3 -i 0.05 -W 1 198.18.1.2
  [[ "$output" == *"100% packet loss"* ]]
  [ "$(stats r1 | jq '[.vnics[].rx.drops.paused] | add > 0')" = true ]
  api PUT /v1/routers/r1/power '{"desired":"running"}' | jq -e '.status.state == "running"'
  node_sender ping -n -c 5 -i 0.05 -W 1 198.18.1.2
}

@test "a stopped router is gone, and starts again" {
  api PUT /v1/routers/r1/power '{"desired":"stopped"}' | jq -e '.status.state == "stopped"'
  run node_sender ping -n -c 2 -i 0.05 -W 1 198.18.1.2
  [[ "$output" == *"100% packet loss"* ]]
  api PUT /v1/routers/r1/power '{"desired":"running"}' | jq -e '.status.state == "running"'
  node_sender ping -n -c 5 -i 0.05 -W 1 198.18.1.2
}

@test "a route given at run time is in force when the answer comes" {
  ip -n "$NODE_RECEIVER" addr add 192.0.2.9/32 dev lo
  api PUT /v1/routers/r1/routes '{"routes":[{"prefix":"192.0.2.0/24","via":"198.18.1.2"}]}'
  node_sender ping -n -c 3 -i 0.05 -W 1 192.0.2.9
  api PUT /v1/routers/r1/routes '{"routes":[]}'
  run node_sender ping -n -c 1 -W 1 192.0.2.9
  [[ "$output" == *"nreachable"* ]]
  ip -n "$NODE_RECEIVER" addr del 192.0.2.9/32 dev lo
}

@test "a full-size frame passes, a larger one is answered or counted" {
  node_sender ping -n -c 2 -i 0.05 -W 1 -s 1472 -M "do" 198.18.1.2
}

@test "the owner's own program is a data plane: vnic-echo" {
  api PATCH /v1/routers/r1 '{"spec":{"dataplane":"/usr/sbin/vnic-echo"}}' > /dev/null
  api POST /v1/routers/r1/restart '{"scope":"dataplane"}' | jq -e '.status.state == "running"'
  mac=$(api GET /v1/routers/r1 | jq -r '.status.vnics[0].mac')
  ip -n "$NODE_SENDER" neigh replace 198.18.0.1 lladdr "$mac" dev eth0
  ip netns exec "$NODE_SENDER" timeout 30 tcpdump -n -i eth0 -c 3 \
    "ether src $mac and udp port 5003" > "$BATS_TEST_TMPDIR/echo" 2> "$BATS_TEST_TMPDIR/tcpdump" &
  captures
  node_sender "$UDPSEQ" send 198.18.1.2 5003 100 1 5
  wait
  [ "$(wc -l < "$BATS_TEST_TMPDIR/echo")" = 3 ]
  ip -n "$NODE_SENDER" neigh del 198.18.0.1 dev eth0
  api PATCH /v1/routers/r1 '{"spec":{"dataplane":null}}' > /dev/null
  api POST /v1/routers/r1/restart '{"scope":"dataplane"}' > /dev/null
  node_sender ping -n -c 3 -i 0.05 -W 2 198.18.1.2
}
