#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# More than one router: a chain over links, and two tenants on the same ports.

setup_file() {
  load common
  system_setup eutp-
}

setup() {
  load common
  system_resume
}

teardown() {
  node_delete_routers
}

teardown_file() {
  load common
  system_teardown
}

chain_up() {
  make_router '{"name":"a","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24"]},
    {"name":"eth1","attach":{"router":"b","vnic":"eth0"},"addresses":["198.18.10.1/24"]}],
    "routes":[{"prefix":"198.18.1.0/24","via":"198.18.10.2"},{"prefix":"198.18.11.0/24","via":"198.18.10.2"}]}}'
  make_router '{"name":"b","spec":{"vnics":[
    {"name":"eth0","attach":{"router":"a","vnic":"eth1"},"addresses":["198.18.10.2/24"]},
    {"name":"eth1","attach":{"router":"c","vnic":"eth0"},"addresses":["198.18.11.1/24"]}],
    "routes":[{"prefix":"198.18.0.0/24","via":"198.18.10.1"},{"prefix":"198.18.1.0/24","via":"198.18.11.2"}]}}'
  make_router '{"name":"c","spec":{"vnics":[
    {"name":"eth0","attach":{"router":"b","vnic":"eth1"},"addresses":["198.18.11.2/24"]},
    {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.1.1/24"]}],
    "routes":[{"prefix":"198.18.0.0/16","via":"198.18.11.1"}]}}'
}

@test "a chain of three routers: ping, traceroute, TTL - 3, TCP and UDP" {
  chain_up
  capture_ttl "$NODE_RECEIVER" 3 'icmp[icmptype] = icmp-echo' > "$BATS_TEST_TMPDIR/ttl" &
  captures
  node_sender ping -n -c 10 -i 0.05 -W 2 -t 40 198.18.1.2
  wait
  [ "$(sort -u "$BATS_TEST_TMPDIR/ttl")" = 37 ]
  run node_sender traceroute -n -w 1 -q 3 198.18.1.2
  echo "$output"
  [ "$(echo "$output" | awk '$1 ~ /^[0-9]+$/ {print $2}' | tr '\n' ' ')" = "198.18.0.1 198.18.10.2 198.18.11.2 198.18.1.2 " ]
  node_receiver timeout 30 iperf3 -s -B 198.18.1.2 -1 > /dev/null &
  listens "$NODE_RECEIVER" 5201
  node_sender iperf3 -c 198.18.1.2 -t 2 -J > "$BATS_TEST_TMPDIR/tcp"
  wait
  [ "$(jq '.end.sum_received.bits_per_second > 1e7' "$BATS_TEST_TMPDIR/tcp")" = true ]
  for r in a b c; do claim $r forwarded > "$BATS_TEST_TMPDIR/$r"; done
  node_receiver "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" recv 198.18.1.2 5002 5 9 > "$BATS_TEST_TMPDIR/recv" &
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  node_sender "$UDPSEQ" -w "$BATS_TEST_TMPDIR/window" send 198.18.1.2 5002 20000 2 9
  wait
  cat "$BATS_TEST_TMPDIR/recv"
  [ "$(jq '.received == 40000 and .lost == 0 and .reordered == 0' "$BATS_TEST_TMPDIR/recv")" = true ]
  for r in a b c; do
    n=$(cat "$BATS_TEST_TMPDIR/$r")
    within 10 at_least $((n + 40000)) claim $r forwarded
    n=$(($(claim $r forwarded) - n))
    echo "router $r forwarded $n"
    [ "$n" -ge 40000 ] && [ "$n" -le 40020 ]
  done
}

@test "the middle of the chain paused, nothing passes; running, all again" {
  chain_up
  node_sender ping -n -c 3 -i 0.05 -W 2 198.18.1.2
  api PUT /v1/routers/b/power '{"desired":"paused"}' > /dev/null
  run node_sender ping -n -c 3 -i 0.05 -W 1 198.18.1.2
  [[ "$output" == *"100% packet loss"* ]]
  api PUT /v1/routers/b/power '{"desired":"running"}' > /dev/null
  node_sender ping -n -c 3 -i 0.05 -W 2 198.18.1.2
}

# Two tenants: x serves the addresses .1, y the addresses .101, on the same two
# ports; each pair of hosts is a pair of addresses.
tenants_up() {
  make_router '{"name":"x","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.0.1/24"]},
    {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.1.1/24"]}]}}'
  make_router '{"name":"y","spec":{"vnics":[
    {"name":"eth0","attach":{"port":"p0"},"addresses":["198.18.2.1/24"]},
    {"name":"eth1","attach":{"port":"p1"},"addresses":["198.18.3.1/24"]}]}}'
  ip -n "$NODE_SENDER" addr add 198.18.2.2/24 dev eth0
  ip -n "$NODE_RECEIVER" addr add 198.18.3.2/24 dev eth0
  ip -n "$NODE_SENDER" route add 198.18.3.0/24 via 198.18.2.1
  ip -n "$NODE_RECEIVER" route add 198.18.2.0/24 via 198.18.3.1
}

tenants_down() {
  ip -n "$NODE_SENDER" route del 198.18.3.0/24
  ip -n "$NODE_RECEIVER" route del 198.18.2.0/24
  ip -n "$NODE_SENDER" addr del 198.18.2.2/24 dev eth0
  ip -n "$NODE_RECEIVER" addr del 198.18.3.2/24 dev eth0
}

