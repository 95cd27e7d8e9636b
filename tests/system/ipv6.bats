#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# IPv6 through one router between two ports, as IPv4 in forward.bats; then what
# neither protocol's fast path does: sizes, options, rules. The way to the
# receiver is narrower than the way in: MTU 1400.

A=2001:db8::2 GATE_A=2001:db8::1
B=2001:db8:1::2 GATE_B=2001:db8:1::1

setup_file() {
  load common
  system_setup eu6-
  give_ip6 "$NODE_SENDER" $A $GATE_A
  give_ip6 "$NODE_RECEIVER" $B $GATE_B
  ip -n "$NODE_RECEIVER" link set eth0 mtu 1400
  make_router '{"name":"r1","spec":{"vnics":[
   {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24","'$GATE_A'/64"]},
   {"name":"eth1","attach":{"port":"p1"},"mtu":1400,"addresses":["198.18.1.1/24","'$GATE_B'/64"]}]}}'
}

setup() {
  load common
  system_resume
}

teardown_file() {
  load common
  system_teardown
}

# inside COMMAND...: as the owner, root in the container.
inside() { nsenter -t "$(init_pid r1)" -U -m -S 0 -G 0 -- "$@"; }

# rules [TEXT]: the owner's rules, put where the router looks for them.
rules() {
  if [ -z "${1-}" ]; then
    inside /bin/busybox rm -f /run/europa/filter.conf
  else
    printf '%s\nend\n' "$1" |
      inside /bin/busybox sh -c 'cat > /run/europa/filter.new'
    inside /bin/busybox mv /run/europa/filter.new /run/europa/filter.conf
  fi
}

# forget_mtu NAMESPACE: what it has learned of paths.
forget_mtu() {
  ip netns exec "$1" ip route flush cache
  ip netns exec "$1" ip -6 route flush cache
}

grows() { # COUNTER BEFORE AT_LEAST
  [ "$(claim r1 "$1")" -ge $(($2 + $3)) ]
}

@test "ping goes through, and the router takes one from the hop limit" {
  ip netns exec "$NODE_RECEIVER" timeout 30 tcpdump -n -v -i eth0 -c 5 \
    'icmp6 and ip6[40] = 128' 2> "$BATS_TEST_TMPDIR/tcpdump" |
    sed -n 's/.*hlim \([0-9]*\),.*/\1/p' > "$BATS_TEST_TMPDIR/hops" &
  captures
  node_sender ping -6 -n -c 20 -i 0.02 -W 2 -t 33 $B
  wait
  [ "$(sort -u "$BATS_TEST_TMPDIR/hops")" = 32 ]
}

@test "ping of the router's own addresses, of its link-local one, and of all" {
  node_sender ping -6 -n -c 3 -i 0.02 -W 1 $GATE_A
  node_receiver ping -6 -n -c 3 -i 0.02 -W 1 $GATE_B
  node_sender ping -6 -n -c 3 -i 0.02 -W 1 $GATE_B
  local mac
  mac=$(api GET /v1/routers/r1 | jq -r '.status.vnics[0].mac')
  IFS=: read -r a b c d e f <<< "$mac"
  a=$(printf %02x $((0x$a ^ 2)))
  node_sender ping -6 -n -c 3 -i 0.02 -W 1 "fe80::$a$b:${c}ff:fe$d:$e$f%eth0"
  node_sender ping -6 -n -c 3 -i 0.02 -W 1 ff02::2%eth0
}

@test "traceroute shows the router and the receiver" {
  run node_sender traceroute -6 -n -w 1 -q 3 -m 4 $B
  echo "$output"
  [ "$status" = 0 ]
  [ "$(echo "$output" | awk '$1 == 1 {print $2}')" = $GATE_A ]
  [ "$(echo "$output" | awk '$1 == 2 {print $2}')" = $B ]
}

@test "who is not there is answered with address unreachable" {
  run node_sender ping -6 -n -c 2 -W 5 2001:db8:1::77
  echo "$output"
  [[ "$output" == *"From $GATE_A"*"ddress unreachable"* ]]
}

@test "where no route leads is answered with no route" {
  run node_sender ping -6 -n -c 1 -W 2 2001:db8:ffff::1
  echo "$output"
  [[ "$output" == *"From $GATE_A"*"o route"* ]]
}

udp_came() {
  [ "$(jq '.end.sum.packets > 500 and .end.sum.lost_percent < 5' "$BATS_TEST_TMPDIR/udp")" = true ]
}