# Occurrences of an 8-byte canary in the pool that a router's process maps.
canaries() { # ROUTER NUMBER
  local pid
  pid=$(router_process "$1")
  python3 - "$pid" "$2" <<'PY'
import struct, sys
pid, want = sys.argv[1], struct.pack('<Q', int(sys.argv[2]))
n = 0
for line in open('/proc/%s/maps' % pid):
    if 'memfd:europa-pool' in line:
        a, b = (int(x, 16) for x in line.split()[0].split('-'))
        mem = open('/proc/%s/mem' % pid, 'rb')
        mem.seek(a)
        n += mem.read(b - a).count(want)
print(n)
PY
}

@test "two tenants on the same ports: 10^6 packets each, no canary strays" {
  tenants_up
  x=81985529216486895
  y=1147797409030816545
  node_receiver "$UDPSEQ" recv 198.18.1.2 5002 4 $x > "$BATS_TEST_TMPDIR/x" &
  node_receiver "$UDPSEQ" recv 198.18.3.2 5002 4 $y > "$BATS_TEST_TMPDIR/y" &
  receives "$NODE_RECEIVER" 198.18.1.2 5002
  receives "$NODE_RECEIVER" 198.18.3.2 5002
  node_sender ping -n -c 2 -i 0.1 -W 2 198.18.1.2
  node_sender ping -n -c 2 -i 0.1 -W 2 198.18.3.2
  fx=$(claim x forwarded)
  fy=$(claim y forwarded)
  # rounds of 250,000, until each router has moved a million, and one round more:
  # a receiver on a busy machine has lost some of them
  for ((n = 0; n < 10; n++)); do
    node_sender "$UDPSEQ" send 198.18.1.2 5002 50000 5 $x 64 $((n * 250000)) &
    a=$!
    node_sender "$UDPSEQ" send 198.18.3.2 5002 50000 5 $y 64 $((n * 250000)) &
    wait $a $!
    nx=$(($(claim x forwarded) - fx))
    ny=$(($(claim y forwarded) - fy))
    [ $nx -lt 1250000 ] || [ $ny -lt 1250000 ] || break
  done
  wait
  cat "$BATS_TEST_TMPDIR/x" "$BATS_TEST_TMPDIR/y"
  echo "x forwarded $nx, y forwarded $ny"
  [ "$nx" -ge 1000000 ] && [ "$ny" -ge 1000000 ]
  for t in x y; do
    [ "$(jq '.foreign == 0 and .doubled == 0 and .reordered == 0 and .received >= 1000000' "$BATS_TEST_TMPDIR/$t")" = true ]
  done
  # each pool is full of its own canary and has none of the other's
  [ "$(canaries x $x)" -gt 0 ]
  [ "$(canaries y $y)" -gt 0 ]
  [ "$(canaries x $y)" = 0 ]
  [ "$(canaries y $x)" = 0 ]
  # each takes one from the TTL; one paused, the other goes on
  for net in 1 3; do
    capture_ttl "$NODE_RECEIVER" 2 "icmp[icmptype] = icmp-echo and dst 198.18.$net.2" > "$BATS_TEST_TMPDIR/ttl" &
    captures
    node_sender ping -n -c 3 -i 0.05 -W 2 -t 50 198.18.$net.2
    wait
    [ "$(sort -u "$BATS_TEST_TMPDIR/ttl")" = 49 ]
  done
  api PUT /v1/routers/x/power '{"desired":"paused"}' > /dev/null
  run node_sender ping -n -c 3 -i 0.05 -W 1 198.18.1.2
  [[ "$output" == *"100% packet loss"* ]]
  node_sender ping -n -c 3 -i 0.05 -W 2 198.18.3.2
  api PUT /v1/routers/x/power '{"desired":"running"}' > /dev/null
  node_sender ping -n -c 3 -i 0.05 -W 2 198.18.1.2
  # two uid ranges
  ux=$(awk '{print $2}' "/proc/$(init_pid x)/uid_map")
  uy=$(awk '{print $2}' "/proc/$(init_pid y)/uid_map")
  [ "$ux" != "$uy" ]
  tenants_down
}

# The MAC that answers for an address in a VLAN of the sender's port.
arp() { node_sender python3 "$EUROPA_SRCDIR/tests/tools/arp_probe.py" eth0 "$@"; }

@test "VLANs keep tenants apart on one port; a duplicate MAC is refused" {
  for v in 42 43; do
    make_router '{"name":"v'$v'","spec":{"vnics":[
      {"name":"eth0","mac":"0a:00:00:00:42:01","attach":{"port":"p0","match":{"vlan":'$v'}},"addresses":["198.18.'$v'.1/24"]}]}}'
    [ "$(arp $v 198.18.$v.2 198.18.$v.1)" = 0a:00:00:00:42:01 ]
  done
  # not in another VLAN, and not untagged
  for v in 43 0; do
    if arp $v 198.18.42.2 198.18.42.1 1; then return 1; fi
  done
  run api POST /v1/routers '{"name":"dup","spec":{"vnics":[
    {"name":"eth0","mac":"0a:00:00:00:42:01","attach":{"port":"p0","match":{"vlan":42}}}]}}'
  echo "$output"
  [ "$status" != 0 ]
  [ "$(echo "$output" | jq -r '.status, .code' | tr '\n' ' ')" = "409 in-use " ]
}