@test "iperf3 TCP and UDP pass over IPv6" {
  node_receiver timeout 15 iperf3 -s -B $B -1 > /dev/null &
  listens "$NODE_RECEIVER" 5201
  node_sender timeout 15 iperf3 -6 -c $B -t 2 -J > "$BATS_TEST_TMPDIR/tcp"
  wait
  [ "$(jq '.end.sum_received.bits_per_second > 1e7' "$BATS_TEST_TMPDIR/tcp")" = true ]
  # how much a busy machine loses is forward.bats' matter; this one tries again
  local i
  for ((i = 0; i < 4; i++)); do
    node_receiver timeout 15 iperf3 -s -B $B -1 > /dev/null &
    listens "$NODE_RECEIVER" 5201
    node_sender timeout 15 iperf3 -6 -c $B -u -b 2M -l 512 -t 2 -J > "$BATS_TEST_TMPDIR/udp"
    wait
    jq -c '.end.sum | [.packets, .lost_packets]' "$BATS_TEST_TMPDIR/udp"
    udp_came && break
  done
  udp_came
}

@test "what does not fit is answered with packet too big, and its MTU" {
  forget_mtu "$NODE_SENDER"
  run node_sender ping -6 -n -c 2 -i 0.1 -W 1 -M "do" -s 1400 $B
  echo "$output"
  [[ "$output" == *"mtu=1400"* || "$output" == *"mtu 1400"* || "$output" == *"mtu: 1400"* ]]
  node_sender ping -6 -n -c 2 -i 0.1 -W 1 -M "do" -s 1352 $B
  within 10 at_least 1 claim r1 icmp6_packet_too_big
}

@test "over IPv4 too with DF; without it in pieces, which are put together" {
  forget_mtu "$NODE_SENDER"
  run node_sender ping -n -c 2 -i 0.1 -W 1 -M "do" -s 1450 198.18.1.2
  echo "$output"
  [[ "$output" == *"mtu=1400"* || "$output" == *"mtu = 1400"* ]]
  # one way only: net_af_packet puts pieces together on the way in
  node_receiver timeout 30 python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.18.1.2", 5010))
for n in range(20):
    assert s.recv(2000) == bytes(range(240)) * 6 + bytes([n])
print("all")' > "$BATS_TEST_TMPDIR/pieces" &
  receives "$NODE_RECEIVER" 198.18.1.2 5010
  before=$(claim r1 fragmented)
  node_sender python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: dont
for n in range(20):
    s.sendto(bytes(range(240)) * 6 + bytes([n]), ("198.18.1.2", 5010))
    time.sleep(0.01)'
  wait
  [ "$(cat "$BATS_TEST_TMPDIR/pieces")" = all ]
  within 10 grows fragmented "$before" 20
}

@test "record route and timestamp are filled in" {
  run node_sender ping -n -R -c 1 -W 2 198.18.1.2
  echo "$output"
  [[ "$output" == *"198.18.1.1"* ]]
  run node_sender ping -n -T tsandaddr -c 1 -W 2 198.18.1.2
  echo "$output"
  [[ "$output" == *"198.18.1.1"* ]]
}

@test "rules: first match, counted one by one, changed while packets pass" {
  node_sender ping -6 -n -c 2 -i 0.05 -W 1 $B
  before=$(claim r1 tables_published)
  rules "filter 10 reject protocol icmp6 from $A/128 to $B/128
filter 20 deny protocol udp dport 5009
filter 30 permit"
  within 10 grows tables_published "$before" 1
  run node_sender ping -6 -n -c 3 -i 0.1 -W 1 $B
  echo "$output"
  [[ "$output" == *"rohibited"* ]]
  within 10 grows filter_10 0 3
  [ "$(claim r1 filter_10)" = 3 ]
  node_sender "$UDPSEQ" send 198.18.1.2 5009 100 1 3
  within 10 grows filter_20 0 100
  [ "$(claim r1 filter_20)" = 100 ]
  before=$(claim r1 filter_30)
  node_sender ping -n -c 5 -i 0.02 -W 1 198.18.1.2
  within 10 grows filter_30 "$before" 10
  rules "filter 30 permit"
  node_wait 2 node_sender ping -6 -n -c 1 -W 1 $B
  within 10 grows filter_10 0 3
  # a mistake changes nothing
  rules "filter 1 deny from nowhere"
  sleep 0.2
  node_sender ping -6 -n -c 1 -W 1 $B
  rules ""
  node_sender ping -6 -n -c 1 -W 1 $B
}

@test "at rest the ledger balances" {
  sleep 0.3
  stats r1 > "$BATS_TEST_TMPDIR/s"
  cat "$BATS_TEST_TMPDIR/s"
  [ "$(jq '[.vnics[] | .held == 0] | all' "$BATS_TEST_TMPDIR/s")" = true ]
  [ "$(jq '([.vnics[] | .back + .tx.originated] | add) == ([.vnics[] | .tx.sent + ([.done[]] | add) + .faults.bad_len + .faults.bad_kind + ([.tx.drops[]] | add)] | add)' "$BATS_TEST_TMPDIR/s")" = true ]
}
